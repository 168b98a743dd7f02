package main

import (
	"context"
	"encoding/json"
	"fmt"
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
func swept(ctx context.Context, s *scene) (string, error) {
	var err error
	s.old.fleet, err = s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: fleetSize, InstanceType: trustedType,
		Drift: map[string]float64{"noRole": 0.01, "badDisk": 0.005, "imdsOpen": 0.002}})
	if err != nil {
		return "", err
	}
	timer := []byte(`{"triggerTime":"2026-01-05T19:30:00Z","triggerName":"every-night","payload":""}`)
	if _, err := s.Stack.Invoke(ctx, server.Home, "sweep", timer); err != nil {
		return "", err
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	role, err := s.roles(ctx, s.old.fleet.Drifted["noRole"])
	if err != nil {
		return "", err
	}
	disks := 0
	records, err := s.Records()
	for _, r := range records {
		if r.Match(map[string]string{"function": "sweep", "rule": "system-disk", "outcome": "violation"}) && slices.Contains(s.old.fleet.Drifted["badDisk"], r["id"]) {
			disks++
		}
	}
	return fmt.Sprintf("%d without a role now have %s; system-disk: %d violations", len(s.old.fleet.Drifted["noRole"]), role, disks), err
}

// sweptAgain lets a day pass, in which the timer goes off by itself.
func sweptAgain(ctx context.Context, s *scene) (string, error) {
	attached := map[string]string{"function": "attach-role", "type": "change", "state": "done"}
	before, err := s.count(attached)
	if err != nil {
		return "", err
	}
	if err := s.Advance(ctx, 24*time.Hour); err != nil {
		return "", err
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	after, err := s.count(attached)
	if err != nil {
		return "", err
	}
	reports := 0
	for _, key := range s.Server.OSS.Keys(stack.Bucket, "ledger/reports/") {
		if path.Base(key) == "summary.json" {
			reports++
		}
	}
	return fmt.Sprintf("%d reports; %d roles attached", reports, after-before), nil
}

// count counts the records that have all these members.
func (s *scene) count(want map[string]string) (int, error) {
	records, err := s.Records()
	n := 0
	for _, r := range records {
		if r.Match(want) {
			n++
		}
	}
	return n, err
}

// reported takes the report of the last sweep out of the bucket.
func reported(_ context.Context, s *scene) (string, error) {
	keys := s.Server.OSS.Keys(stack.Bucket, "ledger/reports/")
	if len(keys) == 0 {
		return "no report", nil
	}
	last := path.Dir(keys[len(keys)-1]) // runs sort by time
	var seen []string
	for _, key := range keys {
		if path.Dir(key) != last {
			continue
		}
		base := path.Base(key)
		if err := os.WriteFile(filepath.Join(s.out, base), s.Server.OSS.Object(stack.Bucket, key), 0o644); err != nil {
			return "", fmt.Errorf("writing the report: %w", err)
		}
		seen = append(seen, base)
	}
	slices.Sort(seen)
	return strings.Join(seen, ", "), nil
}

// planned detaches the role from instances by hand, and has the operator plan.
func planned(ctx context.Context, s *scene) (string, error) {
	for _, id := range s.old.fleet.IDs[:25] {
		_, err := s.Call(ctx, stage.Operator, "2014-05-26", "DetachInstanceRamRole", map[string]string{
			"RegionId": server.Home, "InstanceIds": `["` + id + `"]`, "RamRoleName": systrust,
		})
		if err != nil {
			return "", err
		}
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	out, err := s.backfill(ctx, "plan", "--control", "instance-role", "--region", server.Home, "--account", server.Sharer, "--json")
	if err != nil {
		return "", err
	}
	var p struct {
		ID    string `json:"id"`
		Items []struct {
			ID      string `json:"id"`
			Changes []struct {
				Kind string `json:"kind"`
			} `json:"changes"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		return "", fmt.Errorf("reading the plan: %w", err)
	}
	s.old.plan = p.ID
	kinds := map[string]int{}
	for _, item := range p.Items {
		for _, c := range item.Changes {
			kinds[c.Kind]++
		}
	}
	return fmt.Sprintf("planned: %v", kinds), nil
}

// applied applies the plan and undoes it, and compares the worlds before and after.
func applied(ctx context.Context, s *scene) (string, error) {
	before, err := s.Digest()
	if err != nil {
		return "", err
	}
	out, err := s.backfill(ctx, "apply", "--plan", s.old.plan)
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(out, "\nrun ")
	run, _, _ := strings.Cut(after, "\n")
	role, err := s.roles(ctx, s.old.fleet.IDs[:25])
	if err != nil {
		return "", err
	}
	if _, err := s.backfill(ctx, "undo", "--run", run, "--apply"); err != nil {
		return "", err
	}
	undone, err := s.roles(ctx, s.old.fleet.IDs[:25])
	if err != nil {
		return "", err
	}
	now, err := s.Digest()
	return fmt.Sprintf("after the apply: %s; after the undo: %s; the world is as before: %t", role, undone, before == now), err
}

// backfill runs as the operator types it, while the cloud's time passes.
func (s *scene) backfill(ctx context.Context, args ...string) (string, error) {
	following, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Server.World.Clock.Follow(following, 60)
	}()
	defer func() { stop(); <-done }()
	return s.terminal(ctx, "backfill", args...)
}
