package fleet

import "slices"

// The names of the functions, as records, texts and paths have them; see [CloudName].
const (
	FunctionValidateInstance = "validate-instance"
	FunctionAttachRole       = "attach-role"
	FunctionPushAgent        = "push-agent"
	FunctionWatchShares      = "watch-shares"
	FunctionSetupShareRole   = "setup-share-role"
	FunctionSweep            = "sweep"
	FunctionBackfill         = "backfill"
	FunctionDoctor           = "doctor"
	FunctionNotify           = "notify"
)

// Function is one row of the table of functions.
type Function struct {
	Name string
	// Control is the control that it owns; empty for none.
	Control string
	// Home says that it exists once, in the home region. The others are in each guarded
	// region.
	Home bool
	// Alone says that it uses resources of the home account alone: members do not trust it.
	Alone bool
	// Inbox is the function whose inbox takes its refs: mostly itself. It is empty for a
	// function that only an operator invokes.
	Inbox string
	// Refs are the kinds of ref that it checks.
	Refs []Kind
	// Changes are the kinds of change that it decides on and makes.
	Changes []ChangeKind
	// Events are the kinds of event that it handles.
	Events []EventKind
}

// Functions returns the table. Mains, inboxes, owners, replay and redrive are derived from
// it; test/arch compares it with the files that name functions.
func Functions() []Function { return slices.Clone(functions[:]) }

// The order matters: the first function that makes a kind of change is its owner.
var functions = [...]Function{
	{
		Name: FunctionValidateInstance, Control: "trusted-instance", Inbox: FunctionValidateInstance,
		Refs:    []Kind{KindInstance, KindCall, KindAccount},
		Changes: []ChangeKind{TagInstance, StopInstance},
		Events:  []EventKind{EventLaunch, EventMessage},
	},
	{
		Name: FunctionAttachRole, Control: "instance-role", Inbox: FunctionAttachRole,
		Refs:    []Kind{KindInstance, KindAccount},
		Changes: []ChangeKind{EnsureRole, GrantRole, AttachRole, ReplaceRole},
		Events:  []EventKind{EventLaunch, EventStateChange, EventMessage},
	},
	{
		Name: FunctionPushAgent, Control: "agent", Inbox: FunctionPushAgent,
		Refs:    []Kind{KindInstance},
		Changes: []ChangeKind{RefreshAssets, PushAgent, PushTrustClient, TagInstance},
		Events:  []EventKind{EventFirstHeartbeat, EventStateChange, EventTaskCompleted, EventMessage},
	},
	{
		Name: FunctionWatchShares, Inbox: FunctionSetupShareRole,
		Refs:   []Kind{KindSnapshotShare, KindImageShare},
		Events: []EventKind{EventImageShare, EventResourceShare, EventShareStatus, EventTimer},
	},
	{
		Name: FunctionSetupShareRole, Control: "share-role", Home: true, Inbox: FunctionSetupShareRole,
		Refs:    []Kind{KindSnapshotShare, KindImageShare},
		Changes: []ChangeKind{EnsureShareRole, SetShareTrust, MarkUnused, SetKeyPolicy, AttachKeyPolicy, DetachKeyPolicy},
		Events:  []EventKind{EventImageShare, EventResourceShare, EventShareStatus, EventMessage},
	},
	{
		Name: FunctionSweep, Home: true, Inbox: FunctionSweep,
		Refs:   []Kind{KindFleet, KindAccount},
		Events: []EventKind{EventTimer, EventMessage},
	},
	{Name: FunctionBackfill, Home: true},
	{Name: FunctionDoctor, Home: true, Events: []EventKind{EventTimer}},
	{
		Name: FunctionNotify, Home: true, Alone: true, Inbox: FunctionNotify,
		Refs:   []Kind{KindFound, KindReport, KindCard},
		Events: []EventKind{EventMessage},
	},
}

// FunctionNamed returns the row of a function; the zero Function, which has no inbox and
// checks nothing, for a name that is none.
func FunctionNamed(name string) Function {
	for _, f := range functions {
		if f.Name == name {
			return f
		}
	}
	return Function{}
}

// HasInbox reports whether the function has an inbox of its own.
func (f Function) HasInbox() bool { return f.Inbox != "" && f.Inbox == f.Name }

// Owner returns the function that owns a control; "" for what is no control.
func Owner(control string) string {
	for _, f := range functions {
		if f.Control == control && control != "" {
			return f.Name
		}
	}
	return ""
}

// Owners returns the functions that own a control: those that make changes.
func Owners() (names []string) {
	for _, f := range functions {
		if f.Control != "" {
			names = append(names, f.Name)
		}
	}
	return names
}

// Writers returns the functions whose changes the ledger has: the owners and backfill, which
// undoes theirs.
func Writers() []string { return append(Owners(), FunctionBackfill) }

// Makers returns the functions that decide on changes of a kind and make them; the first
// of them is notified when another finds that one is due. There are none of a kind that only
// undoing makes, or that this code does not know.
func Makers(kind ChangeKind) (names []string) {
	for _, f := range functions {
		if slices.Contains(f.Changes, kind) {
			names = append(names, f.Name)
		}
	}
	return names
}
