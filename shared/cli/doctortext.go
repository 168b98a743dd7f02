package cli

import (
	"time"

	"fleetwarden/shared/command"
	"fleetwarden/shared/operate/doctor"
)

// mostProblems is how many problems of a check are shown, unless all was asked for (-o wide).
const mostProblems = 5

// doctor is an examination: a line for each check, by category, and for each problem the step
// that mends it.
func (t *text) doctor(p doctor.Page) error {
	for _, c := range p.Categories {
		if err := t.print("%s\n", c.Name); err != nil {
			return err
		}
		for _, r := range c.Checks {
			if err := t.checked(r); err != nil {
				return err
			}
		}
	}
	calls := 0
	for _, results := range p.Calls {
		for _, n := range results {
			calls += n
		}
	}
	return t.print("%s: %d ok, %d WARN, %d UNREAD, %d FAIL; %s in %v\n", command.Plural(len(p.Results()), "check", "checks"),
		p.Count(doctor.OK), p.Count(doctor.Warn), p.Count(doctor.Unread), p.Count(doctor.Fail),
		command.Plural(calls, "call", "calls"), time.Duration(p.DurationMS)*time.Millisecond)
}

func marked(v doctor.Verdict) string {
	switch v {
	case doctor.OK:
		return "ok    "
	case doctor.Warn:
		return "WARN  "
	case doctor.Unread:
		return "UNREAD"
	}
	return "FAIL  "
}

func (t *text) checked(r doctor.Result) error {
	if len(r.Problems) == 0 {
		return t.print("  %s %s: %s\n", marked(r.Result), r.ID, r.Says)
	}
	if err := t.print("  %s %s: not so: %s\n", marked(r.Result), r.ID, r.Description); err != nil {
		return err
	}
	for i, p := range r.Problems {
		if i == mostProblems && !t.wide {
			if err := t.print("         … and %d more; see -o wide\n", len(r.Problems)-i); err != nil {
				return err
			}
			break
		}
		if err := t.print("         %s\n", p.Says); err != nil {
			return err
		}
		last := i+1 == len(r.Problems) || i+1 == mostProblems && !t.wide
		if !last && r.Problems[i+1].Mend == p.Mend { // one command for several
			continue
		}
		if err := t.print("           mend: %s\n", p.Mend); err != nil {
			return err
		}
	}
	if r.Seen != "" {
		if err := t.print("         seen: %s\n", r.Seen); err != nil {
			return err
		}
	}
	return t.print("         why:  %s\n         see:  %s\n", r.Why, r.Hint)
}
