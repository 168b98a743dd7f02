package sweep_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/pause"
)

func TestASweepReportsTheOrdersSinceTheOneBefore(t *testing.T) {
	c := newCloud()
	works := doer(fine)
	order := func(o fleet.Order) {
		o.At, o.By, o.Reason = c.now, "ops", "why"
		if !o.Resume {
			o.Until = c.now.Add(48 * time.Hour)
		}
		if _, err := pause.Give(t.Context(), c.sweep(works).Store, o); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(time.Minute)
	}
	// night is what the sweep of a night says of orders.
	night := func() (out []string) {
		c.records = nil
		c.swept(t, works)
		for _, r := range c.records {
			if f := r.Finding; f != nil && (f.Rule == "pause" || f.Rule == "resume") {
				if f.Severity != fleet.High || r.Run == "" {
					t.Errorf("%+v", r)
				}
				out = append(out, strings.Fields(f.Reason)[2]+" "+f.Control)
			}
		}
		c.now = c.now.Add(24 * time.Hour)
		return out
	}
	if got := night(); len(got) != 0 {
		t.Errorf("without orders: %q", got)
	}
	order(fleet.Order{Control: "agent"})
	order(fleet.Order{Control: "instance-role"})
	order(fleet.Order{Control: "instance-role", Resume: true})
	if got := night(); !slices.Equal(got, []string{"resumed instance-role", "paused instance-role", "paused agent"}) {
		t.Errorf("on the first night: %q", got)
	}
	if got := night(); !slices.Equal(got, []string{"paused agent"}) {
		t.Errorf("on the second night: %q", got)
	}
	if got := night(); len(got) != 0 {
		t.Errorf("after the end: %q", got)
	}
}

func TestASweepReportsThatNothingIsChangedForAnOrderThatCannotBeRead(t *testing.T) {
	c := newCloud()
	c.objects[pause.Folder+"0.json"] = []byte("{}")
	c.swept(t, fine)
	if !slices.ContainsFunc(c.said(), func(s string) bool {
		return strings.HasPrefix(s, "pause fault no function changes anything: ") && strings.Contains(s, "control/0.json")
	}) {
		t.Errorf("it says %q", c.said())
	}
}

// The owner of a paused control is not notified: it would only put it off.
func TestASweepHoldsWhatIsPaused(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(c *cloud)
		why     string
	}{
		"a pause": {func(c *cloud) {
			o := fleet.Order{At: c.now, Until: c.now.Add(time.Hour), By: "ops", Reason: "why", Control: "instance-role", Account: one}
			if _, err := pause.Give(t.Context(), c.sweep(fine).Store, o); err != nil {
				t.Fatal(err)
			}
		}, "ops has paused the changes of control instance-role in account " + string(one)},
		"an order that cannot be read": {func(c *cloud) { c.objects[pause.Folder+"x"] = nil }, "control/x"},
	} {
		sound := newCloud().swept(t, fine)
		world := newCloud()
		c.prepare(world)
		got := world.swept(t, fine)
		if len(sound.Notified) == 0 || len(got.Notified) >= len(sound.Notified) {
			t.Errorf("%s: notified %q, and %q without it", name, got.Notified, sound.Notified)
		}
		held := got.shard(t, at(one, "cn-hangzhou")).Held
		if len(held) == 0 || held[0].Limit || !strings.Contains(held[0].Why, c.why) {
			t.Errorf("%s: held %+v", name, held)
		}
	}
}
