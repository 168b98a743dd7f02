package scenario_test

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// Most stories are scripts. Those that are run again for each call, each action or
// each moment are Go, with the steps below.

const systrust = "AliyunECSInstanceForYundunSysTrustRole"

// play opens a stage as a script's "cloud" does.
func play(t *testing.T, o stage.Options) *stage.Stage {
	t.Helper()
	o.Root, o.BinDir, o.LogDir = cmp.Or(o.Root, root), os.Getenv("SCENARIO_BIN"), t.TempDir()
	if o.Policy != "" {
		o.Policy = document(o.Policy)
	}
	s, err := stage.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, d := range departures(s) {
			t.Error(d)
		}
		_ = s.Close() // the story has ended
	})
	return s
}

// alone leaves one function of those that events and timers wake, where a story is run for
// each of its calls. Other stories show the functions side by side.
func alone(function string, o stage.Options) stage.Options {
	o.Without = slices.DeleteFunc(slices.Clone(woken), func(f string) bool { return f == function })
	return o
}

// departures are the parameters of the functions' calls that are not as published. Each story
// checks them. The stage may be nil.
func departures(s *stage.Stage) []string {
	if s == nil {
		return nil
	}
	all, _ := s.Departures()
	return slices.DeleteFunc(all, func(d string) bool { return !strings.HasPrefix(d, "fleetwarden-") })
}

// document is the path of a file that scripts use too.
func document(name string) string { return filepath.Join("testdata", "documents", name) }

// standing puts a role for instances into the world.
func standing(t *testing.T, s *stage.Stage, role, policy string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(document(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	err := s.Server.RAM.AddRole(server.Sharer, role, read("ecs-trust.json"), map[string]string{role + "-policy": read(policy)})
	if err != nil {
		t.Fatal(err)
	}
}

// old is an instance that was not launched in this story, with that role; "-" for
// none. A single event wakes attach-role, once: whatever goes wrong then has to be put
// right by what attach-role itself, or the platform, has stored.
func old(t *testing.T, s *stage.Stage, role string) string {
	t.Helper()
	fleet, err := s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	running(s, fleet.IDs[0])
	return fleet.IDs[0]
}

// lacking are fleets without Security Center's agent, old enough for nothing to be on its
// way to them. One event for each instance wakes push-agent.
func lacking(t *testing.T, s *stage.Stage, specs ...ecs.FleetSpec) [][]string {
	t.Helper()
	var fleets [][]string
	for _, f := range specs {
		f.Agent = cmp.Or(f.Agent, "uninstalled")
		fleet, err := s.Server.ECS.SeedFleet(f)
		if err != nil {
			t.Fatal(err)
		}
		fleets = append(fleets, fleet.IDs)
	}
	ctx, stop := soon()
	defer stop()
	if err := s.Advance(ctx, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Concat(fleets...) {
		running(s, id)
	}
	return fleets
}

// running says, as ECS does, that an instance is Running now.
func running(s *stage.Stage, id string) {
	s.Server.World.Publish(simcloud.Event{
		Account: server.Sharer, Region: server.Home, Source: "acs.ecs", Type: "ecs:Instance:StateChange",
		Data: []byte(`{"resourceId": "` + id + `", "resourceType": "ALIYUN::ECS::Instance", "state": "Running"}`),
	})
}

func settle(t *testing.T, s *stage.Stage) {
	t.Helper()
	ctx, stop := soon()
	defer stop()
	if err := s.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

// wantRole checks that an instance has the systrust role, and that the role is fit.
func wantRole(t *testing.T, s *stage.Stage, id string) {
	t.Helper()
	roles, err := s.Roles(context.Background(), server.Home, id)
	if err != nil {
		t.Fatal(err)
	}
	if roles[id] != systrust {
		t.Errorf("instance %s has the role %q; records:\n%s", id, roles[id], records(t, s))
	}
	answer, err := s.Call(context.Background(), stage.Operator, "2015-05-01", "ListPoliciesForRole", map[string]string{"RoleName": systrust})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := answer["Policies"].(map[string]any)["Policy"].([]any)
	if len(list) != 1 {
		t.Errorf("the systrust role has %d policies, want 1; records:\n%s", len(list), records(t, s))
	}
}

func records(t *testing.T, s *stage.Stage) string {
	t.Helper()
	all, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	return showAll(all)
}

// deadLetters is how many events no function could use.
func deadLetters(s *stage.Stage) int { return s.Server.MNS.Visible(deadLetterQueue) }
