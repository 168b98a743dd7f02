package observe_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

// region is the disks of a region. Its fields bend what it answers.
type region struct {
	disks     []fleet.SystemDisk
	instances int  // more than those with a disk
	blind     bool // to the filter by category
	after     func(calls int)
	fails     map[string]error
	calls     []string
}

// with returns a region with n disks of each category, ids such as cloud_essd-0.
func with(n map[string]int) *region {
	r := &region{fails: map[string]error{}}
	for category, n := range n {
		for i := range n {
			r.disks = append(r.disks, fleet.SystemDisk{Instance: category + "-" + strconv.Itoa(i), Category: category})
		}
	}
	return r
}

func (r *region) call(name string) error {
	r.calls = append(r.calls, name)
	if r.after != nil {
		r.after(len(r.calls))
	}
	return r.fails[name]
}

func (r *region) of(category string) (some []fleet.SystemDisk) {
	for _, d := range r.disks {
		if category == "" || d.Category == category || r.blind {
			some = append(some, d)
		}
	}
	return some
}

func (r *region) SystemDiskPage(_ context.Context, _ fleet.Region, category, token string) ([]fleet.SystemDisk, string, error) {
	all := r.of(category)
	at := 0
	if token != "" {
		at, _ = strconv.Atoi(token)
	}
	if len(all) > at+500 {
		return all[at : at+500], strconv.Itoa(at + 500), r.call("page " + category)
	}
	return all[min(at, len(all)):], "", r.call("page " + category)
}

func (r *region) CountSystemDisks(_ context.Context, _ fleet.Region, category string) (int, error) {
	return len(r.of(category)), r.call("count " + category)
}

func (r *region) CountLooseSystemDisks(context.Context, fleet.Region) (int, error) {
	n := 0
	for _, d := range r.disks {
		if d.Instance == "" {
			n++
		}
	}
	return n, r.call("loose")
}

func (r *region) CountInstances(context.Context, fleet.Region) (int, error) {
	n := r.instances
	for _, d := range r.disks {
		if d.Instance != "" {
			n++
		}
	}
	return n, r.call("instances")
}

func survey(r *region, accepted ...string) *observe.Survey {
	return new(observe.Memory).Survey(r, accepted, func() time.Time { return noon.Add(30 * time.Second) })
}

// of asks for an instance that was launched before the survey.
func of(t *testing.T, s *observe.Survey, id string) fleet.Fact[string] {
	t.Helper()
	f, err := s.SystemDisk(t.Context(), old(id))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func old(id string) *fleet.Instance {
	return &fleet.Instance{Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}, Listed: fleet.See(fleet.Listing{Created: noon.Add(-time.Minute)})}
}

// unknown checks that a fact is unknown, and why.
func unknown(t *testing.T, f fleet.Fact[string], why string) {
	t.Helper()
	if f.Known() || !strings.Contains(f.Why, why) {
		t.Errorf("got %+v, want that it is unknown: %s", f, why)
	}
}
