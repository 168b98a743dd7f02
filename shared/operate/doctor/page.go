package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Verdict is what a check comes to.
type Verdict string

// The verdicts, from best to worst.
const (
	OK   Verdict = "ok"
	Warn Verdict = "warn"
	// Unread: it could not be determined.
	Unread Verdict = "unread"
	Fail   Verdict = "fail"
)

func (v Verdict) rank() int { return slices.Index([]Verdict{OK, Warn, Unread, Fail}, v) }

// Problem is one reason why a check is not ok.
type Problem struct {
	Result Verdict      `json:"result"`
	Region fleet.Region `json:"region,omitempty"`
	// ID is the name of the resource.
	ID   string `json:"id,omitempty"`
	Says string `json:"says"`
	// Mend is the command, or the step in a console, after which it is gone. A command stands
	// first, and " # " before what else is to be said of it.
	Mend string `json:"mend"`
}

// Result is what one check came to.
type Result struct {
	ID          string  `json:"id"`
	Description string  `json:"description"`
	Result      Verdict `json:"result"`
	// Says is what was seen, also if all is well.
	Says string `json:"says,omitempty"`
	// Seen is what else was seen, beside the problems.
	Seen     string    `json:"seen,omitempty"`
	Why      string    `json:"why,omitempty"`
	Hint     string    `json:"hint,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
}

// Category has the results of a category, in the order of the checks.
type Category struct {
	Name   string   `json:"category"`
	Checks []Result `json:"checks"`
}

// Page is an examination. Its JSON is stable: members are added, and none is renamed.
type Page struct {
	Type    string          `json:"type"` // doctor
	Success bool            `json:"success"`
	Account fleet.AccountID `json:"account,omitempty"`
	Home    fleet.Region    `json:"home,omitempty"`
	// Build is the newest deployment's.
	Build      string     `json:"build,omitempty"`
	At         time.Time  `json:"at"`
	Categories []Category `json:"categories"`
	// Calls counts API calls, by API and result.
	Calls      map[string]map[string]int `json:"calls,omitempty"`
	DurationMS int64                     `json:"durationMs"`
}

// Results are those of all categories.
func (p Page) Results() (out []Result) {
	for _, c := range p.Categories {
		out = append(out, c.Checks...)
	}
	return out
}

// Count returns how many checks came to a verdict.
func (p Page) Count(v Verdict) (n int) {
	for _, r := range p.Results() {
		if r.Result == v {
			n++
		}
	}
	return n
}

// Control stands in the findings of the doctor where those of the rules have their control.
const Control = policy.ControlDeployment

// Findings are the problems as verdicts, one for each.
func (p Page) Findings() (out []fleet.Verdict) {
	for _, r := range p.Results() {
		for _, x := range r.Problems {
			v := fleet.Verdict{Ref: fleet.Ref{Scope: fleet.Scope{Account: p.Account, Region: x.Region}, Kind: fleet.KindDeployment, ID: x.ID},
				Control: Control, Rule: r.ID, Outcome: fleet.Violation, Severity: fleet.High, Reason: x.Says, Remedy: x.Mend}
			switch x.Result {
			case Warn:
				v.Severity = fleet.Medium
			case Unread:
				v.Outcome, v.Severity = fleet.Undecided, fleet.Medium
			}
			out = append(out, v)
		}
	}
	return out
}

// concluded is the result of a check from its answer.
func concluded(c Check, a answer) Result {
	r := Result{ID: c.ID, Description: c.Description, Result: OK, Says: a.says}
	slices.SortStableFunc(a.problems, func(x, y Problem) int {
		return cmp.Or(-cmp.Compare(x.Result.rank(), y.Result.rank()), cmp.Compare(x.Region, y.Region), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Says, y.Says))
	})
	r.Problems = a.problems
	if len(r.Problems) > 0 {
		r.Seen = a.seen
		worst := r.Problems[0]
		r.Result, r.Says, r.Why, r.Hint = worst.Result, worst.Says, c.Why, Guide+"#"+c.ID
		if n := len(r.Problems) - 1; n > 0 {
			r.Says = fmt.Sprintf("%s; and %d more", worst.Says, n)
		}
	}
	return r
}

// Guide is the address of the page with a section for each check.
const Guide = "deploy/guide/doctor.md"
