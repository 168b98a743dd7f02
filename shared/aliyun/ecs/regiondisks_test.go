package ecs_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fleet"
)

func disksOf(t *testing.T, c *ecs.Client, category string) (all []fleet.SystemDisk, sizes []int) {
	t.Helper()
	for token := ""; ; {
		page, next, err := c.SystemDiskPage(t.Context(), region, category, token)
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

func TestSystemDisksAreReadByTheFiveHundred(t *testing.T) {
	b := newBench(t)
	want := map[string]string{}
	for category, n := range map[string]int{"cloud_essd": 501, "cloud_ssd": 3, "of_tomorrow": 1} {
		for _, id := range b.seed(t, simecs.FleetSpec{Count: n, SystemDisk: category}).IDs {
			want[id] = category
		}
	}
	for category, pages := range map[string][]int{"": {500, 5}, "cloud_essd": {500, 1}, "cloud_ssd": {3}, "cloud": {0}} {
		all, sizes := disksOf(t, b.Client, category)
		if diff := cmp.Diff(pages, sizes); diff != "" {
			t.Errorf("%q: %s", category, diff)
		}
		for _, d := range all {
			if want[d.Instance] != d.Category || (category != "" && d.Category != category) {
				t.Errorf("%q: got %+v", category, d)
			}
		}
		if n, err := b.CountSystemDisks(t.Context(), region, category); err != nil || n != len(all) {
			t.Errorf("%q: counted %d of %d, %v", category, n, len(all), err)
		}
	}
	if n, err := b.CountInstances(t.Context(), region); err != nil || n != len(want) {
		t.Errorf("counted %d of %d instances, %v", n, len(want), err)
	}
	if n, err := b.CountLooseSystemDisks(t.Context(), region); err != nil || n != 0 {
		t.Errorf("counted %d disks that are attached to nothing, %v", n, err)
	}
}

func TestDataDisksAreNoSystemDisks(t *testing.T) {
	client, _ := newClient(t, pages(t, map[string]string{"": `{"RequestId":"R","Disks":{"Disk":[` +
		`{"InstanceId":"i-1","Type":"data","Category":"cloud"},{"InstanceId":"i-1","Type":"system","Category":"cloud_essd"},{"Type":"system","Category":"cloud_essd"}]}}`}))
	all, _ := disksOf(t, client, "")
	if diff := cmp.Diff([]fleet.SystemDisk{{Instance: "i-1", Category: "cloud_essd"}, {Category: "cloud_essd"}}, all); diff != "" {
		t.Error(diff)
	}
}

// wide are the reads of a region's disks and instances as a whole.
func wide(c *ecs.Client) map[string]func(context.Context, fleet.Region) (int, error) {
	return map[string]func(context.Context, fleet.Region) (int, error){
		"CountInstances":        c.CountInstances,
		"CountLooseSystemDisks": c.CountLooseSystemDisks,
		"CountSystemDisks": func(ctx context.Context, r fleet.Region) (int, error) {
			return c.CountSystemDisks(ctx, r, "cloud")
		},
		"SystemDiskPage": func(ctx context.Context, r fleet.Region) (int, error) {
			page, _, err := c.SystemDiskPage(ctx, r, "", "")
			return len(page), err
		},
	}
}

func TestWhatCouldNotBeCountedIsNotNone(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Throttle: fleet.Throttled, simcloud.Unavailable: fleet.Unavailable, simcloud.Empty: fleet.Unavailable} {
		b := newBench(t, simcloud.Fault{Product: "ecs", Kind: kind})
		for name, read := range wide(b.Client) {
			if n, err := read(t.Context(), region); fleet.ClassOf(err) != class || n != 0 {
				t.Errorf("%s, %s: got %d, %v", name, kind, n, err)
			}
		}
	}
	b := newBench(t)
	weak, _ := b.weak(t)
	for name, read := range wide(weak) {
		if n, err := read(t.Context(), region); fleet.ClassOf(err) != fleet.Denied || n != 0 {
			t.Errorf("%s: got %d, %v", name, n, err)
		}
	}
}

func TestATotalThatIsLessThanWhatIsShownIsNoTotal(t *testing.T) {
	client, _ := newClient(t, pages(t, map[string]string{"": `{"RequestId":"R","Disks":{"Disk":[{"DiskId":"d-1","Type":"system"}]},"Instances":{"Instance":[{}]}}`}))
	for name, read := range wide(client) {
		if name == "SystemDiskPage" {
			continue // counts nothing
		}
		if n, err := read(t.Context(), region); err == nil {
			t.Errorf("%s: got %d", name, n)
		}
	}
}

func TestAListOfDisksThatGoesInCirclesEnds(t *testing.T) {
	const one = `{"RequestId":"R","NextToken":"n","Disks":{"Disk":[]}}`
	client, _ := newClient(t, pages(t, map[string]string{"": one, "n": one}))
	if _, next, err := client.SystemDiskPage(t.Context(), region, "", ""); err != nil || next != "n" {
		t.Fatalf("got %q, %v", next, err)
	}
	if _, _, err := client.SystemDiskPage(t.Context(), region, "", "n"); err == nil || !strings.Contains(err.Error(), "in circles") {
		t.Errorf("got %v", err)
	}
	b := newBench(t)
	if _, _, err := b.SystemDiskPage(t.Context(), region, "", "made up"); fleet.ClassOf(err) != fleet.Invalid {
		t.Errorf("a token that the cloud does not know: got %v", err)
	}
}
