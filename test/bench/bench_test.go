package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// little is enough to see that everything can be measured.
var little = sizes{starts: 1, pairs: 20, rounds: 1, worlds: 5, instances: 100}

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
	for _, name := range []string{"cold_ratio", "warm_us", "rss_mib", "binary_mb", "decode_us", "decode_allocs", "decode_ratio",
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
	if s.LaunchCalls < s.LaunchFloor {
		t.Errorf("a launch took %d calls, less than the floor of %d: the count or the floor is wrong", s.LaunchCalls, s.LaunchFloor)
	}
	var table bytes.Buffer
	s.print(&table)
	t.Logf("\n%s", &table)
}
