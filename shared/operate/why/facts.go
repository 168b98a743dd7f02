package why

import (
	"strings"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// Facts are what is known of a subject. A fact without a source was not asked for, or, with its
// reason, not read.
type Facts struct {
	Subject
	// Only are the controls that are asked about; none: all.
	Only []string
	// Ref is the subject where it is or, where it was not found, where it was looked for first.
	Ref    fleet.Ref
	Place  Place
	Policy *policy.Policy
	File   string // of the policy; empty for none
	Home   fleet.Scope
	At     time.Time // the cloud's
	Build  Build

	// Judged are the verdicts of all controls, as their owners would come to them now.
	Judged fleet.Fact[Judged]
	Listed fleet.Fact[fleet.Listing]
	Role   fleet.Fact[string]
	// Agent is unknown while the instance does not run.
	Agent     fleet.Fact[fleet.Agent]
	Assistant fleet.Fact[fleet.Assistant]
	Runs      fleet.Fact[[]fleet.Invocation]

	// Calls are ActionTrail's records of it between two times, oldest first.
	Calls  fleet.Fact[[]Call]
	Window Window
	// MoreCalls says that there are more records than were read.
	MoreCalls bool
	// Trails are those that cover its region.
	Trails fleet.Fact[[]trail.Trail]
	// History is what the ledger has about it.
	History fleet.Fact[ledger.Found]
	// Found is since when the sweeps have found rules not to hold.
	Found fleet.Fact[map[string]time.Time]
	Sweep fleet.Fact[Sweep]
	// Deployed is the newest deployment of its region that the ledger knows.
	Deployed fleet.Fact[Deployed]
	// Pauses are by control; a control without one is not paused. BadOrder names the object that
	// might be a pause, and cannot be read.
	Pauses   fleet.Fact[map[string]Pause]
	BadOrder string
	// Spent is by control: what the hour's limit has allowed.
	Spent map[string]fleet.Fact[Spent]
	// Passes are the records of functions that name it, newest first. NoPasses is why there are
	// none to read: then passes that changed nothing are not known. MorePasses are the
	// functions that have older ones.
	Passes     fleet.Fact[[]Record]
	NoPasses   string
	MorePasses []string
	// NoTrail is why ActionTrail was not read; empty where it was, or where that failed.
	NoTrail string
	// Denied are the RAM actions that the reader of this page lacks.
	Denied []string
}

// Build is that of the tool; empty where it is not known.
type Build struct{ Version, Revision string }

// differs reports whether another build was deployed, by the name that git describe gives it.
func (b Build) differs(deployed string) bool {
	name := strings.TrimSuffix(deployed, "-dirty")
	commit := name
	if i := strings.LastIndex(name, "-g"); i >= 0 {
		commit = name[i+2:]
	}
	return name != "" && b.Revision != "" && name != b.Version && !strings.HasPrefix(b.Revision, commit)
}

// Place says where an instance was looked for.
type Place struct {
	Found  bool          `json:"found"`
	Looked []fleet.Scope `json:"looked,omitempty"`
	Unread []Unread      `json:"unread,omitempty"`
}

// Unread is something that could not be read.
type Unread struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Window is a time, both ends included.
type Window struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Judged is what controls decided.
type Judged struct {
	Verdicts []fleet.Verdict
	// Shared says whether the resource is among those that are shared; known for those only.
	Shared fleet.Fact[bool]
}

// Call is one record of ActionTrail.
type Call struct {
	Time      time.Time `json:"time"`
	Name      string    `json:"name"`
	Caller    string    `json:"caller,omitempty"`
	ErrorCode string    `json:"errorCode,omitempty"`
	// Claims are what a launch or share asked for; nil for other calls.
	Claims *fleet.Call `json:"-"`
}

// launches reports whether the call launched instances.
func (c Call) launches() bool {
	_, ok := fleet.LaunchCallOf(c.Name)
	return ok && c.ErrorCode == ""
}

// Sweep is the newest sweep that has ended.
type Sweep struct {
	Run string
	At  time.Time // when it began
	// Policy is the digest of its policy file.
	Policy string
	// Held is what it held of the subject's account and region, Fault why it could not read
	// that to its end. Swept says that it was there.
	Swept bool
	Held  []report.Held
	Fault string
}

// Deployed is a deployment.
type Deployed struct {
	At time.Time // zero: none is known
	// Policy is the digest of the policy file that it carries, with the defaults of its Build.
	Policy string
	Build  string
	// Missing says that there is none, though the ledger has those of other regions, or that it was
	// removed at Removed.
	Missing bool
	Removed time.Time
}

// Record is a record of a function about the subject, from the log store.
type Record struct {
	Time     time.Time `json:"time"`
	Function string    `json:"function"`
	Run      string    `json:"run,omitempty"`
	// Rule is of a finding, Kind of a change; State is the finding's outcome, or the change's
	// state, and Why the reason.
	Rule  string           `json:"rule,omitempty"`
	Kind  fleet.ChangeKind `json:"kind,omitempty"`
	State string           `json:"state"`
	Why   string           `json:"why,omitempty"`
}

// Pause is an order that nothing is changed.
type Pause struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
}

// Spent is what an hour's limit has allowed.
type Spent struct {
	N    int
	Free time.Time
}
