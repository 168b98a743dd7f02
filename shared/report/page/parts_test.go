package page_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// judged is a sweep of one account in one region with one control.
func judged(pass, fail, open int) report.Summary {
	return report.Summary{Run: "r", Started: now, Ended: now, Shards: []report.Shard{{Scope: fleet.Scope{Account: "1", Region: "cn-x"},
		Counts: []report.Count{{Control: "agent", Outcome: fleet.Passes, N: pass}, {Control: "agent", Outcome: fleet.Violation, Severity: fleet.High, N: fail},
			{Control: "agent", Outcome: fleet.Fault, N: open}}}}}
}

// part is what lies between two marks of a page.
func part(t *testing.T, page, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, from)
	got, _, ends := strings.Cut(rest, to)
	if !ok || !ends {
		t.Fatalf("the page has no part from %q to %q", from, to)
	}
	return got
}

func TestABarShowsEvenTheSmallestPart(t *testing.T) {
	bar := regexp.MustCompile(`d="M (\d+) \d+\s+L (\d+) [^"]*"\s+style="[^"]*fill:var\(--(pass|fail|open|line)\)`)
	for _, c := range []struct {
		name string
		s    report.Summary
		want map[string]int
	}{
		{"all pass", judged(7, 0, 0), map[string]int{"pass": 620}},
		{"halves", judged(50, 50, 0), map[string]int{"pass": 310, "fail": 310}},
		{"one of a million", judged(999_998, 1, 1), map[string]int{"pass": 614, "fail": 3, "open": 3}},
		{"one passes of a million", judged(1, 999_999, 0), map[string]int{"pass": 3, "fail": 617}},
		{"nothing judged", judged(0, 0, 0), map[string]int{"line": 620}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wide := part(t, part(t, render(t, c.s, nil, some(0)), `id="controls"`, "</figure>"), `class="wide"`, "</svg>")
			got := map[string]int{}
			for _, m := range bar.FindAllStringSubmatch(wide, -1) {
				from, _ := strconv.Atoi(m[1])
				to, _ := strconv.Atoi(m[2])
				got[m[3]] += to - from
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, wide)
			}
		})
	}
}

func TestAControlSaysHowItMovedSinceThePreviousSweep(t *testing.T) {
	for _, c := range []struct {
		name        string
		before, now report.Summary
		want        string
	}{
		{"better", judged(50, 50, 0), judged(75, 25, 0), "▲ 25 points"},
		{"worse", judged(1000, 0, 0), judged(996, 4, 0), "▼ 0.4 points"},
		{"unknown is worse", judged(10, 0, 0), judged(5, 0, 5), "▼ 50 points"},
		{"the same", judged(3, 1, 0), judged(75, 25, 0), "unchanged"},
		{"hardly", judged(100_000, 0, 0), judged(99_999, 1, 0), "± under 0.1 points"},
		{"not judged before", judged(0, 0, 0), judged(1, 0, 0), "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.before.Run, c.before.Ended = "before", now.Add(-time.Hour)
			row := part(t, render(t, c.now, []report.Summary{c.before}, some(0)), `<th scope="row">agent</th>`, "</tr>")
			if !strings.HasSuffix(row, "<td>"+c.want+"</td>") {
				t.Errorf("got %s, want %s", row, c.want)
			}
		})
	}
}

func TestACellOfTheMapHasATextToo(t *testing.T) {
	for _, c := range []struct {
		name string
		s    report.Summary
		want string
	}{
		{"all pass", judged(5, 0, 0), `<td class="good"><b>100 %</b><small></small></td>`},
		{"nearly all", judged(95, 5, 0), `<td class="fair"><b>95 %</b><small>5 failing</small></td>`},
		{"most", judged(80, 20, 0), `<td class="poor"><b>80 %</b><small>20 failing</small></td>`},
		{"less", judged(799, 201, 0), `<td class="bad"><b>79.9 %</b><small>201 failing</small></td>`},
		{"undecided", judged(97, 0, 3), `<td class="fair"><b>97 %</b><small>3 undecided</small></td>`},
		{"not judged", judged(0, 0, 0), `<td class="none"><b>–</b><small>nothing judged</small></td>`},
		{"all pass and not read to the end", unread(judged(5, 0, 0)), `<td class="unread"><b>100 %</b><small>not read to its end</small></td>`},
		{"not read at all", unread(judged(0, 0, 0)), `<td class="unread"><b>unread</b><small></small></td>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := part(t, render(t, c.s, nil, some(0)), `<th scope="row"><code>1</code></th>`, "</tr>")
			if !strings.HasSuffix(row, c.want) {
				t.Errorf("got %s, want %s", row, c.want)
			}
		})
	}
}

func unread(s report.Summary) report.Summary {
	s.Shards[0].Fault = "may not list"
	return s
}

func TestTheMapShowsTheWorstAccountsAndCountsTheRest(t *testing.T) {
	var s report.Summary
	for i := range 130 {
		shard := judged(1000-i, i, 0).Shards[0]
		shard.Scope.Account = fleet.AccountID(fmt.Sprintf("%03d", i))
		s.Shards = append(s.Shards, shard)
	}
	s.Shards[7].Fault = "may not list"
	table := part(t, render(t, s, nil, some(0)), `<table class="heat">`, "</section>")
	var got []string
	for _, m := range regexp.MustCompile(`<code>(\d+)</code>`).FindAllStringSubmatch(table, -1) {
		got = append(got, m[1])
	}
	if len(got) != 100 || got[0] != "007" || got[1] != "129" || got[99] != "031" || !strings.Contains(table, "30 more accounts are left out here") {
		t.Errorf("got %d accounts %v, want the unread one, then 129 to 031, and a line about the other 30", len(got), got)
	}
}

func TestAGapInTheHistoryIsReported(t *testing.T) {
	before := unread(judged(5, 5, 0))
	before.Run, before.Ended = "before", now.Add(-time.Hour)
	const note = "Some sweeps did not read all shards"
	if !strings.Contains(render(t, judged(5, 0, 0), []report.Summary{before}, some(0)), note) {
		t.Error("the trend does not say that a sweep was partial")
	}
	before.Shards[0].Fault = ""
	if strings.Contains(render(t, judged(5, 0, 0), []report.Summary{before}, some(0)), note) {
		t.Error("the trend says that a whole sweep was partial")
	}
}

func TestHeldChangesNameTheLimitAndTheScopes(t *testing.T) {
	s := judged(1, 0, 0)
	for i := range 8 {
		s.Shards = append(s.Shards, report.Shard{Scope: fleet.Scope{Account: "2", Region: fleet.Region(fmt.Sprint("cn-", i))},
			Held: []report.Held{{Control: "agent", Why: "more than maxChanges", N: 200}}})
	}
	held := part(t, render(t, s, nil, some(0)), "<h3>Held by a limit: 1,600</h3>", "</ul>")
	for _, want := range []string{"agent: more than maxChanges", "2 cn-0", "2 cn-5 and others; 8 in all"} {
		if !strings.Contains(held, want) {
			t.Errorf("%q is missing in %s", want, held)
		}
	}
}
