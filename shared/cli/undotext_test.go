package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/undo"
)

// Which role an instance had is known from the ledger alone. The operator has to review it, even
// if the list of changes is cut.
func TestEachRoleThatAnUndoGivesToInstancesIsNamed(t *testing.T) {
	long := strings.Repeat("a", 64)
	var out bytes.Buffer
	u := &undoing{job: &job{out: &out}, inv: &invocation.Invocation{}, plan: &undo.Plan{Run: "run-1"}}
	for n := range 3 * listed {
		u.changes = append(u.changes, fleet.ChangeRecord{Kind: fleet.ReplaceRole, RefKind: fleet.KindInstance, ID: fmt.Sprintf("i-a%03d", n), State: fleet.Planned, Before: "OurRole", Want: "AppRole"})
	}
	u.changes = append(u.changes,
		fleet.ChangeRecord{Kind: fleet.ReplaceRole, RefKind: fleet.KindInstance, ID: "i-z", State: fleet.Planned, Before: "OurRole", Want: long},
		fleet.ChangeRecord{Kind: fleet.DetachRole, RefKind: fleet.KindInstance, ID: "i-y", State: fleet.Planned, Before: "OurRole"},
		fleet.ChangeRecord{Kind: fleet.GrantRole, RefKind: fleet.KindRole, ID: "OurRole", State: fleet.Planned, Want: "no role"},
	)
	if err := u.sum(false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"role AppRole goes to 60 instances\n", "role " + long + " goes to 1 instance\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
	if got := strings.Count(out.String(), " goes to "); got != 2 {
		t.Errorf("%d roles are named:\n%s", got, out.String())
	}
}
