package arch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/policy"
)

func TestTheGuideOfNotifyHasEachType(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(top, "deploy", "guide", "notify.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range policy.ChannelTypes() {
		if !strings.Contains(string(guide), "\n| `"+of+"` |") {
			t.Errorf("deploy/guide/notify.md has no line for channels of type %s", of)
		}
	}
}
