package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// little is enough to see that everything can be measured.
var little = sizes{starts: 1, pairs: 20, rounds: 1, worlds: 5, fleet: 6000}

const root = "../.."

func TestEverythingCanBeMeasured(t *testing.T) {
	s, err := measure(t.Context(), root, little)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "out", "summary.json")
	if err := s.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cold_ratio", "cold_notify_ms", "cold_bare_ms", "warm_us", "rss_mib", "binary_mb", "decode_us", "decode_allocs", "decode_ratio",
		"nomatch_per_s", "decide_ns", "decide_compared", "launch_100_calls", "launch_100_floor"} {
		if n, _ := got[name].(float64); n <= 0 {
			t.Errorf("%s was not measured: %v", name, got[name])
		}
	}
	for _, name := range []string{"decode_peers", "decide_peers", "modules"} {
		if peers, _ := got[name].(map[string]any); len(peers) < 2 {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	if sw := s.Sweep; sw.Calls < sw.Floor || sw.PeakRSSMiB <= 0 || sw.LiveHeapMiB <= 0 || sw.VirtualMinutes <= 0 || sw.Passes == 0 || sw.Repaired["noRole"] != 42 {
		t.Errorf("the sweep was not measured: %+v", sw)
	}
	if v := s.Violated; v.Findings < little.fleet || v.Messages == 0 || v.PeakRSSMiB <= 0 || v.WallSeconds <= 0 {
		t.Errorf("the sweep of violations was not measured: %+v", v)
	}
	if s.LaunchCalls < s.LaunchFloor {
		t.Errorf("a launch took %d calls, less than the floor of %d: the count or the floor is wrong", s.LaunchCalls, s.LaunchFloor)
	}
}

func TestAGoalThatIsNotMetIsLoud(t *testing.T) {
	good := newSummary()
	good.DecodePeers["encoding/json"] = peer{Ratio: 0.4}
	good.NoMatchPerS = 200_000
	var table bytes.Buffer
	if missed := good.print(&table); missed != 0 || strings.Contains(table.String(), "NOT MET") {
		t.Errorf("%d goals missed:\n%s", missed, &table)
	}
	bad := *good
	bad.ColdRatio, bad.ColdNotifyMS, bad.LaunchCalls = 1.6, 1, 4
	bad.Sweep.Ratio, bad.Sweep.PeakRSSMiB, bad.Sweep.LiveHeapGrowthMiB = 1.03, 97, 3
	bad.Violated.Messages, bad.Violated.PeakRSSMiB = 11, 97
	table.Reset()
	if missed := bad.print(&table); missed != 8 || !strings.Contains(table.String(), "8 GOALS NOT MET") {
		t.Errorf("%d goals missed:\n%s", missed, &table)
	}
}

func TestAnEngineThatDecidesOtherwiseIsNoticed(t *testing.T) {
	cel, err := newCEL()
	if err != nil {
		t.Fatal(err)
	}
	sc := typicalScene()
	if err := sc.agree(map[string]engine{"CEL": cel}); err != nil {
		t.Error(err)
	}
	other := cel
	other.decide = func(facts any) (said, error) {
		got, err := cel.decide(facts)
		got["vpc"] = "violation"
		return got, err
	}
	if sc.agree(map[string]engine{"CEL": other}) == nil {
		t.Error("the difference was not noticed")
	}
}

func TestARoundThatFailsIsNotMeasured(t *testing.T) {
	fails := func() error { return errors.New("no") }
	if _, err := rate(3, fails); err == nil {
		t.Error("rate took a failure for work")
	}
	if _, _, err := beside(1, 1, func() error { return nil }, fails); err == nil {
		t.Error("beside took a failure for work")
	}
}
