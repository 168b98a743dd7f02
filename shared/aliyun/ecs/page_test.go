package ecs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/fleet"
)

var home = fleet.Scope{Account: server.Sharer, Region: region}

// read follows pages to the end.
func read(t *testing.T, b *bench) (all []fleet.Instance, sizes []int) {
	t.Helper()
	for token := ""; ; {
		page, next, err := b.Page(t.Context(), home, token)
		if err != nil {
			t.Fatal(err)
		}
		all, sizes = append(all, page...), append(sizes, len(page))
		if next == "" {
			return all, sizes
		}
		token = next
	}
}

func TestAFleetIsReadPageByPageAndEachInstanceOnce(t *testing.T) {
	for count, want := range map[int][]int{0: {0}, 99: {99}, 100: {100}, 101: {100, 1}, 250: {100, 100, 50}} {
		b := newBench(t)
		seeded := b.seed(t, simecs.FleetSpec{Count: count, HTTPTokens: "optional"}).IDs
		all, sizes := read(t, b)
		if diff := cmp.Diff(want, sizes); diff != "" {
			t.Errorf("%d instances: %s", count, diff)
		}
		ids := []string{}
		for _, in := range all {
			ids = append(ids, in.Ref.ID)
			if in.Ref.Scope != home || in.Ref.Kind != fleet.KindInstance || !in.Listed.Seen() || in.Listed.V.HTTPTokens != "optional" {
				t.Fatalf("got %+v", in)
			}
		}
		if diff := cmp.Diff(seeded, ids); diff != "" {
			t.Errorf("%d instances: %s", count, diff)
		}
		if calls := b.session.Calls()["ecs:DescribeInstances"]["ok"]; calls != len(want) {
			t.Errorf("%d instances took %d calls", count, calls)
		}
	}
}

func TestAPageThatCannotBeReadIsAnError(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Throttle: fleet.Throttled, simcloud.Unavailable: fleet.Unavailable, simcloud.Empty: fleet.Unavailable} {
		b := newBench(t, simcloud.Fault{Action: "DescribeInstances", Kind: kind})
		if page, next, err := b.Page(t.Context(), home, ""); fleet.ClassOf(err) != class || page != nil || next != "" {
			t.Errorf("%s: got %v, %q, %v", kind, page, next, err)
		}
	}
}

func TestAPageThatMayNotBeReadIsDenied(t *testing.T) {
	b := newBench(t)
	client, _ := b.weak(t)
	if page, _, err := client.Page(t.Context(), home, ""); fleet.ClassOf(err) != fleet.Denied || page != nil {
		t.Errorf("got %v, %v", page, err)
	}
}

func TestATokenThatTheCloudDoesNotKnowIsRefused(t *testing.T) {
	b := newBench(t)
	b.seed(t, simecs.FleetSpec{Count: 1})
	if page, _, err := b.Page(t.Context(), home, "made up"); fleet.ClassOf(err) != fleet.Invalid || page != nil {
		t.Errorf("got %v, %v", page, err)
	}
}

func TestAListingThatGoesInCirclesEnds(t *testing.T) {
	const one = `{"RequestId":"R","NextToken":"n","Instances":{"Instance":[{"InstanceId":"i-1"}]},"Disks":{"Disk":[]}}`
	client, _ := newClient(t, pages(t, map[string]string{"": one, "n": one}))
	if _, next, err := client.Page(t.Context(), home, ""); err != nil || next != "n" {
		t.Fatalf("got %q, %v", next, err)
	}
	circles := map[string]error{}
	_, _, circles["Page"] = client.Page(t.Context(), home, "n")
	_, circles["Listings"] = client.Listings(t.Context(), region, []string{"i-1"})
	for name, err := range circles {
		if err == nil || !strings.Contains(err.Error(), "in circles") || fleet.ClassOf(err).Passing() {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// An empty page does not prove that the next ones are empty.
func TestAnEmptyPageIsNotTheLast(t *testing.T) {
	client, _ := newClient(t, pages(t, map[string]string{"": `{"RequestId":"R","NextToken":"n","Instances":{"Instance":[]}}`}))
	if page, next, err := client.Page(t.Context(), home, ""); err != nil || len(page) != 0 || next != "n" {
		t.Errorf("got %v, %q, %v", page, next, err)
	}
}
