package command

import (
	"testing"
	"time"

	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/why"
)

// A region's name may begin with that of another: only the record of the region itself counts.
func TestTheNewestDeploymentIsOfTheRegionItself(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	for name, text := range map[string]string{
		"deployments/20260105T000000Z-cn-hangzhou-00000001.json":         `{"at":"2026-01-05T00:00:00Z","policy":"A"}`,
		"deployments/20260106T000000Z-cn-hangzhou-finance-00000002.json": `{"at":"2026-01-06T00:00:00Z","policy":"B"}`,
		"deployments/20260107T000000Z-cn-hangzhou-note.json":             `no record`,
	} {
		if err := store.Put(t.Context(), name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := newestDeployment(t.Context(), store, "cn-hangzhou")
	if want := (why.Deployed{At: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Policy: "A"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := newestDeployment(t.Context(), store, "cn-beijing"); err != nil || got != (why.Deployed{}) {
		t.Errorf("of a region without any: %+v, %v", got, err)
	}
}
