package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/rampolicy"
)

// night is what a sweep over one fleet took.
type night struct {
	Instances int `json:"instances"`
	Passes    int `json:"passes"`
	Findings  int `json:"findings"` // in the report

	PeakRSSMiB float64 `json:"peak_rss_mib"`
	// LiveHeapMiB is the most that was alive after any of the collections.
	LiveHeapMiB int `json:"live_heap_mib"`
	Collections int `json:"collections"`

	WallSeconds float64 `json:"wall_seconds"` // until nothing is looked at any more
}

// swept is what a sweep and the functions that it sent drift to came to, up to the last
// change.
type swept struct {
	night
	// Calls are those to the cloud's APIs; ByAPI has them by who called. Not among them
	// are those that a quota refused, those of the owners' looks after the last change,
	// and what the store and the queues were asked.
	Calls       int            `json:"calls"`
	ByAPI       map[string]int `json:"calls_by_api"`
	Refused     map[string]int `json:"refused_by_api"`
	Later       int            `json:"calls_after_the_last_change"`
	Kept        int            `json:"store_and_queue_requests"`
	Floor       int            `json:"floor"`
	FloorByPart map[string]int `json:"floor_by_part"`
	// Repaired counts instances by what they lacked.
	Repaired map[string]int `json:"repaired"`

	VirtualMinutes float64 `json:"virtual_minutes"` // from the timer to the last change
}

// sweepSummary is a large fleet beside a tenth of it.
type sweepSummary struct {
	swept
	Ratio             float64 `json:"ratio"` // of calls to the floor
	LiveHeapGrowthMiB int     `json:"live_heap_growth_mib"`
	Tenth             swept   `json:"tenth"`
}

// sweep measures the nightly timer's sweep as s.yaml deploys it.
func (s *summary) sweep(ctx context.Context, root, bin string, n sizes) error {
	var err error
	if s.Sweep.Tenth, err = sweepFleet(ctx, root, bin, n.fleet/10); err != nil {
		return err
	}
	if s.Sweep.swept, err = sweepFleet(ctx, root, bin, n.fleet); err != nil {
		return err
	}
	s.Sweep.Ratio = float64(s.Sweep.Calls) / float64(s.Sweep.Floor)
	s.Sweep.LiveHeapGrowthMiB = s.Sweep.LiveHeapMiB - s.Sweep.Tenth.LiveHeapMiB
	return nil
}

// buildFunctions builds what s.yaml names.
func buildFunctions(ctx context.Context, root, dir string) error {
	m, err := manifest.Load(filepath.Join(root, "s.yaml"), manifest.Options{Account: server.Sharer, Env: os.LookupEnv})
	if err != nil {
		return err
	}
	return stack.Build(ctx, root, dir, slices.Collect(maps.Keys(m.Resources))...)
}

// drift is 1 % in all; three quarters of it can be repaired.
func drift() map[string]float64 {
	return map[string]float64{"noRole": 0.007, "noAgent": 0.0005, "badDisk": 0.0015, "wrongRole": 0.001}
}

// quotas are the published ones and, before them, three that are assumed, since no figure
// could be found: ECS counts by API and minute, and publishes 500 for some of its APIs
// (api-ecs-2014-05-26-quota); Security Center publishes 10 a second for one of its own,
// taken here by the minute.
func quotas() []wire.Quota {
	return append([]wire.Quota{
		{Product: "ecs", Action: "DescribeInstances", Calls: 500, Window: time.Minute},
		{Product: "ecs", Action: "DescribeInstanceRamRole", Calls: 500, Window: time.Minute},
		{Product: "sas", Action: "DescribeCloudCenterInstances", Calls: 600, Window: time.Minute},
	}, wire.PublishedQuotas()...)
}

// sweepFleet has the timer of the sweep go off in a world of its own.
func sweepFleet(ctx context.Context, root, bin string, count int) (out swept, err error) {
	st, err := openNight(ctx, root, bin, "sweep.yaml")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	seeded, err := seed(ctx, st, count, drift())
	if err != nil {
		return out, err
	}
	start := st.Server.World.Clock.Now()
	if out.night, err = sweepOnce(ctx, st, bin, count); err != nil {
		return out, err
	}
	out.Repaired = map[string]int{}
	out.floor(seeded)
	return out, errors.Join(out.count(st, start), out.repaired(ctx, st, seeded))
}

// openNight sets a stage with a policy of this folder, whose functions trace their
// collections.
func openNight(ctx context.Context, root, bin, policy string, optional ...string) (*stage.Stage, error) {
	return stage.Open(ctx, stage.Options{Root: root, BinDir: bin, Policy: filepath.Join(root, "test", "bench", policy), Optional: optional,
		Env: map[string]string{"GODEBUG": "gctrace=1"}})
}

// sweepOnce has the timer go off and waits until nothing is looked at any more.
func sweepOnce(ctx context.Context, st *stage.Stage, bin string, count int) (night, error) {
	begun := time.Now()
	result, err := st.Stack.Invoke(ctx, server.Home, "sweep", []byte(`{"triggerTime":"2026-01-05T19:30:00Z","triggerName":"every-night","payload":""}`))
	if err == nil && result.ErrorType != "" {
		err = fmt.Errorf("beginning a sweep: %s", result.Body)
	}
	if err == nil {
		err = st.Settle(ctx)
	}
	if err != nil {
		return night{}, err
	}
	out := night{Instances: count, WallSeconds: time.Since(begun).Seconds()}
	for _, i := range st.Stack.Invocations() {
		if i.Function == "sweep" {
			out.Passes++
		}
	}
	return out, errors.Join(out.reported(st), out.memory(st, bin))
}

// seed makes the roles that the fleet's instances have, and the fleet, an hour before the
// quotas begin to hold.
func seed(ctx context.Context, st *stage.Stage, count int, drift map[string]float64) (*ecs.Fleet, error) {
	for _, role := range []string{ecs.FleetRole, ecs.WrongRole} {
		if err := st.Server.RAM.AddRole(server.Sharer, role, rampolicy.ECSTrust(), map[string]string{"of-" + role: rampolicy.SysTrustPolicy()}); err != nil {
			return nil, err
		}
	}
	seeded, err := st.Server.ECS.SeedFleet(ecs.FleetSpec{Count: count, InstanceType: "ecs.g7t.large", Drift: drift})
	if err != nil {
		return nil, err
	}
	return seeded, errors.Join(st.Advance(ctx, time.Hour), st.Server.Router.SetQuotas(quotas()))
}

// refused is how many calls a quota refused.
func (s *swept) refused() (n int) {
	for _, calls := range s.Refused {
		n += calls
	}
	return n
}

// spenders are the roles of the sweep and of the owners of drift.
func spenders() []string {
	return []string{"fleetwarden-sweep", "fleetwarden-attach-role", "fleetwarden-push-agent", "fleetwarden-validate-instance"}
}

// count goes through the requests that the cloud got, of which it keeps the last 10,000
// and the exact number.
func (s *swept) count(st *stage.Stage, start time.Time) error {
	total := 0
	for _, t := range st.Server.Log.Totals() {
		total += t.Count
	}
	requests := st.Server.Log.Since(0)
	if len(requests) < total {
		return fmt.Errorf("counting calls: the last %d of %d requests are known", len(requests), total)
	}
	requests = slices.DeleteFunc(requests, func(e wire.Entry) bool { return !slices.Contains(spenders(), e.Caller) })
	last := lastChange(requests, start)
	s.VirtualMinutes = last.Sub(start).Minutes()
	s.ByAPI, s.Refused = map[string]int{}, map[string]int{}
	for _, e := range requests {
		api := e.Caller + " " + e.Product + ":" + e.Action
		switch {
		case e.Product == "mns" || e.Product == "oss":
			s.Kept++
		case e.Time.After(last):
			s.Later++
		case e.Code != "":
			s.Refused[api]++
		default:
			s.ByAPI[api]++
			s.Calls++
		}
	}
	return nil
}

// lastChange is when the last instance was changed.
func lastChange(requests []wire.Entry, last time.Time) time.Time {
	for _, e := range requests {
		if (e.Action == "AttachInstanceRamRole" || e.Action == "InvokeCommand") && e.Code == "" && e.Time.After(last) {
			last = e.Time
		}
	}
	return last
}

// floor is the least that finding and repairing takes. Each thing is read once, at its
// API's batch size, but for the disks, of which observe.Survey reads the exceptions.
func (s *swept) floor(seeded *ecs.Fleet) {
	const (
		categories = 9 // of system disks, beside the accepted one
		roles      = 2
	)
	lack, n := len(seeded.Drifted["noAgent"]), s.Instances
	disks := 1 + pages(n, 500)
	if n > 5000 {
		disks = 1 + categories - 1 + pages(len(seeded.Drifted["badDisk"]), 500) + 5
	}
	s.FloorByPart = map[string]int{
		"instances": pages(n, 100), "roles": pages(n, 50), "grants": 3 * roles, "images": 1, "agents": pages(n, 100), "kms": 1, "disks": disks,
		"attach-role": floor(len(seeded.Drifted["noRole"])),
		// Instances, agents, Cloud Assistant, recent invocations, install codes, the push.
		"push-agent": 2*pages(lack, 100) + pages(lack, 50) + 3*pages(lack, 100),
	}
	for _, n := range s.FloorByPart {
		s.Floor += n
	}
}
