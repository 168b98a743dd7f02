package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

// due is how old the last pass of a function may be that a timer wakes: its interval, and some
// more. The others wait for events, and may have nothing to do for long.
var due = map[string]time.Duration{
	fleet.FunctionWatchShares: time.Hour, fleet.FunctionSweep: sweepsAt, fleet.FunctionDoctor: 8 * 24 * time.Hour,
}

// lastWeek is how far back the log is searched.
const lastWeek = 8 * 24 * time.Hour

// lastPass searches the log store, which is no part of what the functions need: where it cannot
// be searched, that is a warning.
func lastPass(ctx context.Context, x *examination) answer {
	wanted, unknown := x.wanted(ctx)
	at := make([]string, len(wanted))
	problems := each(numbers(len(wanted)), func(i int) []Problem {
		w := wanted[i]
		last, err := read(ctx, x, func(ctx context.Context) (Passed, error) {
			return x.Logs.LastPass(ctx, w.Region, w.Name, x.now().Add(-lastWeek))
		})
		if err != nil {
			p := unread("when "+w.String()+" passed last", w.Region, w.Name, err)
			p.Result = Warn
			return one(p)
		}
		if !last.At.IsZero() {
			at[i] = fmt.Sprintf("%s in %s %s", strings.TrimPrefix(w.Name, fleet.Prefix), w.Region, last.At.UTC().Format(time.DateTime))
		}
		if !last.Event.IsZero() {
			at[i] += fmt.Sprintf(" (last event of %s)", last.Event.UTC().Format(time.DateTime))
		}
		return x.overdue(ctx, w, last.At)
	})
	problems = append(problems, unknown...)
	var seen []string
	for _, text := range at {
		if text != "" {
			seen = append(seen, text)
		}
	}
	if len(seen) == 0 {
		return answer{says: "no pass within the last 8 days", problems: problems}
	}
	text := strings.Join(seen, ", ")
	return answer{says: text, seen: text, problems: problems}
}

// overdue reports a function whose last pass is older than its timer has it, unless it was
// deployed since.
func (x *examination) overdue(ctx context.Context, w deployment.Function, last time.Time) []Problem {
	name, _ := fleet.FunctionOf(w.Name)
	longest := due[name]
	r, deployed := x.newest(ctx) // it has the functions that exist once
	if regional(w) {
		all, _ := x.deployments(ctx) // its error is that of the wanted functions
		r, deployed = all[w.Region]
	}
	if longest == 0 || x.now().Sub(last) <= longest || deployed && x.now().Sub(r.At) <= longest {
		return nil
	}
	says := fmt.Sprintf("%s has not passed since %s", w, last.UTC().Format(time.DateTime))
	if last.IsZero() {
		says = fmt.Sprintf("%s has not passed within the last 8 days", w)
	}
	return one(Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: says + ", though its timer comes more often",
		Mend: "see functions-enabled and triggers; then its log: an invocation that failed is a line with hasFunctionError"})
}
