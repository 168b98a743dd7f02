package observe_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
)

func TestALaunchesDisksAreReadByTheirIDs(t *testing.T) {
	c, b := newCloud("i-1", "i-2"), batch("i-1", "i-2")
	call := &fleet.Call{Launch: &fleet.Launch{Disks: []string{"d-1", "d-2"}}}
	b.Refs[0].Call, b.Refs[1].Call = call, call
	c.byDisk["d-1"] = [2]string{"i-1", "cloud_ssd"}
	w := observed(t, everything(c), b)
	if diff := cmp.Diff([]string{"d-1", "d-2"}, c.asked["SystemDisksByID"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"i-2"}, c.asked["SystemDiskOf"]); diff != "" {
		t.Error("only the rest is asked one by one:", diff)
	}
	if w.Instances[0].SystemDisk != fleet.See("cloud_ssd") || w.Instances[1].SystemDisk != fleet.See("cloud_essd") {
		t.Errorf("got %+v", w.Instances)
	}
}

// A request may claim any disk id: the cloud's answer decides which instance it belongs to.
func TestADiskCountsForTheInstanceItIsAttachedTo(t *testing.T) {
	c, b := newCloud("i-1", "i-2"), batch("i-1", "i-2")
	b.Refs[0].Call = &fleet.Call{Launch: &fleet.Launch{Disks: []string{"d-2", "d-3"}}}
	c.byDisk["d-2"], c.byDisk["d-3"] = [2]string{"i-2", "cloud_ssd"}, [2]string{"i-3", "cloud_ssd"}
	w := observed(t, everything(c), b)
	if w.Instances[0].SystemDisk != fleet.See("cloud_essd") || w.Instances[1].SystemDisk != fleet.See("cloud_ssd") || len(w.Instances) != 2 {
		t.Errorf("got %+v", w.Instances)
	}
}

// One launch comes in several messages, each with its own copy of the call.
func TestADiskIsAskedForOnceHoweverManyCallsNameIt(t *testing.T) {
	c, b := newCloud("i-1", "i-2"), batch("i-1", "i-2")
	for i := range b.Refs {
		b.Refs[i].Call = &fleet.Call{Launch: &fleet.Launch{Disks: []string{"d-1", "d-2"}}}
	}
	observed(t, everything(c), b)
	if diff := cmp.Diff([]string{"d-1", "d-2"}, sorted(c.asked["SystemDisksByID"])); diff != "" {
		t.Error(diff)
	}
}

// A violation that has matured comes with as many others as its batch holds.
func TestEachDiskOfABatchIsKnown(t *testing.T) {
	c := newCloud(many(fleet.MaxBatch)...)
	w := observed(t, everything(c), batch(many(fleet.MaxBatch)...))
	for _, i := range w.Instances {
		if !i.SystemDisk.Seen() {
			t.Errorf("%s: %s", i.Ref.ID, i.SystemDisk.Why)
		}
	}
	if c.calls["SystemDiskOf"] != fleet.MaxBatch {
		t.Errorf("%d calls", c.calls["SystemDiskOf"])
	}
}

func TestOrdinaryInstancesDisksAreNotRead(t *testing.T) {
	c := newCloud("o-1")
	b := batch("o-1")
	b.Refs[0].Call = &fleet.Call{Launch: &fleet.Launch{Disks: []string{"d-1"}}}
	if w := observed(t, everything(c), b); w.Instances[0].SystemDisk.Known() || c.calls["SystemDisksByID"]+c.calls["SystemDiskOf"] != 0 {
		t.Errorf("calls %v", c.calls)
	}
}

func TestDisksThatMayNotBeReadByIDsAreUnknownForThatReason(t *testing.T) {
	c := newCloud(many(12)...)
	b := batch(many(12)...)
	call := &fleet.Call{Launch: &fleet.Launch{Disks: []string{"d-1"}}}
	for i := range b.Refs {
		b.Refs[i].Call = call
	}
	c.fails["SystemDisksByID"], c.fails["SystemDiskOf"] = denied, denied
	w := observed(t, everything(c), b)
	for _, i := range w.Instances {
		if i.SystemDisk != fleet.Unknown[string](denied.Error()) {
			t.Fatalf("got %+v", i.SystemDisk)
		}
	}
	if c.calls["SystemDiskOf"] != 0 {
		t.Errorf("%d calls more of an API that was just denied", c.calls["SystemDiskOf"])
	}
}

// account is the ref of a launch whose record names no instance.
func account(at string) fleet.Batch {
	return fleet.Batch{Scope: here, Refs: []fleet.Ref{{Scope: here, Kind: fleet.KindAccount, Call: &fleet.Call{Name: "RunInstances", Time: at}}}}
}

func TestALaunchWithoutIDsIsFoundByCreationTime(t *testing.T) {
	for at, want := range map[string]time.Time{noon.Add(-5 * time.Minute).Format(time.RFC3339): noon.Add(-6 * time.Minute), "yesterday": noon.Add(-time.Minute)} {
		c := newCloud("i-1", "i-2")
		c.young = []string{"i-2", "i-1"}
		w := observed(t, everything(c), account(at))
		if len(w.Instances) != 2 || w.Instances[0].Ref.ID != "i-1" || w.Instances[0].Ref.Call != nil || !w.Instances[0].RoleName.Seen() {
			t.Errorf("got %+v", w.Instances)
		}
		if got := fmt.Sprint(c.asked["CreatedSince"]); got != fmt.Sprint([]string{want.Format(time.RFC3339)}) || c.calls["Listings"] != 0 {
			t.Errorf("asked since %s, want %s; calls %v", got, want, c.calls)
		}
	}
}

func TestAYoungInstanceOfTheBatchIsNotAddedTwice(t *testing.T) {
	c := newCloud("i-1", "i-2")
	c.young = []string{"i-1", "i-2"}
	b := account("")
	b.Refs = append(batch("i-1").Refs, b.Refs...)
	if w := observed(t, everything(c), b); len(w.Instances) != 2 {
		t.Errorf("got %+v", w.Instances)
	}
}

func TestDeniedListingOfYoungInstances(t *testing.T) {
	c := newCloud()
	c.fails["CreatedSince"] = denied
	w := observed(t, everything(c), account(""))
	if len(w.Instances) != 1 || w.Instances[0].Listed.Known() || w.Instances[0].Listed.Why != denied.Error() || w.Instances[0].Gone.Known() || c.calls["Listings"] != 0 {
		t.Errorf("got %+v, calls %v", w.Instances, c.calls)
	}
	c.fails["CreatedSince"] = throttled
	if _, err := everything(c).Observe(t.Context(), account("")); err == nil {
		t.Error("no error although time may heal it")
	}
}
