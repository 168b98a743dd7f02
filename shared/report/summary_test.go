package report_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func summary() report.Summary {
	return report.Summary{Run: "r", Started: noon.Add(-time.Hour), Ended: noon, Policy: "sha256:00", Shards: []report.Shard{
		{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Seen: 3,
			Counts:  []report.Count{{Control: "agent", Rule: "agent-online", Outcome: fleet.Violation, Severity: fleet.High, N: 2}},
			Changes: []report.ChangeCount{{Control: "agent", Kind: fleet.PushAgent, State: fleet.Held, N: 2}},
			Held:    []report.Held{{Control: "agent", Why: "maxChanges", N: 2}},
			Calls:   map[string]map[string]int{"ecs:DescribeInstances": {"ok": 1}}},
		{Scope: fleet.Scope{Account: "2"}, Fault: "no session"}},
		Exemptions: []report.Exemption{{Control: "agent", Owner: "o", Reason: "r", Expires: noon, Uses: 1}}}
}

func TestASummaryIsReadAsItWasWritten(t *testing.T) {
	want := summary()
	want.Shards[0].Compared = true
	want.Shards[0].Moves = []report.Move{{Control: "agent", Rule: "agent-online", Fixed: 3}, {Control: "agent", Rule: "agent-online", Severity: fleet.High, New: 1, Still: 1}}
	data, err := report.EncodeSummary(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := report.DecodeSummary(data)
	if err != nil {
		t.Fatal(err)
	}
	want.V = report.SummaryVersion
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheBytesOfVersionOneStayReadable(t *testing.T) {
	const old = `{"v":1,"run":"r","started":"2026-11-20T11:00:00Z","ended":"2026-11-20T12:00:00Z","policy":"sha256:00","dryRun":true,` +
		`"shards":[{"scope":{"account":"1","region":"cn-hangzhou"},"seen":3,"counts":[{"control":"agent","rule":"agent-online",` +
		`"outcome":"violation","severity":"high","n":2}],"changes":[{"control":"agent","kind":"push-agent","state":"held","n":2}],` +
		`"held":[{"control":"agent","why":"maxChanges","n":2}],"calls":{"ecs:DescribeInstances":{"ok":1}}},` +
		`{"scope":{"account":"2"},"seen":0,"fault":"no session"}],"exemptions":[{"control":"agent","owner":"o","reason":"r",` +
		`"expires":"2026-11-20T12:00:00Z","uses":1}],"somethingNew":{"a":1}}`
	want := summary()
	want.V, want.DryRun = 1, true
	got, err := report.DecodeSummary([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnInvalidSummaryIsAnErrorWithTheReason(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"a later version":  {`{"v":2,"shards":"another shape"}`, "its version is 2, and versions 1 to 1 are known"},
		"no version":       {`{"run":"r"}`, "its version is 0"},
		"an early version": {`{"v":-1}`, "its version is -1"},
		"no JSON":          {`<html>`, "invalid character"},
		"nothing":          {``, "unexpected end"},
		"another shape":    {`{"v":1,"shards":3}`, "decoding a summary"},
		"less than nothing seen": {`{"v":1,"shards":[{"scope":{"account":"1","region":"cn-x"},"seen":-1}]}`,
			"shard 1/cn-x: seen: not a count"},
		"less than nothing counted": {`{"v":1,"shards":[{"scope":{"account":"1"},"counts":[{"n":1},{"n":-1}]}]}`, "shard 1: counts[1]: not a count"},
		"more than can be":          {`{"v":1,"shards":[{"scope":{"account":"1"},"counts":[{"n":9000000000000000000}]}]}`, "counts[0]: not a count"},
		"less than nothing changed": {`{"v":1,"shards":[{"scope":{"account":"1"},"changes":[{"n":-1}]}]}`, "changes[0]: not a count"},
		"less than nothing fixed":   {`{"v":1,"shards":[{"scope":{"account":"1"},"moves":[{"new":1},{"fixed":-1}]}]}`, "shard 1: moves[1]: not a count"},
		"more new than can be":      {`{"v":1,"shards":[{"scope":{"account":"1"},"moves":[{"new":9000000000000000000}]}]}`, "moves[0]: not a count"},
		"less than nothing held":    {`{"v":1,"shards":[{"scope":{"account":"1"},"held":[{"n":-1}]}]}`, "held[0]: not a count"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := report.DecodeSummary([]byte(c.data))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if diff := cmp.Diff(report.Summary{}, got); diff != "" {
				t.Errorf("a summary came with the error:\n%s", diff)
			}
		})
	}
}

func TestASummaryWithoutAnEndIsOfItsStart(t *testing.T) {
	s := summary()
	if !s.At().Equal(noon) {
		t.Errorf("got %v, want its end", s.At())
	}
	s.Ended = time.Time{}
	if !s.At().Equal(noon.Add(-time.Hour)) {
		t.Errorf("got %v, want its start", s.At())
	}
}

func FuzzDecodeSummary(f *testing.F) {
	good, err := report.EncodeSummary(summary())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"v":2}`))
	f.Add([]byte(`{"v":1,"shards":[{"counts":[{"outcome":"new","n":1}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := report.DecodeSummary(data)
		if err != nil {
			return
		}
		if share, ok := s.Posture().Share(); ok && (share < 0 || share > 1) {
			t.Errorf("a share of %v", share)
		}
		again, err := report.EncodeSummary(s)
		if err != nil {
			return // a time that JSON cannot hold
		}
		back, err := report.DecodeSummary(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(s, back, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}

func TestSumsDoNotDependOnTheOrderOfShards(t *testing.T) {
	s := summary()
	s.Shards = append(s.Shards, s.Shards[0])
	s.Shards[2].Scope.Region = "cn-shanghai"
	mixed := s
	mixed.Shards = append([]report.Shard(nil), s.Shards...)
	rand.Shuffle(len(mixed.Shards), func(i, j int) { mixed.Shards[i], mixed.Shards[j] = mixed.Shards[j], mixed.Shards[i] })
	for _, sums := range []func(report.Summary) any{
		func(s report.Summary) any { return s.Controls() },
		func(s report.Summary) any { return s.Rules() },
		func(s report.Summary) any { return s.Scopes() },
		func(s report.Summary) any { return s.Severities() },
		func(s report.Summary) any { return s.Changes() },
		func(s report.Summary) any { return s.Held() },
		func(s report.Summary) any { return s.Calls() },
	} {
		a, _ := json.Marshal(sums(s))
		b, _ := json.Marshal(sums(mixed))
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Error(diff)
		}
	}
}
