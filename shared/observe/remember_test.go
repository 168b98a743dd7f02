package observe_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

// remembering is everything as one sweep of an account and region reads it.
func remembering(c *cloud) observe.World {
	o := everything(c)
	var m observe.Memory
	o.Roles, o.Images, o.KMS = m.Roles(c), m.Images(c), m.KMS(c)
	return o
}

func TestBatchesOfAFleetReadEachRoleAndImageOnce(t *testing.T) {
	c := newCloud(many(300)...)
	for i, id := range many(300) {
		c.roleNames[id] = []string{"", "A", "B"}[i%3]
	}
	o := remembering(c)
	for part := range 3 {
		w := observed(t, o, batch(many(300)[part*100:][:100]...))
		for _, in := range w.Instances {
			if !in.Image.Seen() || in.Image.V.BootMode != "UEFI" || (in.RoleName.V != "" && !w.Roles[in.RoleName.V].Seen()) {
				t.Fatalf("got %+v", in)
			}
		}
		if w.KMS != fleet.See("Enabled") || !w.Roles["Systrust"].Seen() {
			t.Errorf("got %+v, %+v", w.KMS, w.Roles)
		}
	}
	asked := map[string]int{"Role": c.calls["Role"], "Images": c.calls["Images"], "AccountStatus": c.calls["AccountStatus"]}
	if diff := cmp.Diff(map[string]int{"Role": 3, "Images": 1, "AccountStatus": 1}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyImagesThatAreNotCachedAreRead(t *testing.T) {
	c := newCloud("i-1", "i-2")
	c.instances["i-2"] = fleet.Listing{Family: "ecs.g7t", ImageID: "m-2"}
	c.images["m-2"] = fleet.Image{ID: "m-2", Gone: true}
	o := remembering(c)
	observed(t, o, batch("i-1"))
	w := observed(t, o, batch("i-1", "i-2"))
	if diff := cmp.Diff([]string{"m-1", "m-2"}, c.asked["Images"]); diff != "" || !w.Instances[1].Image.V.Gone || w.Instances[0].Image.V.BootMode != "UEFI" {
		t.Errorf("%s %+v", diff, w.Instances)
	}
}

var reads = map[string]func(*fleet.World) string{
	"Role":          func(w *fleet.World) string { return w.Roles["Systrust"].Why },
	"Images":        func(w *fleet.World) string { return w.Instances[0].Image.Why },
	"AccountStatus": func(w *fleet.World) string { return w.KMS.Why },
}

func TestATransientErrorIsRetried(t *testing.T) {
	for api, why := range reads {
		for _, class := range []fleet.Class{fleet.Throttled, fleet.Unavailable, fleet.OutOfBudget, fleet.Canceled} {
			c := newCloud("i-1")
			o := remembering(c)
			c.fails[api] = failure{class}
			if _, err := o.Observe(t.Context(), batch("i-1")); !errors.Is(err, failure{class}) {
				t.Errorf("%s, %s: %v", api, class, err)
			}
			delete(c.fails, api)
			if w := observed(t, o, batch("i-1")); why(w) != "" || c.calls[api] != 2 {
				t.Errorf("%s, %s: %q after %d calls", api, class, why(w), c.calls[api])
			}
		}
	}
}

func TestADeniedReadIsNotRepeatedForEachBatch(t *testing.T) {
	for api, why := range reads {
		c := newCloud("i-1")
		o := remembering(c)
		c.fails[api] = denied
		for range 3 {
			if w := observed(t, o, batch("i-1")); why(w) != denied.Error() {
				t.Errorf("%s: got %q", api, why(w))
			}
		}
		if c.calls[api] != 1 {
			t.Errorf("%s was called %d times", api, c.calls[api])
		}
	}
}

// One bad id makes a call fail; it must not make the images of later batches unknown.
func TestARefusalOfOneImageIsNotCachedForAll(t *testing.T) {
	c := newCloud("i-1", "i-2")
	c.instances["i-1"] = fleet.Listing{Family: "ecs.g7t", ImageID: "m odd"}
	o := remembering(c)
	c.fails["Images"] = failure{fleet.Invalid}
	if w := observed(t, o, batch("i-1")); w.Instances[0].Image.Known() {
		t.Errorf("got %+v", w.Instances[0])
	}
	delete(c.fails, "Images")
	if w := observed(t, o, batch("i-2")); !w.Instances[0].Image.Seen() {
		t.Errorf("got %+v", w.Instances[0])
	}
}

// A pass's readers end with it; what they learned is the next one's.
func TestAMemoryOutlivesItsReaders(t *testing.T) {
	var m observe.Memory
	asked := func(known *observe.Memory) (read []string) {
		c := newCloud("i-1")
		o := everything(c)
		o.Roles, o.Images, o.KMS = known.Roles(c), known.Images(c), known.KMS(c)
		if w := observed(t, o, batch("i-1")); !w.Roles["Systrust"].Seen() || !w.Instances[0].Image.Seen() || !w.KMS.Seen() {
			t.Errorf("got %+v", w)
		}
		disks := with(map[string]int{"cloud_essd": 1})
		s := known.Survey(disks, []string{"cloud_essd"}, func() time.Time { return noon })
		if got := of(t, s, "cloud_essd-0"); got != fleet.See("cloud_essd") {
			t.Errorf("got %+v", got)
		}
		for _, api := range []string{"Role", "Images", "AccountStatus"} {
			if c.calls[api] > 0 {
				read = append(read, api)
			}
		}
		return append(read, disks.calls...)
	}
	want := []string{"Role", "Images", "AccountStatus", "count ", "page "}
	if diff := cmp.Diff(want, asked(&m)); diff != "" {
		t.Error(diff)
	}
	if got := asked(&m); len(got) > 0 {
		t.Errorf("%v were asked again", got)
	}
	if diff := cmp.Diff(want, asked(new(observe.Memory))); diff != "" {
		t.Errorf("another memory knows: %s", diff)
	}
}

// pushes are our own invocations, and Cloud Assistant clients that are all online.
type pushes struct {
	err       error
	asked     int
	instances int
}

func (p *pushes) Assistants(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.Assistant, error) {
	out := map[string]fleet.Assistant{}
	for _, id := range ids {
		out[id] = fleet.Assistant{Online: true}
	}
	return out, nil
}

func (p *pushes) Invocations(context.Context, fleet.Region, time.Time) (map[string][]fleet.Invocation, error) {
	p.asked++
	out := map[string][]fleet.Invocation{}
	for i := range p.instances {
		out[fmt.Sprint("i-", i)] = []fleet.Invocation{{ID: "t-1"}}
	}
	return out, p.err
}

func TestOurInvocationsAreReadOnce(t *testing.T) {
	p := &pushes{instances: 2, err: failure{fleet.Throttled}}
	a := new(observe.Memory).Assistants(p)
	if _, err := a.Invocations(t.Context(), here.Region, noon); !errors.Is(err, failure{fleet.Throttled}) {
		t.Errorf("got %v", err)
	}
	p.err = nil
	for range 3 {
		if runs, err := a.Invocations(t.Context(), here.Region, noon); err != nil || len(runs) != 2 {
			t.Errorf("got %v, %v", runs, err)
		}
	}
	if clients, err := a.Assistants(t.Context(), here.Region, []string{"i-9"}); err != nil || !clients["i-9"].Online {
		t.Errorf("got %v, %v", clients, err)
	}
	if p.asked != 2 {
		t.Errorf("they were read %d times; one was throttled", p.asked)
	}
	many := &pushes{instances: 10_001}
	a = new(observe.Memory).Assistants(many)
	for range 2 {
		if runs, err := a.Invocations(t.Context(), here.Region, noon); err != nil || len(runs) != 10_001 {
			t.Errorf("got %d, %v", len(runs), err)
		}
	}
	if many.asked != 2 {
		t.Error("more were kept than fit")
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	c := newCloud()
	roles := new(observe.Memory).Roles(c)
	for range 2 {
		for i := range 1100 {
			if r, err := roles.Role(t.Context(), fmt.Sprint("r-", i)); err != nil || r.Name != fmt.Sprint("r-", i) {
				t.Fatalf("got %+v, %v", r, err)
			}
		}
	}
	if want := 1100 + 100; c.calls["Role"] != want {
		t.Errorf("%d roles were read, want %d", c.calls["Role"], want)
	}
	var ids []string
	for i := range 5100 {
		ids = append(ids, fmt.Sprint("m-", i))
		c.images[ids[i]] = fleet.Image{ID: ids[i]}
	}
	images := new(observe.Memory).Images(c)
	for range 2 {
		if got, err := images.Images(t.Context(), here.Region, ids); err != nil || len(got) != 5100 {
			t.Fatalf("got %d, %v", len(got), err)
		}
	}
	if want := 5100 + 100; len(c.asked["Images"]) != want {
		t.Errorf("%d images were asked for, want %d", len(c.asked["Images"]), want)
	}
}
