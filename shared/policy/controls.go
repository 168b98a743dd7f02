package policy

import (
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// The ids of the controls, as records and exemptions name them.
const (
	ControlTrustedInstance = "trusted-instance"
	ControlInstanceRole    = "instance-role"
	ControlAgent           = "agent"
	ControlShareRole       = "share-role"
)

// Control has the options of all controls: mode and scope.
type Control struct {
	Mode Mode
	// Include selects the control's resources; empty means all in the accounts and regions
	// of the policy.
	Include []Selector
	// Exclude removes from Include and wins over it.
	Exclude []Selector
	// Skip names rules of the control that are not used.
	Skip []string
	// EnforceFor selects, with mode Audit, the resources for which the control acts as with
	// Enforce; it audits the rest. Empty selects none. See [Policy.Enforces].
	EnforceFor []Selector
}

// The values of TrustedInstance.Require.
const (
	// RequireCandidates judges only instances that are meant to be trusted.
	RequireCandidates = "candidates"
	// RequireAll also reports instances that should have been trusted.
	RequireAll = "all"
)

// The values of TrustedInstance.Consequence.
const (
	ConsequenceNone = "none"
	ConsequenceTag  = "tag"
	ConsequenceStop = "stop"
)

// TrustedInstance has the options of control trusted-instance.
type TrustedInstance struct {
	Control
	// Require is RequireCandidates or RequireAll.
	Require string
	// Families are the instance families that can be trusted.
	Families []Family
	// SystemDisk are the accepted categories of a system disk.
	SystemDisk []string
	// IMDS switches on the rule imds: instance metadata by token only.
	IMDS bool
	// Hardening narrows or widens the scope of the rule hardening-asked.
	Hardening Hardening
	// Consequence is the consequence of an observed violation: ConsequenceNone,
	// ConsequenceTag or ConsequenceStop.
	Consequence string
	// Grace is the time between the first sweep that finds a violation and the
	// consequence. 0: at once.
	Grace time.Duration
}

// Hardening is the scope of the rule hardening-asked, which is about each instance from a
// public image, trusted or not. Left empty, it is that of the control.
type Hardening struct {
	// Include, if set, replaces the control's.
	Include []Selector
	// Exclude adds to the control's.
	Exclude []Selector
}

// Family is an instance family with the source that documents its trusted support.
type Family struct {
	// Name is bare, such as g7t.
	Name   string
	Source string
	// Date is the day the source was read, as 2006-01-02.
	Date string
}

// Trusted reports whether a bare family, such as g7t, is in the policy's list.
func (t TrustedInstance) Trusted(family string) bool {
	return slices.ContainsFunc(t.Families, func(f Family) bool { return f.Name == family })
}

// The values of InstanceRole.Conflict.
const (
	// ConflictReport only reports a role that lacks the grants.
	ConflictReport = "report"
	// ConflictGrant attaches our policy to that role.
	ConflictGrant = "grant"
	// ConflictReplace detaches that role and attaches ours.
	ConflictReplace = "replace"
)

// The values of InstanceRole.Policy.
const (
	// PolicyLeast is our own custom policy: the four actions and no more.
	PolicyLeast = "fleetwarden-systrust"
	// PolicySystem is Alibaba Cloud's system policy.
	PolicySystem = "AliyunSysTrustFullAccess"
)

// SystrustRole is the role that Security Center's trusted system expects.
const SystrustRole = "AliyunECSInstanceForYundunSysTrustRole"

// InstanceRole has the options of control instance-role.
type InstanceRole struct {
	Control
	// Role is the RAM role to attach.
	Role string
	// Policy is the policy that the role gets: PolicyLeast or PolicySystem.
	Policy string
	// Conflict is the handling of an instance with another role: ConflictReport,
	// ConflictGrant or ConflictReplace.
	Conflict string
	// AttachAfter is the time after a launch in which other tools may attach their own
	// role: an instance has one slot.
	AttachAfter time.Duration
	// WarnOverBroad switches on the rule over-broad-role.
	WarnOverBroad bool
}

// The values of Agent.Push.
const (
	// PushCommands invokes the two commands created at deployment.
	PushCommands = "commands"
	// PushRunCommand sends the script itself by RunCommand, whose permission is root on
	// every instance: it needs deploy/ram/optional.
	PushRunCommand = "run-command"
	// PushOneClick makes Security Center install it, by OperateAgentClientInstall; it needs
	// deploy/ram/optional, and its runs cannot be listed.
	PushOneClick = "one-click"
)

// Agent has the options of control agent.
type Agent struct {
	Control
	// Push is how the agent is installed: PushCommands, PushRunCommand or
	// PushOneClick.
	Push string
	// Deadline is how long a silent Cloud Assistant is checked before the finding has the
	// manual command.
	Deadline time.Duration
	// TrustClient switches on the rule trust-client.
	TrustClient bool
}

// When a sharee is trusted.
const (
	// TrustNow: once a resource is shared with it, or a share was tried.
	TrustNow = "now"
	// TrustAhead: before the first share, which cannot succeed otherwise.
	TrustAhead = "ahead"
)

// The values of ShareRole.TakeBack.
const (
	TakeBackReport  = "report"
	TakeBackEnforce = "enforce"
)

// The values of ShareRole.KeyPolicy.
const (
	// KeysInUse grants exactly the keys in use, by Fleetwarden's own policies.
	KeysInUse = "keys-in-use"
	// KeysAll attaches AliyunKMSFullAccess.
	KeysAll = "AliyunKMSFullAccess"
)

// ShareRole has the options of control share-role. Its selectors may name accounts only:
// the share roles are global and have no tags to select by.
type ShareRole struct {
	Control
	// Approved are the sharees that may be trusted; others are reported and not trusted.
	Approved Approved
	// TakeBack is the handling of trust that is no longer needed: TakeBackReport or
	// TakeBackEnforce.
	TakeBack string
	// TakeBackAfter is how long a share must have been absent.
	TakeBackAfter time.Duration
	// KeyPolicy is KeysInUse or KeysAll.
	KeyPolicy string
}

// Approved are the sharees of the policy.
type Approved struct {
	Accounts []ApprovedAccount
	// Folders are folders of our own resource directory.
	Folders []ApprovedFolder
	// Directory is TrustNow or TrustAhead when our whole resource directory is approved;
	// empty when it is not.
	Directory string
}

// ApprovedAccount is an account that may be trusted.
type ApprovedAccount struct {
	ID fleet.AccountID
	// Trust is TrustNow or TrustAhead.
	Trust string
}

// ApprovedFolder is a folder whose accounts may be trusted.
type ApprovedFolder struct {
	// ID is fd-…; the path to it is read from the resource directory.
	ID string
	// Trust is TrustNow or TrustAhead.
	Trust string
}

// Account returns the approval of an account that the policy names.
func (a Approved) Account(id fleet.AccountID) (ApprovedAccount, bool) {
	for _, account := range a.Accounts {
		if account.ID == id {
			return account, true
		}
	}
	return ApprovedAccount{}, false
}
