package fleet

import (
	"errors"
	"slices"
	"time"
)

// Outcome is what a rule says about one thing.
type Outcome string

// The outcomes of a rule.
const (
	// Passes: the rule holds.
	Passes Outcome = "pass"
	// Violation: the rule does not hold.
	Violation Outcome = "violation"
	// Undecided: neither the world nor the call shows it. Never a pass.
	Undecided Outcome = "unknown"
	// Conflict: the rule does not hold, and repairing it would touch what
	// another party set up.
	Conflict Outcome = "conflict"
	// NotApplicable: the rule does not ask anything of this thing.
	NotApplicable Outcome = "not-applicable"
	// NotAssessable: no source can ever show whether the rule holds. Neither a pass
	// nor a failure, and outside the posture; reading again will not help.
	NotAssessable Outcome = "not-assessable"
	// Exempted: the rule does not hold, and the policy says that it need not.
	Exempted Outcome = "exempt"
	// Pending: too early to say; the verdict's Again says when to check.
	Pending Outcome = "pending"
	// Fault: looking failed, and looking again will not help; the reason says
	// what to do.
	Fault Outcome = "fault"
)

// Evidence is one fact a verdict rests on. It never holds secrets or user data.
type Evidence struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"` // observed, claimed or unknown
}

// Severity ranks findings.
type Severity string

// The severities, from least to most urgent.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities returns the severities, from most to least urgent.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// Rank orders severities: the greater, the more urgent; 0 for one that is missing or unknown.
func (s Severity) Rank() int {
	all := Severities()
	if i := slices.Index(all, s); i >= 0 {
		return len(all) - i
	}
	return 0
}

// Verdict is what a rule decided about one Ref, with the changes that would
// put it right.
type Verdict struct {
	Ref      Ref
	Control  string
	Rule     string
	Outcome  Outcome
	Severity Severity
	// Reason says in one sentence why.
	Reason string
	// Remedy says what a person can do about it; empty when nothing is to do.
	Remedy   string
	Evidence []Evidence
	Changes  []Change
	// Remark says that a report has one line for all resources of which the rule says this
	// for the same reason, which therefore names none of them.
	Remark bool
	// Again, when not zero, asks for another look after that long.
	Again time.Duration
	// Patience, when not zero, is how long this may be so before it has consequences, or
	// is a violation. It counts from Since, which is zero where no fact and no memory says
	// since when it has been so: then the patience has not ended.
	Patience time.Duration
	Since    time.Time
	// Covered says that the policy has the control act on what was judged: it enforces, or it
	// is in audit and enforceFor takes the resource. The gate of the rules sets it.
	Covered bool
}

// Matured reports whether the patience had ended at a time.
func (v *Verdict) Matured(at time.Time) bool {
	return v.Patience > 0 && !v.Since.IsZero() && at.Sub(v.Since) >= v.Patience
}

// ChangeKind names one thing we can do to the world.
type ChangeKind string

// The kinds of Change.
const (
	// EnsureRole makes the systrust role exist with its trust policy. Its Ref
	// is the role.
	EnsureRole ChangeKind = "ensure-role"
	// GrantRole attaches the systrust policy to a role. Its Ref is the role.
	GrantRole ChangeKind = "grant-role"
	// AttachRole attaches the role Want to an instance that has none.
	AttachRole ChangeKind = "attach-role"
	// ReplaceRole detaches the role Before from an instance and attaches Want;
	// if that fails, it attaches Before again.
	ReplaceRole ChangeKind = "replace-role"
	// TagInstance puts the tag Want ("key=value") on an instance.
	TagInstance ChangeKind = "tag-instance"
	// StopInstance stops an instance: KeepCharging, never forced.
	StopInstance ChangeKind = "stop-instance"
	// RefreshAssets makes Security Center look for new instances. Its Ref is the
	// account.
	RefreshAssets ChangeKind = "refresh-assets"
	// PushAgent has Cloud Assistant install the Security Center agent; Want is the
	// operating system, linux or windows.
	PushAgent ChangeKind = "push-agent"
	// PushTrustClient has Cloud Assistant install the trust client.
	PushTrustClient ChangeKind = "push-trust-client"
	// EnsureShareRole makes a share role, with our tag and the trust document Want. Its
	// Ref is the role.
	EnsureShareRole ChangeKind = "ensure-share-role"
	// SetShareTrust replaces the trust document Before of a role by Want.
	SetShareTrust ChangeKind = "set-share-trust"
	// MarkUnused puts the tag [TagUnused] with the value Want onto a role that has it
	// with Before. Without Want, which only undoing asks for, it takes the tag away.
	MarkUnused ChangeKind = "mark-unused"
	// SetKeyPolicy makes Want the document of a policy of ours that says Before; empty:
	// that does not exist. Its Ref is the policy.
	SetKeyPolicy ChangeKind = "set-key-policy"
	// AttachKeyPolicy attaches a policy, its Ref, to the role Want.
	AttachKeyPolicy ChangeKind = "attach-key-policy"
	// DetachKeyPolicy takes a policy of ours, its Ref, from the role Before.
	DetachKeyPolicy ChangeKind = "detach-key-policy"

	// The kinds below are made only to undo others.

	// DetachRole detaches the role Before from an instance.
	DetachRole ChangeKind = "detach-role"
	// UntagInstance takes the tag Before ("key=value") from an instance.
	UntagInstance ChangeKind = "untag-instance"
	// StartInstance starts an instance that is stopped and has the tag Before, which
	// stays: what a person has started is not stopped again. Want is Running.
	StartInstance ChangeKind = "start-instance"
	// RevokeRole takes the policy Before from a role, its Ref.
	RevokeRole ChangeKind = "revoke-role"
)

// Change is one thing to do. A Change is applied only while the world is still
// as Before says.
type Change struct {
	Kind   ChangeKind `json:"kind"`
	Ref    Ref        `json:"ref"`
	Before string     `json:"before,omitempty"`
	Want   string     `json:"want,omitempty"`
	Reason string     `json:"reason,omitempty"`
	// Needs, when set, is the Ref of another change of the same pass that has
	// to be done first. If it is not done, this one is not tried.
	Needs Key `json:"-"`
	// Covered says that the policy has the change made for what was judged: see
	// [Verdict.Covered]. Where a part of a control is enforced, Uncovered says why not.
	Covered   bool   `json:"-"`
	Uncovered string `json:"-"`
}

// State says what became of a Change.
type State string

// The states of a Change.
const (
	// Planned: it would be done, but the mode is audit or the run is dry.
	Planned State = "planned"
	// Done: it was done and read back.
	Done State = "done"
	// Started: the cloud has taken it, and it was not seen to be done: it runs, or does
	// not show yet. A later check shows what came of it.
	Started State = "started"
	// Skipped: the world was already right, or no longer as Before said. Nothing was
	// changed by this pass.
	Skipped State = "skipped"
	// Held: a limit stopped it.
	Held State = "held"
	// Forwarded: its owner's inbox has it.
	Forwarded State = "forwarded"
	// Later: it could not be done yet; another look is queued.
	Later State = "later"
	// Failed: it could not be done, and trying again will not help.
	Failed State = "failed"
	// Unclear: a pass began it and died, and the world no longer shows whether it was
	// done.
	Unclear State = "unclear"
)

// Result is what became of one Change.
type Result struct {
	Change Change
	State  State
	// After is the value read back.
	After string
	// Why says why it was skipped, held, put off or failed.
	Why        string
	RequestIDs []string
	// Untouched: no write of it was taken by the cloud, or can have been.
	Untouched bool
	// Again, when State is Later, is how long to wait before the next look; 0
	// leaves it to the caller.
	Again time.Duration
	// Err is the cause when State is Later or Failed. With Started it is why it could
	// not be seen, and asks for another look.
	Err error
}

// BatchAnswer is what the cloud said about one element of a batch call that as a
// whole succeeded.
type BatchAnswer struct {
	RequestID string
	// Err is nil when the element succeeded.
	Err error
}

// IDs is the id of the request, if there is one.
func (a BatchAnswer) IDs() []string {
	if a.RequestID == "" {
		return nil
	}
	return []string{a.RequestID}
}

// Failure is the result of a change that could not be made: [Later] if time may heal
// the error, else [Failed]. doing says in a gerund phrase what failed.
func Failure(c Change, doing string, err error) Result {
	r := Result{Change: c, State: Failed, Why: doing + ": " + err.Error(), Err: err}
	if ClassOf(err).Passing() {
		r.State = Later
	}
	return r
}

// Unseen is the result of a change that was not seen to be there after its call. What
// was answered with success was made; else the answer says what became of it. doing says
// in a gerund phrase what was tried; readErr is nil where reading back succeeded, and the
// change did not show.
func Unseen(c Change, doing string, answer, readErr error) Result {
	if answer != nil {
		res := Failure(c, doing, answer)
		if readErr != nil {
			res.Why += "; and reading it back: " + readErr.Error()
		}
		return res
	}
	if readErr == nil {
		readErr = errHidden
	}
	return Result{Change: c, State: Started, Why: doing + ": made, but not seen yet: " + readErr.Error(), Err: readErr}
}

var errHidden = errors.New("it does not show")

// Found is the result of a change that is there, with the value after, when it is read
// back. The answer of its call says whose it is: with success, or without any, ours;
// else another writer was faster.
func Found(c Change, after string, answer error) Result {
	r := Result{Change: c, State: Done, After: after}
	switch {
	case answer == nil:
	case ClassOf(answer) == Lost:
		r.Why = "the answer was lost, and it was found done: most likely by this call"
	default:
		r.State, r.Why = Skipped, "already in place: changed concurrently"
	}
	return r
}

// Unanswered is the error of an element of a batch call that the answer leaves out: it
// may have been done.
type Unanswered struct{}

func (Unanswered) Error() string { return "the cloud's answer leaves it out" }

// Class is [Lost].
func (Unanswered) Class() Class { return Lost }

// AnswerOf is what a batch call answered for one element.
func AnswerOf(answers map[string]BatchAnswer, id string) BatchAnswer {
	if a, ok := answers[id]; ok {
		return a
	}
	return BatchAnswer{Err: Unanswered{}}
}
