package why

import (
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// Version is the version of a page. Members are added to it; none is removed or changes its
// meaning without a new version.
const Version = 1

// Page explains a subject. It has no secrets and no user data.
type Page struct {
	Type     string          `json:"type"` // why
	V        int             `json:"v"`
	Kind     fleet.Kind      `json:"kind"`
	ID       string          `json:"id,omitempty"`
	Resource string          `json:"resource,omitempty"`
	Account  fleet.AccountID `json:"account"`
	Region   fleet.Region    `json:"region,omitempty"`
	At       time.Time       `json:"at"`
	// Lines are the three that name the cause: the state and its cause; since when, and the next
	// check; the one thing to do.
	Lines [3]string `json:"lines"`
	Cause Cause     `json:"cause"`
	// Also are the causes of other rules that do not hold.
	Also     []Cause   `json:"also,omitempty"`
	Controls []Control `json:"controls"`
	Rules    []Rule    `json:"rules,omitempty"`
	Now      *Now      `json:"now,omitempty"`
	Trail    Trails    `json:"trail"`
	Ledger   Ledger    `json:"ledger"`
	// Passes are the records of functions that name it, newest first.
	Passes []Record `json:"passes,omitempty"`
	Sweep  *Swept   `json:"sweep,omitempty"`
	// Missing are the RAM actions that the reader of this page lacks, Unread all else that could
	// not be read.
	Missing []string `json:"missing,omitempty"`
	Unread  []Unread `json:"unread,omitempty"`
	// NoPasses is why passes that changed nothing were not read, or not all of them.
	NoPasses string `json:"noPasses,omitempty"`
	// NoTrail is why ActionTrail was not read.
	NoTrail string `json:"noTrail,omitempty"`
	// NoPolicy is why the policy was not compared with that of the deployment.
	NoPolicy string `json:"noPolicy,omitempty"`
}

// Cause is why a rule does not hold, or why nothing is done about it.
type Cause struct {
	ID   string `json:"id"`
	Rule string `json:"rule,omitempty"`
	Says string `json:"says"`
	// Since is since when, as By knows; zero where that is not known.
	Since time.Time `json:"since,omitzero"`
	By    string    `json:"by,omitempty"`
	Next  string    `json:"next"`
	Todo  Todo      `json:"todo"`
}

// Control is what of the policy applies.
type Control struct {
	Control string `json:"control"`
	// Mode is that for the resource; Partly says that the control is in audit, and that enforceFor
	// decides on it.
	Mode   policy.Mode `json:"mode"`
	Partly bool        `json:"partly,omitempty"`
	// Covers is yes, no or maybe; exemptions are with the rules.
	Covers string `json:"covers"`
	// Changes says whether the control may change it, or leaves it to the service that owns it.
	Changes string `json:"mayChange"`
	Pause   *Pause `json:"pause,omitempty"`
	// Limits are the stops and the rate, with what the newest sweep held.
	Limits string        `json:"limits"`
	Held   []report.Held `json:"held,omitempty"`
}

// Rule is a verdict, and its cause where it is not fine.
type Rule struct {
	Control      string         `json:"control"`
	Rule         string         `json:"rule"`
	Outcome      fleet.Outcome  `json:"outcome"`
	Severity     fleet.Severity `json:"severity,omitempty"`
	Reason       string         `json:"reason"`
	Since        time.Time      `json:"since,omitzero"`
	Changes      []string       `json:"changes,omitempty"`
	AgainSeconds int            `json:"againSeconds,omitempty"`
	Cause        string         `json:"cause,omitempty"`
}

// Now is the instance as it is.
type Now struct {
	Status    string    `json:"status"`
	Type      string    `json:"instanceType"`
	Created   time.Time `json:"created"`
	Role      string    `json:"role"`
	Agent     string    `json:"agent"`
	Assistant string    `json:"assistant"`
	Runs      []Run     `json:"commands,omitempty"`
}

// Run is one command of ours on the instance.
type Run struct {
	Time      time.Time `json:"time"`
	Command   string    `json:"command"`
	Status    string    `json:"status"`
	ExitCode  int       `json:"exitCode,omitempty"`
	ErrorCode string    `json:"errorCode,omitempty"`
}

// Trails are ActionTrail's records, and whether they reach the functions.
type Trails struct {
	Window
	// Late says that records may still be missing: they come some minutes after their calls.
	Late   bool         `json:"late,omitempty"`
	Calls  []Call       `json:"calls"`
	Trails []TrailState `json:"trails"`
}

// TrailState is a trail that covers the region. One that does not log is not heard.
type TrailState struct {
	Name    string   `json:"name"`
	Logging bool     `json:"logging"`
	Faults  []string `json:"faults,omitempty"` // of its latest deliveries
}

// Ledger is what passes have recorded.
type Ledger struct {
	// Since is the time of the oldest batch that was read, Read how many were, of Listed or more.
	// Late says that the time was up.
	Since  time.Time `json:"since,omitzero"`
	Read   int       `json:"read"`
	Listed int       `json:"listed"`
	Late   bool      `json:"late,omitempty"`
	Events []Event   `json:"events"`
}

// Event is one change of the ledger.
type Event struct {
	Time     time.Time        `json:"time"`
	Function string           `json:"function"`
	Run      string           `json:"run,omitempty"`
	Request  string           `json:"request,omitempty"`
	Policy   string           `json:"policy,omitempty"`
	Kind     fleet.ChangeKind `json:"kind"`
	ID       string           `json:"id"`
	// State is Open or Lost while the outcome is not known.
	State fleet.State `json:"state"`
	Why   string      `json:"why,omitempty"`
}

// The states of a change whose outcome is not known.
const (
	// Open: there is none.
	Open fleet.State = "open"
	// Lost: there is one, and it could not be read.
	Lost fleet.State = "unread"
)

// Swept is the newest sweep.
type Swept struct {
	Run    string    `json:"run"`
	At     time.Time `json:"at"`
	Policy string    `json:"policy,omitempty"`
	Fault  string    `json:"fault,omitempty"`
}

// Complete reports whether all was read that the page is made from.
func (p Page) Complete() bool { return len(p.Missing) == 0 && len(p.Unread) == 0 }
