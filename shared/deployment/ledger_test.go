package deployment_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// A region's name may begin with that of another, and the folder has other objects: only the
// newest record of each region counts.
func TestTheNewestRecordOfEachRegion(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	put := func(day int, region fleet.Region, policy string) string {
		r := deployment.Record{V: deployment.Version, At: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC), Region: region, Home: "cn-hangzhou", Policy: policy}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		name := deployment.Object(r, text)
		if err := store.Put(t.Context(), name, text); err != nil {
			t.Fatal(err)
		}
		return name
	}
	put(4, "cn-hangzhou", "old")
	want := map[fleet.Region]string{"cn-hangzhou": put(5, "cn-hangzhou", "A"), "cn-hangzhou-finance": put(6, "cn-hangzhou-finance", "B")}
	for _, name := range []string{"20260107T000000Z-cn-hangzhou-note.json", "readme.txt", "20260108T000000Z--0000000a.json"} {
		if err := store.Put(t.Context(), deployment.Folder+name, []byte("no record")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := deployment.Newest(t.Context(), store)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for region, policy := range map[fleet.Region]string{"cn-hangzhou": "A", "cn-hangzhou-finance": "B"} {
		r, err := deployment.Load(t.Context(), store, got[region])
		if err != nil || r.Policy != policy || got[region] != want[region] {
			t.Errorf("%s: %s, %+v, %v", region, got[region], r, err)
		}
	}
}

func TestARecordThatCannotBeReadIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"{":       "no record of a deployment",
		"{}":      "no version, time or region",
		`{"v":2}`: "version 2, and this program reads 1",
		`{"v":1,"at":"2026-01-05T00:00:00Z","region":"cn-shanghai","home":"cn-hangzhou"}`: `of region "cn-shanghai"`,
	} {
		store := ledger.NewFolder(t.TempDir())
		const name = "deployments/20260105T000000Z-cn-hangzhou-0000000a.json"
		if err := store.Put(t.Context(), name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		_, err := deployment.Load(t.Context(), store, name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) || errors.As(err, new(*fleet.BadInput)) == errors.Is(err, deployment.ErrNewer) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := deployment.Load(t.Context(), ledger.NewFolder(t.TempDir()), "deployments/x"); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("a missing one: %v", err)
	}
}
