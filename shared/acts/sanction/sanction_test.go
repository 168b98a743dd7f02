package sanction_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/fleet"
)

func (r *region) Tag(_ context.Context, _ fleet.Region, key, value string, ids []string) error {
	_, err := r.call("tag "+key, ids, func(l fleet.Listing) fleet.Listing {
		l.Tags = maps.Clone(l.Tags)
		l.Tags[key] = value
		return l
	})
	return err
}

func (r *region) Stop(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error) {
	for _, id := range ids {
		if r.listed[id].Status != "Running" && r.refuses[id] == nil {
			r.refuses[id] = failure{fleet.Denied} // IncorrectInstanceStatus, HTTP 403
		}
	}
	return r.call("stop", ids, func(l fleet.Listing) fleet.Listing { l.Status = "Stopping"; return l })
}

// run is a region whose instances run.
func run(ids ...string) *region {
	r := &region{listed: map[string]fleet.Listing{}, refuses: map[string]error{}}
	for _, id := range ids {
		r.listed[id] = fleet.Listing{Status: "Running", Tags: map[string]string{"team": "a"}}
	}
	return r
}

func wants(kind fleet.ChangeKind, want string, ids ...string) []fleet.Change {
	cs := changes(kind, "", ids...)
	for i := range cs {
		cs[i].Want = want
	}
	return cs
}

const (
	mark = "fleetwarden:violation=trusted-instance"
	halt = "fleetwarden:stopped=trusted-instance"
)

func TestInstancesWithoutTheTagAreTagged(t *testing.T) {
	r := run("i-1", "i-2", "i-has")
	r.listed["i-has"].Tags["fleetwarden:violation"] = "trusted-instance"
	rs := sanction.Tag(r)(t.Context(), here, wants(fleet.TagInstance, mark, "i-1", "i-2", "i-has", "i-gone"))
	if diff := cmp.Diff([]fleet.State{fleet.Done, fleet.Done, fleet.Skipped, fleet.Skipped}, states(rs)); diff != "" {
		t.Error(diff)
	}
	if rs[0].After != mark || !strings.Contains(rs[2].Why, "already") || rs[2].After != mark || !strings.Contains(rs[3].Why, "gone") {
		t.Errorf("got %+v", rs)
	}
	if r.listed["i-1"].Tags["fleetwarden:violation"] != "trusted-instance" || r.listed["i-1"].Tags["team"] != "a" {
		t.Errorf("got %+v", r.listed)
	}
}

func TestNothingIsTaggedWhenAllHaveTheTag(t *testing.T) {
	r := run("i-1")
	r.listed["i-1"].Tags["fleetwarden:violation"] = "trusted-instance"
	if sanction.Tag(r)(t.Context(), here, wants(fleet.TagInstance, mark, "i-1")); len(r.wrote) != 0 {
		t.Errorf("wrote %v", r.wrote)
	}
}

func TestATagWithAnotherValueIsReplaced(t *testing.T) {
	r := run("i-1")
	r.listed["i-1"].Tags["fleetwarden:trust-client"] = "1"
	rs := sanction.Tag(r)(t.Context(), here, wants(fleet.TagInstance, "fleetwarden:trust-client=2", "i-1"))
	if rs[0].State != fleet.Done || r.listed["i-1"].Tags["fleetwarden:trust-client"] != "2" {
		t.Errorf("got %+v, %v", rs, r.listed)
	}
}

func TestOnlyStoppedInstancesAreTagged(t *testing.T) {
	r := run("i-1", "i-off", "i-no")
	off := r.listed["i-off"]
	off.Status = "Stopped"
	r.listed["i-off"], r.refuses["i-no"] = off, throttled
	rs := sanction.Stop(r)(t.Context(), here, wants(fleet.StopInstance, halt, "i-1", "i-off", "i-no"))
	if diff := cmp.Diff([]fleet.State{fleet.Done, fleet.Skipped, fleet.Later}, states(rs)); diff != "" {
		t.Error(diff)
	}
	if rs[0].After != "Stopping" || !strings.Contains(rs[1].Why, "already") {
		t.Errorf("got %+v", rs)
	}
	for id, want := range map[string]string{"i-1": "trusted-instance", "i-off": "", "i-no": ""} {
		if got := r.listed[id].Tags["fleetwarden:stopped"]; got != want {
			t.Errorf("%s has the tag %q, want %q", id, got, want)
		}
	}
}

func TestASanctionIsDoneOnlyWhenReadBack(t *testing.T) {
	for name, x := range map[string]struct {
		write error
		done  bool
		read  error // of the read after the write
		stale bool  // the read after the write shows what was before
		want  fleet.State
	}{
		"done":                  {want: fleet.Done},
		"lost and done":         {write: lost, done: true, want: fleet.Done},
		"lost and not done":     {write: lost, want: fleet.Later},
		"lost and not read":     {write: lost, read: denied, want: fleet.Later},
		"denied":                {write: denied, want: fleet.Failed},
		"throttled":             {write: throttled, want: fleet.Later},
		"throttled, not read":   {write: throttled, read: denied, want: fleet.Later},
		"made and not read":     {read: denied, want: fleet.Started},
		"made and not seen yet": {stale: true, want: fleet.Started},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, act := range map[fleet.ChangeKind]func(sanction.Instances) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result{
				fleet.TagInstance: sanction.Tag, fleet.StopInstance: sanction.Stop,
			} {
				b := behind{region: run("i-1"), read: x.read, stale: x.stale}
				b.write, b.done = x.write, x.done
				rs := act(&b)(t.Context(), here, wants(kind, halt, "i-1"))
				if rs[0].State != x.want || (rs[0].Err == nil) != (x.want == fleet.Done) || (rs[0].Why == "") != (name == "done") {
					t.Errorf("%s: got %+v", kind, rs[0])
				}
			}
		})
	}
}

// Fifty ids are tagged with one call. A failed call does not affect the others.
func TestInstancesTaggedBeforeAFailedCallAreOurs(t *testing.T) {
	r := run("i-1")
	r.write, r.done = throttled, true
	rs := sanction.Tag(r)(t.Context(), here, wants(fleet.TagInstance, mark, "i-1"))
	if rs[0].State != fleet.Done || rs[0].Why == "" {
		t.Errorf("got %+v", rs[0])
	}
}

func TestAnUnreadableInstanceIsNotTagged(t *testing.T) {
	for err, want := range map[failure]fleet.State{throttled: fleet.Later, denied: fleet.Failed} {
		r := run("i-1")
		r.read = err
		rs := sanction.Tag(r)(t.Context(), here, wants(fleet.TagInstance, mark, "i-1"))
		if rs[0].State != want || len(r.wrote) != 0 {
			t.Errorf("got %+v, wrote %v", rs, r.wrote)
		}
	}
}

// Without the tag, an instance that an operator starts again would be stopped once more.
func TestAStopThatIsNotSeenYetIsTaggedToo(t *testing.T) {
	b := behind{region: run("i-1"), stale: true}
	sanction.Stop(&b)(t.Context(), here, wants(fleet.StopInstance, halt, "i-1"))
	if !slices.Equal(b.wrote, []string{"stop", "tag fleetwarden:stopped"}) {
		t.Errorf("wrote %v", b.wrote)
	}
}

// behind is a region whose reads after the first write fail, or show what was before it.
type behind struct {
	*region
	read  error
	stale bool
}

func (b *behind) Listings(ctx context.Context, r fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	if len(b.wrote) > 0 && b.read != nil {
		return nil, b.read
	}
	if len(b.wrote) > 0 && b.stale {
		return map[string]fleet.Listing{"i-1": {Status: "Running"}}, nil
	}
	return b.region.Listings(ctx, r, ids)
}
