package observe_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
)

// remembered is the memory of a sweep.
type remembered struct {
	found map[string]map[string]time.Time
	err   error
	asked [][]string
}

func (r *remembered) Found(_ context.Context, _ fleet.Scope, ids []string) (map[string]map[string]time.Time, error) {
	r.asked = append(r.asked, ids)
	return r.found, r.err
}

func TestTheMemoryIsReadOnceForWaitingInstances(t *testing.T) {
	r := &remembered{found: map[string]map[string]time.Time{"i-1": {"vpc": noon}}}
	o := everything(newCloud("i-1", "i-2", "i-3"))
	o.Past, o.Waits = r, func(*fleet.World) []string { return []string{"i-1", "i-2"} }
	w := observed(t, o, batch("i-1", "i-2", "i-3"))
	if diff := cmp.Diff([][]string{{"i-1", "i-2"}}, r.asked); diff != "" {
		t.Error(diff)
	}
	if i := w.Instances; !i[0].Found.V["vpc"].Equal(noon) || !i[1].Found.Seen() || len(i[1].Found.V) > 0 || i[2].Found.Seen() {
		t.Errorf("found %+v, %+v, %+v", i[0].Found, i[1].Found, i[2].Found)
	}
	o.Waits = func(*fleet.World) []string { return nil }
	if observed(t, o, batch("i-1")); len(r.asked) != 1 {
		t.Errorf("it was asked for %q", r.asked)
	}
}

func TestAMemoryThatCannotBeReadIsUnknownOrRetried(t *testing.T) {
	r := &remembered{err: denied}
	o := everything(newCloud("i-1"))
	o.Past, o.Waits = r, func(*fleet.World) []string { return []string{"i-1"} }
	if w := observed(t, o, batch("i-1")); w.Instances[0].Found.Known() || w.Instances[0].Found.Why != denied.Error() {
		t.Errorf("found %+v", w.Instances[0].Found)
	}
	r.err = throttled
	if _, err := o.Observe(t.Context(), batch("i-1")); !errors.Is(err, throttled) {
		t.Errorf("got %v", err)
	}
}
