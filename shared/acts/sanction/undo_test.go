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

var here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}

// failure is an error as the cloud's clients return it.
type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

var (
	lost      = failure{fleet.Lost}
	denied    = failure{fleet.Denied}
	throttled = failure{fleet.Throttled}
)

// region is a region's instances in memory.
type region struct {
	listed map[string]fleet.Listing
	// write and read are the errors of the next write and read; done says that the
	// write was carried out nevertheless.
	write, read error
	done        bool
	// refuses answers for one instance.
	refuses map[string]error
	wrote   []string
}

func stopped(ids ...string) *region {
	r := &region{listed: map[string]fleet.Listing{}, refuses: map[string]error{}}
	for _, id := range ids {
		r.listed[id] = fleet.Listing{Status: "Stopped", Tags: map[string]string{"fleetwarden:stopped": "trusted-instance", "team": "a"}}
	}
	return r
}

func (r *region) Listings(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	out := map[string]fleet.Listing{}
	for _, id := range ids {
		if l, ok := r.listed[id]; ok {
			out[id] = l
		}
	}
	return out, r.read
}

func (r *region) call(api string, ids []string, do func(fleet.Listing) fleet.Listing) (map[string]fleet.BatchAnswer, error) {
	r.wrote = append(r.wrote, api)
	if r.write != nil && !r.done {
		return nil, r.write
	}
	out := map[string]fleet.BatchAnswer{}
	for _, id := range ids {
		out[id] = fleet.BatchAnswer{RequestID: "q", Err: r.refuses[id]}
		if l, ok := r.listed[id]; ok && r.refuses[id] == nil {
			r.listed[id] = do(l)
		}
	}
	return out, r.write
}

func (r *region) Untag(_ context.Context, _ fleet.Region, key string, ids []string) error {
	_, err := r.call("untag "+key, ids, func(l fleet.Listing) fleet.Listing {
		l.Tags = maps.Clone(l.Tags)
		delete(l.Tags, key)
		return l
	})
	return err
}

func (r *region) Start(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error) {
	return r.call("start", ids, func(l fleet.Listing) fleet.Listing { l.Status = "Starting"; return l })
}

func changes(kind fleet.ChangeKind, before string, ids ...string) (out []fleet.Change) {
	for _, id := range ids {
		out = append(out, fleet.Change{Kind: kind, Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}, Before: before})
	}
	return out
}

func states(rs []fleet.Result) (out []fleet.State) {
	for _, r := range rs {
		out = append(out, r.State)
	}
	return out
}

func TestTagsAreRemovedTogetherAndOthersStay(t *testing.T) {
	r := stopped("i-1", "i-2", "i-3")
	cs := append(changes(fleet.UntagInstance, "fleetwarden:stopped=trusted-instance", "i-1", "i-2", "i-gone"), changes(fleet.UntagInstance, "team=a", "i-3")...)
	got := states(sanction.Untag(r)(t.Context(), here, cs))
	if diff := cmp.Diff([]fleet.State{fleet.Done, fleet.Done, fleet.Skipped, fleet.Done}, got); diff != "" {
		t.Error(diff)
	}
	want := map[string]string{"team": "a"}
	if !maps.Equal(r.listed["i-1"].Tags, want) || !maps.Equal(r.listed["i-2"].Tags, want) || r.listed["i-3"].Tags["fleetwarden:stopped"] == "" {
		t.Errorf("got %+v", r.listed)
	}
	if slices.Sort(r.wrote); !slices.Equal(r.wrote, []string{"untag fleetwarden:stopped", "untag team"}) {
		t.Errorf("wrote %v", r.wrote)
	}
}

func TestStartedInstancesRunAndKeepTheirTag(t *testing.T) {
	r := stopped("i-1", "i-2")
	r.refuses["i-2"] = throttled
	rs := sanction.Start(r)(t.Context(), here, changes(fleet.StartInstance, "fleetwarden:stopped=trusted-instance", "i-1", "i-2"))
	if diff := cmp.Diff([]fleet.State{fleet.Done, fleet.Later}, states(rs)); diff != "" {
		t.Error(diff)
	}
	if rs[0].After != "Starting" || len(rs[0].RequestIDs) != 1 || r.listed["i-1"].Tags["fleetwarden:stopped"] == "" || r.listed["i-2"].Status != "Stopped" {
		t.Errorf("got %+v, %+v", rs, r.listed)
	}
}

func TestAnInstanceThatAnotherCallerStartedIsNotOurs(t *testing.T) {
	r := stopped("i-1")
	r.listed["i-1"] = fleet.Listing{Status: "Running"}
	r.refuses["i-1"] = denied // IncorrectInstanceStatus, HTTP 403
	rs := sanction.Start(r)(t.Context(), here, changes(fleet.StartInstance, "fleetwarden:stopped=trusted-instance", "i-1"))
	if rs[0].State != fleet.Skipped || !strings.Contains(rs[0].Why, "already") {
		t.Errorf("got %+v", rs[0])
	}
}

func TestAnUndoIsDoneOnlyWhenReadBack(t *testing.T) {
	for name, x := range map[string]struct {
		write, read error
		done        bool
		want        fleet.State
	}{
		"done":                {want: fleet.Done},
		"lost and done":       {write: lost, done: true, want: fleet.Done},
		"lost and not done":   {write: lost, want: fleet.Later},
		"denied":              {write: denied, want: fleet.Failed},
		"throttled":           {write: throttled, want: fleet.Later},
		"not to be read back": {read: denied, want: fleet.Started},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, act := range map[fleet.ChangeKind]func(*region) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result{
				fleet.UntagInstance: func(r *region) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
					return sanction.Untag(r)
				},
				fleet.StartInstance: func(r *region) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
					return sanction.Start(r)
				},
			} {
				r := stopped("i-1")
				r.write, r.read, r.done = x.write, x.read, x.done
				rs := act(r)(t.Context(), here, changes(kind, "fleetwarden:stopped=trusted-instance", "i-1"))
				if rs[0].State != x.want || (rs[0].Why == "") != (name == "done") {
					t.Errorf("%s: got %+v", kind, rs[0])
				}
			}
		})
	}
}
