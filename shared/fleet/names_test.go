package fleet_test

import (
	"testing"

	"fleetwarden/shared/fleet"
)

func TestAFunctionIsFoundByItsNameInTheCloud(t *testing.T) {
	if name, ok := fleet.FunctionOf(fleet.CloudName("attach-role")); name != "attach-role" || !ok {
		t.Errorf("got %q, %v", name, ok)
	}
	for _, foreign := range []string{"", "attach-role", "guard-fleetwarden-attach-role"} {
		if name, ok := fleet.FunctionOf(foreign); ok {
			t.Errorf("%q was taken for our function %q", foreign, name)
		}
	}
}
