package observe_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

func observed(t *testing.T, o observe.World, b fleet.Batch) *fleet.World {
	t.Helper()
	w, err := o.Observe(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if w.Scope != here || !w.At.Equal(noon) || len(w.Instances) < len(b.Refs)-len(w.Calls) {
		t.Errorf("world %+v", w)
	}
	return w
}

func TestEachAPIIsCalledOnceABatch(t *testing.T) {
	c := newCloud(many(100)...)
	b := batch(many(100)...)
	call := &fleet.Call{Launch: &fleet.Launch{}}
	for i, id := range many(100) {
		b.Refs[i].Call = call
		call.Launch.Disks = append(call.Launch.Disks, "d-"+id, "data-"+id)
		c.byDisk["d-"+id] = [2]string{id, "cloud_essd"}
		c.roleNames[id] = []string{"", "A", "B", "Systrust"}[i%4]
	}
	w := observed(t, everything(c), b)
	want := map[string]int{"Listings": 1, "RoleNames": 1, "Role": 3, "SystemDisksByID": 1, "Images": 1, "AccountStatus": 1}
	if diff := cmp.Diff(want, c.calls); diff != "" {
		t.Error(diff)
	}
	for _, i := range w.Instances {
		if !i.Listed.Seen() || i.Gone != fleet.See(false) || !i.RoleName.Seen() || i.SystemDisk != fleet.See("cloud_essd") || !i.Image.Seen() {
			t.Fatalf("not all was read: %+v", i)
		}
	}
	if diff := cmp.Diff([]string{"A", "B", "Systrust"}, c.asked["Role"]); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyBatchMakesNoCall(t *testing.T) {
	c := newCloud()
	observed(t, everything(c), batch())
	if len(c.calls) != 0 {
		t.Errorf("calls %v", c.calls)
	}
}

func TestAFacetWithoutReaderStaysUnknown(t *testing.T) {
	c := newCloud("i-1")
	w := observed(t, observe.World{Listings: c, Now: everything(c).Now}, batch("i-1"))
	i := w.Instances[0]
	if i.RoleName.Known() || i.SystemDisk.Known() || i.Image.Known() || w.KMS.Known() || len(w.Roles) != 0 || len(c.calls) != 1 {
		t.Errorf("world %+v, calls %v", w, c.calls)
	}
}

func TestAListingFromTheSourceIsNotReadAgain(t *testing.T) {
	c := newCloud("i-1", "i-2")
	b := batch("i-1", "i-2")
	b.Seen = []fleet.Instance{{Ref: b.Refs[0], Listed: fleet.See(fleet.Listing{Name: "from the lister"})}, {Ref: b.Refs[1]}}
	w := observed(t, everything(c), b)
	if diff := cmp.Diff([]string{"i-2"}, c.asked["Listings"]); diff != "" {
		t.Error(diff)
	}
	if w.Instances[0].Listed.V.Name != "from the lister" || w.Instances[0].Gone != fleet.See(false) {
		t.Errorf("got %+v", w.Instances[0])
	}
	b.Seen[1].Listed = fleet.See(fleet.Listing{})
	observed(t, everything(c), b)
	if c.calls["Listings"] != 1 {
		t.Errorf("%d listings for what was all seen", c.calls["Listings"])
	}
}

func TestAnInstanceThatIsNotFoundIsGoneAndNotReadFurther(t *testing.T) {
	c := newCloud("i-1")
	w := observed(t, everything(c), batch("i-gone", "i-1"))
	gone, there := w.Instances[0], w.Instances[1]
	if gone.Gone != fleet.See(true) || gone.Listed.Known() || gone.RoleName.Known() {
		t.Errorf("got %+v", gone)
	}
	if there.Gone != fleet.See(false) {
		t.Errorf("got %+v", there)
	}
	if slices.Contains(c.asked["RoleNames"], "i-gone") {
		t.Error("the role of a missing instance was asked for")
	}
	c = newCloud()
	observed(t, everything(c), batch("i-gone"))
	if len(c.calls) != 1 {
		t.Errorf("calls %v although nothing is there", c.calls)
	}
}

func TestACallRefIsNotAnInstance(t *testing.T) {
	c := newCloud()
	b := fleet.Batch{Scope: here, Refs: []fleet.Ref{{Scope: here, Kind: fleet.KindCall, ID: "E1"}, {Scope: here, Kind: fleet.KindRole, ID: "r"}}}
	w, err := everything(c).Observe(t.Context(), b)
	if err != nil || len(w.Calls) != 1 || len(w.Instances) != 0 || len(c.calls) != 0 {
		t.Errorf("world %+v, calls %v, error %v", w, c.calls, err)
	}
}

func TestOnlyTheListingIsReadOfOrdinaryInstances(t *testing.T) {
	c := newCloud("o-1", "o-2")
	c.roleNames["o-1"] = "App"
	w := observed(t, everything(c), batch("o-1", "o-2"))
	want := map[string]int{"Listings": 1, "RoleNames": 1, "Role": 1}
	if diff := cmp.Diff(want, c.calls); diff != "" {
		t.Error(diff)
	}
	if _, ok := w.Roles["Systrust"]; ok {
		t.Error("the systrust role was read though no instance needs it")
	}
}

func TestARoleThatIsNeededAndAttachedIsReadOnce(t *testing.T) {
	c := newCloud("i-1", "i-2")
	c.roleNames["i-1"], c.roleNames["i-2"] = "Systrust", "Systrust"
	w := observed(t, everything(c), batch("i-1", "i-2"))
	if diff := cmp.Diff([]string{"Systrust"}, c.asked["Role"]); diff != "" {
		t.Error(diff)
	}
	if !w.Roles["Systrust"].Seen() || !w.Roles["Systrust"].V.Missing {
		t.Errorf("got %+v", w.Roles)
	}
}

var apis = []string{"Listings", "RoleNames", "Role", "SystemDisksByID", "SystemDiskOf", "Images", "AccountStatus"}

// launched is a batch of which one launch is known, so that each API is needed.
func launched() (*cloud, fleet.Batch) {
	c, b := newCloud("i-1", "i-2"), batch("i-1", "i-2")
	b.Refs[0].Call = &fleet.Call{Launch: &fleet.Launch{Disks: []string{"d-1"}}}
	return c, b
}

func TestATransientErrorEndsThePass(t *testing.T) {
	for _, api := range apis {
		for _, class := range []fleet.Class{fleet.Throttled, fleet.Unavailable, fleet.OutOfBudget, fleet.Canceled} {
			t.Run(api+" "+class.String(), func(t *testing.T) {
				c, b := launched()
				c.fails[api] = failure{class}
				w, err := everything(c).Observe(t.Context(), b)
				if !errors.Is(err, failure{class}) || w != nil {
					t.Errorf("world %+v, error %v", w, err)
				}
			})
		}
	}
}

func TestADeniedReadIsUnknownWithItsReason(t *testing.T) {
	type fact struct {
		source fleet.Source
		why    string
	}
	facts := map[string]func(*fleet.World) fact{
		"Listings":      func(w *fleet.World) fact { f := w.Instances[1].Listed; return fact{f.Source, f.Why} },
		"RoleNames":     func(w *fleet.World) fact { f := w.Instances[1].RoleName; return fact{f.Source, f.Why} },
		"Role":          func(w *fleet.World) fact { f := w.Roles["Systrust"]; return fact{f.Source, f.Why} },
		"SystemDiskOf":  func(w *fleet.World) fact { f := w.Instances[1].SystemDisk; return fact{f.Source, f.Why} },
		"Images":        func(w *fleet.World) fact { f := w.Instances[1].Image; return fact{f.Source, f.Why} },
		"AccountStatus": func(w *fleet.World) fact { f := w.KMS; return fact{f.Source, f.Why} },
	}
	for api, get := range facts {
		for _, err := range []error{denied, errors.New("something new")} {
			t.Run(api+" "+err.Error(), func(t *testing.T) {
				c, b := launched()
				c.fails[api] = err
				w := observed(t, everything(c), b)
				if got := get(w); got != (fact{fleet.NoSource, err.Error()}) {
					t.Errorf("got %+v", got)
				}
				if w.Instances[1].Gone.Seen() && w.Instances[1].Gone.V {
					t.Error("what could not be read is not gone")
				}
			})
		}
	}
}

func TestAnInstanceMissingFromAnAnswerIsUnknown(t *testing.T) {
	c := newCloud("i-1")
	delete(c.roleNames, "i-1")
	delete(c.images, "m-1")
	c.byID["i-1"] = ""
	i := observed(t, everything(c), batch("i-1")).Instances[0]
	for name, why := range map[string]string{"role": i.RoleName.Why, "image": i.Image.Why, "disk": i.SystemDisk.Why} {
		if why == "" {
			t.Errorf("%s: known, or unknown without a reason: %+v", name, i)
		}
	}
}
