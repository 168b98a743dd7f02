package verdict

import (
	"fmt"

	"fleetwarden/shared/fleet"
)

// Observed is evidence that was read from the cloud.
func Observed(name, value string) fleet.Evidence {
	return fleet.Evidence{Name: name, Value: value, Source: fleet.Observed.String()}
}

// Claimed is evidence that only a request states.
func Claimed(name, value string) fleet.Evidence {
	return fleet.Evidence{Name: name, Value: value, Source: fleet.Claimed.String()}
}

// Evidence is a fact with its source.
func Evidence[T any](name string, f fleet.Fact[T]) fleet.Evidence {
	return fleet.Evidence{Name: name, Value: fmt.Sprint(f.V), Source: f.Source.String()}
}

// Passes is the verdict on what is as its rule says.
func Passes(reason string, e ...fleet.Evidence) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Passes, Reason: reason, Evidence: e}
}

// NotApplicable is the verdict on what a rule does not cover.
func NotApplicable(reason string) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.NotApplicable, Reason: reason}
}

// NotAssessable is the verdict on what no source can ever show. The reason is the same
// for all of which it is true.
func NotAssessable(reason string) fleet.Verdict {
	return Remark(fleet.Verdict{Outcome: fleet.NotAssessable, Severity: fleet.Info, Reason: reason})
}

// Undecided is the verdict on what could not be read.
func Undecided(reason string) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Undecided, Severity: fleet.Medium, Reason: reason}
}

// Violation is the verdict on what is not as its rule says, without a change as yet.
func Violation(severity fleet.Severity, reason, remedy string, e ...fleet.Evidence) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Violation, Severity: severity, Reason: reason, Remedy: remedy, Evidence: e}
}

// Remark makes a report show one line for all instances with this verdict.
func Remark(v fleet.Verdict) fleet.Verdict {
	v.Remark = true
	return v
}
