package ecs_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
)

func TestDriftIsExactAndDisjoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "count")
		f := ecs.FleetSpec{Count: n, Drift: map[string]float64{}}
		want, left := map[string]int{}, n
		for _, name := range ecs.Drifts() {
			k := rapid.IntRange(0, left/2).Draw(t, name)
			left -= k
			f.Drift[name] = float64(k) / float64(n)
			want[name] = k
		}
		out, err := newECS().SeedFleet(f)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for name, k := range want {
			if got := len(out.Drifted[name]); got != k {
				t.Fatalf("%d of %d instances have %s, want %d", got, n, name, k)
			}
			for _, id := range out.Drifted[name] {
				if seen[id] || !slices.Contains(out.IDs, id) {
					t.Fatalf("%s drifted twice or is no instance", id)
				}
				seen[id] = true
			}
		}
	})
}

func TestDriftIsSpreadEvenly(t *testing.T) {
	out, err := newECS().SeedFleet(ecs.FleetSpec{Count: 1000, Drift: map[string]float64{"noRole": 0.1}})
	if err != nil {
		t.Fatal(err)
	}
	for page := range slices.Chunk(out.IDs, 100) {
		n := 0
		for _, id := range page {
			if slices.Contains(out.Drifted["noRole"], id) {
				n++
			}
		}
		if n < 5 || n > 15 {
			t.Errorf("a hundred in a row hold %d drifted ones, want about 10", n)
		}
	}
}

func TestDriftShowsInTheWorld(t *testing.T) {
	s, agents := newECS(), seededAgents{}
	s.SetSecurity(agents)
	f := ecs.FleetSpec{Count: 8 * len(ecs.Drifts()), Drift: map[string]float64{}}
	for _, name := range ecs.Drifts() {
		f.Drift[name] = 1 / float64(len(ecs.Drifts()))
	}
	seed(t, s, f)
	got := map[string]int{}
	for _, i := range s.Instances() {
		_, tagged := i.Tags["acs:ecs:supportVtpm"]
		agent := agents[i.ID]
		for name, is := range map[string]bool{
			"noRole": i.Role == "", "wrongRole": i.Role == ecs.WrongRole, "badDisk": i.DiskCategory != "cloud_essd",
			"badImage": !strings.Contains(i.Image, "_uefi_"), "noVtpm": !tagged, "imdsOpen": i.HTTPTokens != "required",
			"stopped": i.Status == "Stopped", "classic": i.Network == "classic", "agentOffline": agent == "offline",
			"noAgent":     agent == "uninstalled" && i.Assistant == "running",
			"noAssistant": agent == "uninstalled" && i.Assistant == "absent",
		} {
			if is {
				got[name]++
			}
		}
	}
	for _, name := range ecs.Drifts() {
		if got[name] != 8 {
			t.Errorf("%d instances show %s, want 8", got[name], name)
		}
	}
}

func TestABadFleetIsRefused(t *testing.T) {
	for name, f := range map[string]ecs.FleetSpec{
		"unknown drift":  {Count: 1, Drift: map[string]float64{"nothing": 1}},
		"too much drift": {Count: 10, Drift: map[string]float64{"noRole": 0.6, "badDisk": 0.6}},
		"negative":       {Count: -1},
		"too many":       {Count: 1_000_001},
		"unknown type":   {Count: 1, InstanceType: "ecs.x.large"},
		"unknown image":  {Count: 1, Image: "x"},
		"unknown status": {Count: 1, Status: "Up"},
		"unknown region": {Count: 1, Region: "cn-nowhere"},
		"unknown agent":  {Count: 1, Agent: "asleep"},
		"no assistant":   {Count: 1, Assistant: "asleep"},
		"no outcome":     {Count: 1, Commands: "explodes"},
		"wrong system":   {Count: 1, OS: "windows", Image: "ubuntu_22_04_x64_20G_alibase_20230907.vhd"},
	} {
		s := newECS()
		if _, err := s.SeedFleet(f); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if n := len(s.Instances()); n != 0 {
			t.Errorf("%s: left %d instances", name, n)
		}
	}
}

func TestEventsOfAFleetComeOnRequest(t *testing.T) {
	for _, on := range []bool{true, false} {
		clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
		w := simcloud.NewWorld(clock, []string{account}, []string{region})
		var types []string
		w.Subscribe(func(e simcloud.Event) { types = append(types, e.Type) })
		seed(t, ecs.New(w, everything{}, everything{}), ecs.FleetSpec{Count: 2, Events: on, Drift: map[string]float64{"stopped": 0.5}})
		if err := clock.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		var want []string
		if on {
			want = []string{"ecs:Instance:StateChange", "ecs:CloudAssistant:FirstHeartbeat"}
		}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("events %t: %s", on, diff)
		}
	}
}

func BenchmarkSeedFleet(b *testing.B) {
	for b.Loop() {
		seed(b, newECS(), ecs.FleetSpec{Count: 10_000})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/instance")
}
