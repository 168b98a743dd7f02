package undo

import (
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

// The ledger has changes of each kind that a function makes. Of a kind that it does not know,
// an undo says that another version made the change.
func TestEachKindOfChangeIsTakenBackOrSaidToStay(t *testing.T) {
	var steps []fleet.ChangeKind
	for _, s := range new(Plan).steps(Hands{}) {
		steps = append(steps, s.Kind)
	}
	for _, f := range fleet.Functions() {
		for _, kind := range f.Changes {
			if refKinds[kind] == "" {
				t.Errorf("%s: refKinds does not say what it is about", kind)
			}
			why, _ := lasting(Made{ChangeRecord: fleet.ChangeRecord{Kind: kind}})
			if _, moves := moved(fleet.Change{Kind: kind, Before: "a", Want: "b"}); !moves && strings.Contains(why, "does not know") {
				t.Errorf("%s: it moves no slot, and lasting does not say why it stays", kind)
			}
		}
	}
	for f, by := range movers {
		for _, kind := range []fleet.ChangeKind{by.onto, by.off, by.over} {
			if kind != "" && !slices.Contains(steps, kind) {
				t.Errorf("%s of a %s: no step makes it", kind, f)
			}
		}
	}
}
