package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"text/tabwriter"
)

// summary is what was measured, as summary.json has it. Times are medians.
type summary struct {
	Go      string            `json:"go"`
	Cores   int               `json:"cores"`
	Modules map[string]string `json:"modules"` // the peers' versions

	ColdMS      float64 `json:"cold_ms"`
	ColdEmptyMS float64 `json:"cold_empty_ms"`
	ColdRatio   float64 `json:"cold_ratio"`

	ColdNotifyMS float64 `json:"cold_notify_ms"` // of the function notify, beside the same
	ColdBareMS   float64 `json:"cold_bare_ms"`   // of a handler that calls no SDK

	WarmUS      float64 `json:"warm_us"`
	WarmEmptyUS float64 `json:"warm_empty_us"`
	WarmDiffUS  float64 `json:"warm_diff_us"` // the median of the pairs' differences

	RSSMiB      float64 `json:"rss_mib"` // after the warm pairs
	PeakMiB     float64 `json:"rss_peak_mib"`
	RSSEmptyMiB float64 `json:"rss_empty_mib"`
	BinaryMB    float64 `json:"binary_mb"`
	EmptyMB     float64 `json:"binary_empty_mb"`

	DecodeBytes  int             `json:"decode_bytes"`
	DecodeUS     float64         `json:"decode_us"`
	DecodeAllocs float64         `json:"decode_allocs"`
	DecodeRatio  float64         `json:"decode_ratio"` // of encoding/json
	DecodePeers  map[string]peer `json:"decode_peers"`

	NoMatchPerS float64 `json:"nomatch_per_s"`

	DecideNS       float64               `json:"decide_ns"` // both controls, an instance
	DecidePeers    map[string]decidePeer `json:"decide_peers"`
	DecideCompared int                   `json:"decide_compared"` // random instances on which all agreed

	LaunchCalls        int `json:"launch_100_calls"`
	LaunchFloor        int `json:"launch_100_floor"`
	LaunchSettledCalls int `json:"launch_100_settled_calls"` // with the looks at what the launch set off later

	Sweep    sweepSummary `json:"sweep"`
	Violated violated     `json:"sweep_of_violations"`
}

type decidePeer struct {
	NS float64 `json:"ns"`
	// Ratio is our time over theirs.
	Ratio float64 `json:"ratio"`
}

func newSummary() *summary {
	s := &summary{Go: runtime.Version(), Cores: runtime.GOMAXPROCS(0), Modules: map[string]string{},
		DecodePeers: map[string]peer{}, DecidePeers: map[string]decidePeer{}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			switch m.Path {
			case "github.com/open-policy-agent/opa", "github.com/google/cel-go", "github.com/cloudevents/sdk-go/v2", "github.com/aliyun/fc-runtime-go-sdk":
				s.Modules[m.Path] = m.Version
			}
		}
	}
	return s
}

func (s *summary) write(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// row is one line of the table.
type row struct {
	what, ours, beside, ratio, goal string
	met                             bool
}

func (s *summary) rows() []row {
	js, ce := s.DecodePeers["encoding/json"], s.DecodePeers["cloudevents sdk"]
	opa, cel := s.DecidePeers["opa"], s.DecidePeers["cel"]
	return []row{
		{"cold start, policy loaded", f("%.1f ms", s.ColdMS), f("%.1f ms, empty handler with the same SDKs", s.ColdEmptyMS), f("%.2f", s.ColdRatio), "≤ 1.25 ×", s.ColdRatio <= 1.25},
		{"the same, of notify", f("%.1f ms", s.ColdNotifyMS), f("%.1f ms, the same", s.ColdEmptyMS), f("%.2f", s.ColdNotifyMS/s.ColdEmptyMS), "≤ 1.25 ×", s.ColdNotifyMS <= 1.25*s.ColdEmptyMS},
		{"the same, beside the least", f("%.1f ms", s.ColdMS), f("%.1f ms, empty handler whose SDKs the linker leaves out", s.ColdBareMS), f("%.2f", s.ColdMS/s.ColdBareMS), "", true},
		{"warm, event not for us", f("%.0f µs", s.WarmUS), f("%.0f µs, empty handler", s.WarmEmptyUS), f("%+.0f µs", s.WarmDiffUS), "≤ +60 µs", s.WarmDiffUS <= 60},
		{"memory after that", f("%.1f MiB, peak %.1f", s.RSSMiB, s.PeakMiB), f("%.1f MiB, empty handler", s.RSSEmptyMiB), f("%.2f", s.RSSMiB/s.RSSEmptyMiB), "", true},
		{"binary", f("%.1f MB", s.BinaryMB), f("%.1f MB, empty handler", s.EmptyMB), f("%.2f", s.BinaryMB/s.EmptyMB), "", true},
		{f("decode a launch of %d bytes", s.DecodeBytes), f("%.1f µs", s.DecodeUS), f("%.1f µs, encoding/json", js.US), f("%.2f", js.Ratio), "≤ 0.45 ×", js.Ratio <= 0.45},
		{"", f("%.1f µs", s.DecodeUS), f("%.1f µs, CloudEvents SDK", ce.US), f("%.2f", ce.Ratio), "≤ 10 µs", s.DecodeUS <= 10},
		{"its allocations", f("%.0f", s.DecodeAllocs), f("%.0f and %.0f", js.Allocs, ce.Allocs), "", "≤ 12", s.DecodeAllocs <= 12},
		{"bytes to verdict, no match", f("%.0f /s", s.NoMatchPerS), f("%d /s, Karpenter (measured before)", karpenter), f("%.1f", s.NoMatchPerS/karpenter), "≥ 150,000 /s", s.NoMatchPerS >= 150_000},
		{"decide, both controls, an instance", f("%.0f ns", s.DecideNS), f("%.0f ns, OPA", opa.NS), f("%.4f", opa.Ratio), "", true},
		{f("  the same verdicts on %d", s.DecideCompared), f("%.0f ns", s.DecideNS), f("%.0f ns, CEL", cel.NS), f("%.4f", cel.Ratio), "", true},
		{"calls from a launch of 100 to the role", f("%d", s.LaunchCalls), f("%d, the floor", s.LaunchFloor), f("%+d", s.LaunchCalls-s.LaunchFloor), "≤ +3", s.LaunchCalls <= s.LaunchFloor+3},
		{f("calls of a sweep of %d, drift repaired", s.Sweep.Instances), f("%d, and %d refused", s.Sweep.Calls, s.Sweep.refused()), f("%d, the floor", s.Sweep.Floor), f("%.3f", s.Sweep.Ratio), "≤ 1.02 ×", s.Sweep.Ratio <= 1.02},
		{"  its peak memory, GOMEMLIMIT=80MiB", f("%.1f MiB", s.Sweep.PeakRSSMiB), f("%.1f MiB, a tenth of the fleet", s.Sweep.Tenth.PeakRSSMiB), "", "≤ 96 MiB", s.Sweep.PeakRSSMiB <= 96},
		{"  its live heap, the most", f("%d MiB", s.Sweep.LiveHeapMiB), f("%d MiB, a tenth of the fleet", s.Sweep.Tenth.LiveHeapMiB), f("%+d MiB", s.Sweep.LiveHeapGrowthMiB), "≤ +2 MiB", s.Sweep.LiveHeapGrowthMiB <= 2},
		{"  the cloud's time to the last change", f("%.1f min", s.Sweep.VirtualMinutes), f("%d passes, %.0f s here", s.Sweep.Passes, s.Sweep.WallSeconds), "", "", true},
		{f("messages of a sweep of %d, all violating", s.Violated.Instances), f("%d", s.Violated.Messages), f("%d findings, %d passes, %.0f s here", s.Violated.Findings, s.Violated.Passes, s.Violated.WallSeconds), "", "≤ 10", s.Violated.Messages <= 10},
		{"  its peak memory, GOMEMLIMIT=80MiB", f("%.1f MiB", s.Violated.PeakRSSMiB), f("%d MiB, its live heap, the most", s.Violated.LiveHeapMiB), "", "≤ 96 MiB", s.Violated.PeakRSSMiB <= 96},
	}
}

func f(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// print writes the table and returns how many goals are not met.
func (s *summary) print(to io.Writer) (missed int) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tours\tbeside\tratio\tgoal\t")
	for _, r := range s.rows() {
		verdict := "met"
		switch {
		case r.goal == "":
			verdict = ""
		case !r.met:
			verdict = "NOT MET"
			missed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.what, r.ours, r.beside, r.ratio, r.goal, verdict)
	}
	_ = w.Flush() // as with any table, a broken pipe is the reader's wish
	if missed > 0 {
		fmt.Fprintf(to, "%d GOALS NOT MET\n", missed)
	}
	return missed
}
