package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// fleetSize is how many instances the last steps go over, beside those of the others.
const fleetSize = 2000

// old is the fleet of the last steps.
type old struct {
	fleet *ecs.Fleet
	plan  string
}

// swept seeds a fleet that was not launched, of which some drifted, and has the timer
// of the sweep go off.
func swept(ctx context.Context, s *scene) string {
	s.old.fleet = got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: fleetSize, InstanceType: trustedType,
		Drift: map[string]float64{"noRole": 0.01, "badDisk": 0.005, "imdsOpen": 0.002}}))
	timer := []byte(`{"triggerTime":"2026-01-05T19:30:00Z","triggerName":"every-night","payload":""}`)
	got(s.Stack.Invoke(ctx, server.Home, "sweep", timer))
	must(s.Settle(ctx))
	role := s.roles(ctx, s.old.fleet.Drifted["noRole"])
	disks := 0
	for _, r := range s.records(map[string]string{"function": "sweep", "rule": "system-disk", "outcome": "violation"}) {
		if slices.Contains(s.old.fleet.Drifted["badDisk"], r["id"]) {
			disks++
		}
	}
	return fmt.Sprintf("%d without a role now have %s; system-disk: %d violations", len(s.old.fleet.Drifted["noRole"]), role, disks)
}

// sweptAgain lets a day pass, in which the timer goes off by itself.
func sweptAgain(ctx context.Context, s *scene) string {
	attached := map[string]string{"function": "attach-role", "type": "change", "state": "done"}
	before := len(s.records(attached))
	must(s.Advance(ctx, 24*time.Hour))
	must(s.Settle(ctx))
	after := len(s.records(attached))
	reports := 0
	for _, key := range s.Server.OSS.Keys(stack.Bucket, "ledger/reports/") {
		if path.Base(key) == "summary.json" {
			reports++
		}
	}
	return fmt.Sprintf("%d reports; %d roles attached", reports, after-before)
}

// reported takes the report of the last sweep out of the bucket.
func reported(_ context.Context, s *scene) string {
	keys := s.Server.OSS.Keys(stack.Bucket, "ledger/reports/")
	if len(keys) == 0 {
		return "no report"
	}
	last := path.Dir(keys[len(keys)-1]) // runs sort by time
	var seen []string
	for _, key := range keys {
		if path.Dir(key) != last {
			continue
		}
		base := path.Base(key)
		must(os.WriteFile(filepath.Join(s.out, base), s.Server.OSS.Object(stack.Bucket, key), 0o644))
		seen = append(seen, base)
	}
	slices.Sort(seen)
	return strings.Join(seen, ", ")
}

// planned detaches the role from instances by hand, and has the operator plan.
func planned(ctx context.Context, s *scene) string {
	for _, id := range s.old.fleet.IDs[:25] {
		got(s.Call(ctx, stage.Operator, "2014-05-26", "DetachInstanceRamRole", map[string]string{
			"RegionId": server.Home, "InstanceIds": `["` + id + `"]`, "RamRoleName": systrust,
		}))
	}
	must(s.Settle(ctx))
	out := s.waiting(ctx, "plan", "--control", "instance-role", "--region", server.Home, "--account", server.Sharer, "--json")
	var p struct {
		ID    string `json:"id"`
		Items []struct {
			ID      string `json:"id"`
			Changes []struct {
				Kind string `json:"kind"`
			} `json:"changes"`
		} `json:"items"`
	}
	must(json.Unmarshal([]byte(out), &p))
	s.old.plan = p.ID
	kinds := map[string]int{}
	for _, item := range p.Items {
		for _, c := range item.Changes {
			kinds[c.Kind]++
		}
	}
	var planned []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		planned = append(planned, fmt.Sprint(kinds[kind], " ", kind))
	}
	return "planned: " + strings.Join(planned, ", ")
}

// applied applies the plan and undoes it, and compares the worlds before and after.
func applied(ctx context.Context, s *scene) string {
	before := got(s.Digest())
	out := s.waiting(ctx, "apply", "--plan", s.old.plan)
	_, after, _ := strings.Cut(out, "\nrun ")
	run, _, _ := strings.Cut(after, "\n")
	role := s.roles(ctx, s.old.fleet.IDs[:25])
	s.waiting(ctx, "undo", "--run", run, "--apply")
	undone := s.roles(ctx, s.old.fleet.IDs[:25])
	now := got(s.Digest())
	return fmt.Sprintf("after the apply: %s; after the undo: %s; the world is as before: %t", role, undone, before == now)
}
