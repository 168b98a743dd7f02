package page_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
	"fleetwarden/shared/report/page"
)

func TestThePageSaysHowManyFindingsDidNotFit(t *testing.T) {
	s, earlier := full()
	for n, want := range map[int]string{100: "", 101: "1 more did not fit here", 2600: "2,500 more did not fit here"} {
		html := renderAs(t, page.Page{Findings: 100}, s, earlier, some(n))
		if rows := len(rowsOf(html)); rows != 100 {
			t.Errorf("%d findings: %d rows, want 100", n, rows)
		}
		if got := strings.Contains(html, "did not fit here"); got != (want != "") || !strings.Contains(html, want) {
			t.Errorf("%d findings: the page does not say %q", n, want)
		}
	}
}

func TestAPageIsBoundedByDefault(t *testing.T) {
	html := render(t, sweep(0, 1, "cn-x"), nil, some(page.MaxFindings+7))
	if rows := len(rowsOf(html)); rows != page.MaxFindings || !strings.Contains(html, "7 more did not fit here") {
		t.Errorf("%d rows, want %d and a line about the other 7", rows, page.MaxFindings)
	}
}

func TestTheWorstFindingsStayInAnyInputOrder(t *testing.T) {
	const size, extra = 200, 50
	small := page.Page{Findings: size}
	var all []fleet.Record
	for i := range size {
		all = append(all, finding(fmt.Sprintf("i-low-%06d", i), fleet.Violation, fleet.Low))
	}
	for i := range extra {
		all = append(all, finding(fmt.Sprintf("i-critical-%06d", i), fleet.Violation, fleet.Critical))
		all = append(all, finding(fmt.Sprintf("i-exempt-%06d", i), fleet.Exempted, fleet.Critical))
	}
	first := renderAs(t, small, sweep(0, 1, "cn-x"), nil, list(all))
	for range 3 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if again := renderAs(t, small, sweep(0, 1, "cn-x"), nil, list(all)); again != first {
			t.Fatal("the same findings in another order make another page")
		}
	}
	rows := rowsOf(first)
	for i := range extra {
		if !strings.Contains(rows[i], fmt.Sprintf("i-critical-%06d", i)) {
			t.Errorf("row %d is %s, want critical finding %d", i, rows[i], i)
		}
	}
	if strings.Contains(first, "i-exempt-") {
		t.Error("an exempt finding took the place of a violation")
	}
	if !strings.Contains(first, "100 more did not fit") {
		t.Error("the page does not count what it left out")
	}
}

func TestPassesAreCountedAndNotListed(t *testing.T) {
	html := render(t, sweep(0, 1, "cn-x"), nil, list([]fleet.Record{
		finding("i-fine", fleet.Passes, fleet.High), finding("i-other", fleet.NotApplicable, ""), finding("i-bad", fleet.Fault, ""),
		{Type: "pass", Pass: &fleet.Pass{}}}))
	if strings.Contains(html, "i-fine") || strings.Contains(html, "i-other") || len(rowsOf(html)) != 1 {
		t.Errorf("got rows %q, want that of i-bad alone", rowsOf(html))
	}
}

func TestNotAssessableIsOneLineOutsideThePosture(t *testing.T) {
	s := report.Summary{Run: "r", Started: now, Shards: []report.Shard{{Seen: 9, Counts: []report.Count{
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Passes, N: 9},
		{Control: "agent", Rule: "trust-client", Outcome: fleet.NotAssessable, Severity: fleet.Info, Reason: "no API shows it", N: 12345},
	}}}}
	line := s.Remarks()[0].Finding()
	got := render(t, s, nil, list([]fleet.Record{{Finding: &line}}))
	for _, part := range []string{"100", "Every check that was judged passes.", "12,345", "Outside the posture", "There is no finding"} {
		if !strings.Contains(got, part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	if n := strings.Count(got, "no API shows it"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestALongReasonIsCut(t *testing.T) {
	r := finding("i-1", fleet.Violation, fleet.High)
	r.Finding.Reason = strings.Repeat("長", 601)
	html := render(t, sweep(0, 1, "cn-x"), nil, list([]fleet.Record{r}))
	if !strings.Contains(html, strings.Repeat("長", 600)+"… (cut)") || strings.Contains(html, strings.Repeat("長", 601)) {
		t.Error("the reason is not cut after 600 characters")
	}
	r.Finding.Reason = strings.Repeat("長", 600)
	if strings.Contains(render(t, sweep(0, 1, "cn-x"), nil, list([]fleet.Record{r})), "(cut)") {
		t.Error("a reason that fits is cut")
	}
}

func TestTheHeadlineAndEmptyPartsAreNeverTooPositive(t *testing.T) {
	fine := report.Summary{Run: "r", Ended: now, Shards: []report.Shard{{Scope: fleet.Scope{Account: "1", Region: "cn-x"}, Seen: 3,
		Counts: []report.Count{{Control: "agent", Rule: "agent-online", Outcome: fleet.Passes, N: 3}}}}}
	unread := report.Shard{Scope: fleet.Scope{Account: "1", Region: "cn-y"}, Fault: "may not list"}
	with := func(s report.Summary, more ...report.Shard) report.Summary {
		s.Shards = append(slices.Clone(s.Shards), more...)
		return s
	}
	counted := func(o fleet.Outcome) report.Shard {
		return report.Shard{Scope: fleet.Scope{Account: "2"}, Counts: []report.Count{{Control: "agent", Rule: "r", Outcome: o, Severity: fleet.High, N: 1}}}
	}
	for name, c := range map[string]struct {
		s         report.Summary
		want, not []string
	}{
		"all is well": {fine, []string{"Every check that was judged passes.", "100 %", "This is the first sweep", "No resource violates a rule.",
			"every check passes", "each shard was read"}, []string{"alarm\"", "could not be"}},
		"one shard unread": {with(fine, unread), []string{"0 checks failed, and 1 shard could not be read", "1 shard was not read to the end", "may not list",
			"No resource that was read violates", `class="unread"`}, []string{"Every check", "every check passes", "No resource violates"}},
		"nothing read": {report.Summary{Run: "r", Ended: now, Shards: []report.Shard{unread}}, []string{"No shard could be read to its end", "No shard was read",
			"their resources could not be read", "nothing was judged"}, []string{"passes.", "100 %", "No resource", "Nothing fails", "no violation"}},
		"no shard": {report.Summary{Run: "r", Ended: now}, []string{"Nothing was swept", "No account and region was in scope", "nothing was judged"},
			[]string{"passes.", "100 %", "No resource"}},
		"nothing judged": {with(report.Summary{Run: "r", Ended: now}, counted(fleet.NotApplicable)), []string{"Nothing was judged", "There is no finding: nothing was judged"},
			[]string{"passes.", "100 %", "No resource"}},
		"one unknown": {with(fine, counted(fleet.Undecided)), []string{"No check failed; 1 check could not be decided.", "75 %"}, []string{"Every check", "100 % pass"}},
		"findings missing": {with(fine, counted(fleet.Violation)), []string{"1 check of 4 failed", "The findings are not included"},
			[]string{"Every check", "No resource violates", "There is no finding"}},
	} {
		t.Run(name, func(t *testing.T) {
			html := render(t, c.s, nil, list(nil))
			_, body, _ := strings.Cut(html, "</style>")
			body, _, _ = strings.Cut(body, "<footer>")
			for _, w := range c.want {
				if !strings.Contains(body, w) {
					t.Errorf("the page does not say %q", w)
				}
			}
			for _, n := range c.not {
				if strings.Contains(body, n) {
					t.Errorf("the page says %q", n)
				}
			}
		})
	}
}

func TestAPercentageIsNeverRoundedUpToAll(t *testing.T) {
	s := report.Summary{Run: "r", Ended: now, Shards: []report.Shard{{Scope: fleet.Scope{Account: "1", Region: "cn-x"},
		Counts: []report.Count{{Control: "agent", Outcome: fleet.Passes, N: 99_999}, {Control: "agent", Outcome: fleet.Violation, N: 1}}}}}
	html := render(t, s, nil, list(nil))
	body := html[strings.Index(html, "<header"):strings.Index(html, `id="where"`)]
	if !strings.Contains(body, "99.9 %") || strings.Contains(body, "100 %") {
		t.Error("99,999 of 100,000 is not shown as 99.9 %")
	}
}

func TestTheTrendIsOfEarlierSweepsOnly(t *testing.T) {
	s, earlier := full()
	rows := func(html string) int {
		_, trend, _ := strings.Cut(html, `aria-label="Trend, in numbers"`)
		trend, _, _ = strings.Cut(trend, "</table>")
		return strings.Count(trend, `<th scope="row">`)
	}
	if got := rows(render(t, s, earlier, some(0))); got != 13 {
		t.Errorf("%d sweeps in the trend, want 12 earlier and this one", got)
	}
	begun := s
	begun.Ended = time.Time{}
	mixed := append(slices.Clone(earlier), s, begun, sweep(1, 6, "cn-x"))
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	if render(t, s, mixed, some(0)) != render(t, s, earlier, some(0)) {
		t.Error("the order of the history, or in it the sweep itself, its beginning or a later one, changes the page")
	}
	var long []report.Summary
	for d := -90; d < 0; d++ {
		long = append(long, sweep(d, 1, "cn-x"))
	}
	html := render(t, s, long, some(0))
	if got := rows(html); got != 30 {
		t.Errorf("%d sweeps in the trend, want the last 30", got)
	}
	if !strings.Contains(html, sweep(-29, 1).Ended.Format("2006-01-02 15:04")) || strings.Contains(html, sweep(-30, 1).Ended.Format("2006-01-02 15:04")) {
		t.Error("the trend does not hold the last sweeps")
	}
}

func TestExemptionsSayWhenTheyEnd(t *testing.T) {
	s := sweep(0, 1, "cn-x")
	for _, after := range []time.Duration{0, time.Hour, 24 * time.Hour, 50 * time.Hour} {
		s.Exemptions = append(s.Exemptions, report.Exemption{Control: "agent", Owner: "o", Reason: "r", Expires: now.Add(after)})
	}
	html := render(t, s, nil, some(0))
	for _, want := range []string{">expired<", ">ends today<", ">ends in 1 day<", ">ends in 2 days<"} {
		if strings.Count(html, want) != 1 {
			t.Errorf("the page does not say %q once", want)
		}
	}
}

func TestFindingsThatCannotBeReadMakeNoPage(t *testing.T) {
	bad := errors.New("the object is gone")
	var b bytes.Buffer
	err := page.Page{}.Write(&b, sweep(0, 1, "cn-x"), nil, func(yield func(fleet.Record, error) bool) {
		if yield(finding("i-1", fleet.Violation, fleet.High), nil) {
			yield(fleet.Record{}, bad)
		}
	})
	if !errors.Is(err, bad) || b.Len() > 0 {
		t.Errorf("got %v and %d bytes, want the error and nothing written", err, b.Len())
	}
}

func TestAPageThatCannotBeWrittenIsAnError(t *testing.T) {
	r, w := io.Pipe()
	full := errors.New("no space left")
	if err := r.CloseWithError(full); err != nil {
		t.Fatal(err)
	}
	if err := (page.Page{}).Write(w, sweep(0, 1, "cn-x"), nil, some(1)); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func TestTheWorstOffendersAreThoseWithTheMostUrgentViolations(t *testing.T) {
	var rs []fleet.Record
	add := func(id string, o fleet.Outcome, severities ...fleet.Severity) {
		for _, s := range severities {
			rs = append(rs, finding(id, o, s))
		}
	}
	add("i-many-low", fleet.Violation, fleet.Low, fleet.Low, fleet.Low, fleet.Low)
	add("i-critical", fleet.Violation, fleet.Critical)
	add("i-two-high", fleet.Conflict, fleet.High, fleet.High)
	add("i-high", fleet.Violation, fleet.High)
	add("i-unknown", fleet.Undecided, fleet.Critical)
	html := render(t, sweep(0, 1, "cn-x"), nil, list(rs))
	_, worst, _ := strings.Cut(html, `aria-label="Worst offenders"`)
	worst, _, _ = strings.Cut(worst, "</table>")
	var got []string
	for _, m := range regexp.MustCompile(`<code>(i-[a-z-]+)</code>`).FindAllStringSubmatch(worst, -1) {
		got = append(got, m[1])
	}
	if diff := cmp.Diff([]string{"i-critical", "i-two-high", "i-high", "i-many-low"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// rowsOf are the rows of the findings.
func rowsOf(html string) []string {
	_, body, _ := strings.Cut(html, `<table id="list">`)
	body, _, _ = strings.Cut(body, "</table>")
	return strings.Split(body, "<tr><td data-k=")[1:]
}

func list(rs []fleet.Record) iter.Seq2[fleet.Record, error] {
	return func(yield func(fleet.Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}
