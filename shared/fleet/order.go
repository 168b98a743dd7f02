package fleet

import (
	"fmt"
	"time"
)

// Order is an operator's order to pause changes, or to resume them.
type Order struct {
	// Object is its name in the ledger.
	Object string `json:"object"`
	// Resume says that it ends the pauses before it of the controls and accounts that it covers.
	Resume bool `json:"resume,omitempty"`
	// Control and Account are what it covers; empty for all.
	Control string    `json:"control,omitempty"`
	Account AccountID `json:"account,omitempty"`
	// At is when it was given. Until is when a pause ends; zero for one that resumes.
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"`
	// By is the ARN of the caller who gave it, and Reason that caller's reason.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Covers reports whether the order is about a control in an account.
func (o Order) Covers(control string, account AccountID) bool {
	return (o.Control == "" || o.Control == control) && (o.Account == "" || o.Account == account)
}

// Rule is the rule of a finding about the order.
func (o Order) Rule() string {
	if o.Resume {
		return "resume"
	}
	return "pause"
}

// Sentence says who ordered what, and why.
func (o Order) Sentence() string {
	subject := "all changes"
	if o.Control != "" {
		subject = "the changes of control " + o.Control
	}
	if o.Account != "" {
		subject += " in account " + string(o.Account)
	}
	if o.Resume {
		return fmt.Sprintf("%s has resumed %s: %s", o.By, subject, o.Reason)
	}
	return fmt.Sprintf("%s has paused %s until %s: %s", o.By, subject, o.Until.Format(time.RFC3339), o.Reason)
}

// Remedy says how the order is ended; empty for one that resumes.
func (o Order) Remedy() string {
	if o.Resume {
		return ""
	}
	return "wait for its end, or end it: " + o.End()
}

// End is the command that ends a pause before its end.
func (o Order) End() string {
	command := "fleetwarden resume"
	if o.Control != "" {
		command += " --control " + o.Control
	}
	if o.Account != "" {
		command += " --account " + string(o.Account)
	}
	return command + ` --reason "..."`
}
