package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

const root = "../.."

// The functions are built once for both.
func TestHistories(t *testing.T) {
	all, err := stack.Functions(root)
	if err != nil {
		t.Fatal(err)
	}
	bin, err := stack.Built(t.Context(), root, t.TempDir(), all...)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("fixed seeds", func(t *testing.T) { fixedSeeds(t, bin) })
	t.Run("a function is missing", func(t *testing.T) { missingFunction(t, bin) })
}

// fixedSeeds plays a few seeds, the same each time: what "make chaos" does with fresh ones.
func fixedSeeds(t *testing.T, bin string) {
	for seed := uint64(1); seed <= round; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			found, err := Play(t.Context(), Generate(seed), options{root: root, bin: bin})
			if err != nil {
				t.Error(err)
			}
			for _, f := range found {
				t.Error(f)
			}
			if t.Failed() {
				t.Logf("repeat it: make chaos SEED=%d", seed)
			}
		})
	}
}

// missingFunction plays worlds in which one function is missing. Each must end badly: a check
// that nothing fails proves nothing.
func missingFunction(t *testing.T, bin string) {
	world := Generate(2).World
	world.Mode, world.Consequence, world.Grace, world.MaxChanges, world.MaxPercent = "enforce", "tag", 0, 500, 100
	world.ForeignPolicy, world.ForeignRole, world.Versioning, world.Nights = false, false, nil, 1
	launched := Step{Do: Launch, Group: "g1", Kind: "trusted", N: 2, Region: server.Home, Disk: "cloud_efficiency"}
	shared := Step{Do: Share, Group: "s1", Kind: "image", With: server.Sharee, Region: server.Home}
	for function, steps := range map[string][]Step{
		"": {launched, shared}, "attach-role": {launched}, "push-agent": {launched}, "validate-instance": {launched}, "sweep": {launched}, "setup-share-role": {shared},
	} {
		t.Run(cmp.Or(function, "none"), func(t *testing.T) {
			t.Parallel()
			o := options{root: root, bin: bin}
			if function != "" {
				o.without = []string{function}
			}
			found, err := Play(t.Context(), History{Seed: 2, World: world, Steps: steps}, o)
			if err != nil || (len(found) > 0) != (function != "") {
				t.Errorf("without %q: %v, %q", function, err, found)
			}
		})
	}
}

func TestASeedIsAlwaysTheSameHistory(t *testing.T) {
	for seed := range uint64(200) {
		h := Generate(seed)
		if !reflect.DeepEqual(h, Generate(seed)) {
			t.Fatalf("seed %d makes two histories", seed)
		}
		text, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var back History
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(h, back) {
			t.Fatalf("seed %d is not read back from its file (%v):\n%s", seed, err, text)
		}
	}
}

// Each kind of step has to come in some history, or it proves nothing.
func TestHistoriesHaveEachKindOfStep(t *testing.T) {
	seen := map[Do]int{}
	for seed := range uint64(2000) {
		for _, s := range Generate(seed).Steps {
			seen[s.Do]++
		}
	}
	for _, do := range []Do{Launch, Seed, Stop, Start, Release, Detach, Attach, Strip, Agent, Share, Unshare, Ask, Pass, Night, Beside, Faults, Kill, Long, Forge, Plan, Draft, Apply, DryRun, Redrive, Race, Garbage, Claim, Tokens, Dry, Narrow, Again, Undo, Jump} {
		if seen[do] == 0 {
			t.Errorf("no history of 2000 has a step %s", do)
		}
	}
}

func TestShrinkingKeepsWhatMattersAlone(t *testing.T) {
	h := Generate(7)
	h.Steps = nil
	for n := range 23 {
		h.Steps = append(h.Steps, Step{Do: Pass, N: n})
	}
	played := 0
	got := Shrink(h, func(h History) bool {
		played++
		has := func(n int) bool { return slices.ContainsFunc(h.Steps, func(s Step) bool { return s.N == n }) }
		return has(4) && has(17)
	})
	if len(got.Steps) != 2 || got.Steps[0].N != 4 || got.Steps[1].N != 17 {
		t.Errorf("shortened to %v", got.Steps)
	}
	if played > 150 {
		t.Errorf("%d histories were played to shorten one of 23 steps", played)
	}
}

// A patch that does not apply any more proves nothing.
func TestPlantedBugsAreOfTheProductAsItIs(t *testing.T) {
	all, err := ReadPlanted("planted")
	if err != nil {
		t.Fatal(err)
	}
	garden := t.TempDir()
	if err := copyTree(t.Context(), root, garden); err != nil {
		t.Fatal(err)
	}
	areas := map[string]int{}
	for _, p := range all {
		area, _, _ := strings.Cut(p.Name, "-")
		areas[area]++
		path, err := filepath.Abs(p.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := command(t.Context(), garden, "git", "apply", "-C1", "--check", path); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		text, err := os.ReadFile(p.path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if file, ok := strings.CutPrefix(line, "+++ b/"); ok && !strings.HasPrefix(file, "shared/") && !strings.HasPrefix(file, "events/") && !strings.HasPrefix(file, "functions/") {
				t.Errorf("%s changes %s, which is no part of the product", p.Name, strings.TrimSpace(file))
			}
		}
	}
	if len(all) < 20 {
		t.Errorf("%d planted bugs, want at least 20", len(all))
	}
	for _, area := range []string{"events", "queue", "decide", "gate", "act", "ledger", "sweep", "undo"} {
		if areas[area] < 2 {
			t.Errorf("%d planted bugs of %s, want at least 2", areas[area], area)
		}
	}
}

func TestAHuntIsAboutTheFunctionsThatLinkThePatch(t *testing.T) {
	for patch, want := range map[string][]string{
		"act-late-rollback":    {"backfill", "attach-role"},
		"act-one-click-twice":  {"push-agent"},
		"ledger-calendar-hour": nil,
		"sweep-notice-lost":    {"backfill", "sweep"},
	} {
		a, err := touched(t.Context(), root, filepath.Join("planted", patch+".patch"))
		var got []string
		for n, f := range actors {
			if a&(1<<n) != 0 {
				got = append(got, f)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", patch, got, err, want)
		}
	}
	about := about(1<<1 | 1<<0)
	for seed := range uint64(100) {
		for _, x := range (&generator{h: History{Seed: about.with(seed)}}).exercises() {
			if got := x.function; seed%round > 3 && got != actors[0] && got != actors[1] {
				t.Errorf("seed %d is about %s", seed, got)
			}
		}
	}
}

// README: a grace starts at the first sweep that finds the violation; what ends within half an
// hour of a sweep does not wait for the next one.
func TestAGraceBeginsWhenASweepSawTheViolation(t *testing.T) {
	night := time.Date(2026, 1, 6, 19, 30, 0, 0, time.UTC)
	p := &player{h: History{World: World{Grace: Duration(day)}}}
	i := &instance{id: "i-1", spans: []span{{rule: "system-disk", from: night.Add(-day)}}}
	for late, want := range map[time.Duration]string{0: "system-disk", 29 * time.Minute: "system-disk", 32 * time.Minute: "", -day: "system-disk"} {
		said := findings{last: night.Add(day), violations: map[string][]time.Time{"i-1 system-disk": {night.Add(late)}}}
		if got := p.due(i, said); got != want {
			t.Errorf("seen %s after the sweep began: %q is due, want %q", late, got, want)
		}
	}
}
