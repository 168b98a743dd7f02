package fleet

import (
	"strings"
	"time"
)

// Listing is what DescribeInstances says about an instance. The response holds
// neither the role, nor the trusted mode, nor the disk category.
type Listing struct {
	// Status is Pending, Starting, Running, Stopping or Stopped.
	Status string
	// Type is the instance type, such as ecs.g7t.large.
	Type string
	// Family is InstanceTypeFamily, such as ecs.g7t.
	Family        string
	ImageID       string
	Name          string
	VPC           string
	VSwitch       string
	ResourceGroup string
	// Classic is true for the classic network, where no role can be attached.
	Classic bool
	// OSType is linux or windows.
	OSType string
	// HTTPTokens is required or optional; empty when the cloud did not say.
	HTTPTokens string
	// StoppedMode is KeepCharging, StopCharging or Not-applicable.
	StoppedMode string
	Created     time.Time
	// Started is when it was last started, to the minute; zero when the cloud did not say.
	Started time.Time
	Tags    map[string]string
}

// Tags that Alibaba Cloud itself puts on an instance.
const (
	// TagSupportVTPM marks a trusted instance after its launch.
	TagSupportVTPM = "acs:ecs:supportVtpm"
	// TagAutoScaling is put on instances of a scaling group.
	TagAutoScaling = "acs:autoscaling:scalingGroupId"
	// TagACK is put on nodes of a Container Service cluster. Unlike the others, whose
	// prefix acs: is the cloud's own, whoever may tag can set it
	// (https://help.aliyun.com/zh/ecs/user-guide/overview-of-tags): it is a hint.
	TagACK = "ack.aliyun.com"
)

// Manager names the service that owns the instance's life, or "" for none:
// "Auto Scaling" or "ACK". What it owns is reported and not changed, unless a
// scope names it.
func (l Listing) Manager() string {
	if _, ok := l.Tags[TagAutoScaling]; ok {
		return "Auto Scaling"
	}
	if _, ok := l.Tags[TagACK]; ok {
		return "ACK"
	}
	return ""
}

// ManagedByHint reports whether only a tag that whoever may tag can set says who owns the
// instance's life.
func (l Listing) ManagedByHint() bool {
	_, scaling := l.Tags[TagAutoScaling]
	return l.Manager() != "" && !scaling
}

// Generation is the family without "ecs." and whether it is a security-enhanced
// ("…t") family: g7t → ("g7t", true), g7 → ("g7", false).
func (l Listing) Generation() (family string, enhanced bool) {
	return FamilyOf(l.Family, l.Type)
}

// FamilyOf returns the bare family of an instance type family or, when that is
// empty, of an instance type, and whether it is a security-enhanced one: a
// letter, the generation's number, and t.
func FamilyOf(family, instanceType string) (bare string, enhanced bool) {
	bare = strings.TrimPrefix(family, "ecs.")
	if bare == "" {
		bare = strings.TrimPrefix(instanceType, "ecs.")
		if i := strings.IndexByte(bare, '.'); i >= 0 {
			bare = bare[:i]
		}
	}
	numbered, t := strings.CutSuffix(bare, "t")
	letters := strings.TrimRight(numbered, "0123456789")
	return bare, t && letters != "" && letters != numbered
}

// NoKMS stands for the state of KMS in a region where it is not served.
const NoKMS = "NotServed"

// Instance is what is known about one instance. A facet that no rule asked for
// stays unknown.
type Instance struct {
	Ref Ref
	// Listed is what DescribeInstances returned. It is unknown while nothing is
	// known, and when the instance was not found: see Gone.
	Listed Fact[Listing]
	// Gone is observed and true when the instance was asked for and not found.
	Gone Fact[bool]
	// RoleName is the attached RAM role; observed and empty means none.
	RoleName Fact[string]
	// SystemDisk is the category of the system disk, such as cloud_essd.
	SystemDisk Fact[string]
	// Image is the image the instance was launched from.
	Image Fact[Image]
	// Agent is what Security Center knows of its agent on the instance.
	Agent Fact[Agent]
	// Assistant is the Cloud Assistant client on the instance.
	Assistant Fact[Assistant]
	// Invocations are our own recent commands on the instance, newest first.
	Invocations Fact[[]Invocation]
	// TrustScript says which install script of the trust client the user data
	// holds: "published", "fleetwarden" or "" for none. The data itself is not kept.
	TrustScript Fact[string]
	// Found is since when sweeps have found rules of the instance not to hold, by rule, as
	// the memory of the sweep says. Observed and without a rule: that rule held when the
	// newest sweep checked it, or no sweep has checked it yet.
	Found Fact[map[string]time.Time]
}

// Agent is the Security Center agent of an instance.
type Agent struct {
	// Known is false when Security Center does not list the instance (yet).
	Known bool
	// Status is online, offline or pause; empty when it was never seen.
	Status string
	// Sub is online, offline, pause, stopped or uninstalled.
	Sub string
	// LastOnline is when it was last online (LastLoginTimestamp); zero when that is not
	// known.
	LastOnline time.Time
}

// Assistant is the Cloud Assistant client of an instance.
type Assistant struct {
	// Online is true when it sent a heartbeat within the last two minutes.
	Online bool
	// Version is empty when it is not installed.
	Version string
	// LastHeartbeat is zero where there was none.
	LastHeartbeat time.Time
	// Absent says that Cloud Assistant is not served in the region.
	Absent bool
}

// The commands of ours that Cloud Assistant runs, as they are named there.
const (
	CommandAgentLinux   = "fleetwarden-agent-linux"
	CommandAgentWindows = "fleetwarden-agent-windows"
	CommandTrustClient  = "fleetwarden-trust-client"
)

// Invocation is one run of a command of ours on one instance.
type Invocation struct {
	ID      string
	Command string // its name
	// Status is Pending, Scheduled, Running, Stopping, or one of the final ones:
	// Success, Failed, Timeout, Error, Aborted, Invalid, Cancelled, Terminated; or
	// [RunOneClick] or [RunUnclear], which no API follows.
	Status   string
	ExitCode int
	// ErrorCode is such as ClientNotRunning or ExecutionTimeout.
	ErrorCode string
	Created   time.Time
}

// The statuses of a run that Security Center was asked for, from the ledger.
const (
	RunOneClick = "one-click"
	// RunUnclear: the pass that was about to ask left no outcome.
	RunUnclear = "unclear"
)

// Final reports whether the run has ended.
func (i Invocation) Final() bool {
	switch i.Status {
	case "Pending", "Scheduled", "Running", "Stopping":
		return false
	}
	return true
}

// Image is what the trusted-instance rules ask of an image.
type Image struct {
	ID string
	// Owner is ImageOwnerAlias: system, self, others or marketplace.
	Owner string
	// BootMode is BIOS, UEFI or UEFI-Preferred.
	BootMode string
	// Gone is true when DescribeImages, asked with ShowExpired, returned nothing: the image
	// was deleted, is no longer shared, or is one of the Marketplace or the community, which
	// are returned only to those who ask for them (ImageOwnerAlias, IsPublic).
	Gone bool
}

// SystemDisk is a disk that an instance boots from.
type SystemDisk struct {
	// Instance is what it is attached to; empty for none.
	Instance string
	// Category is such as cloud_essd.
	Category string
}

// PolicyType distinguishes Alibaba Cloud's policies from the account's own.
type PolicyType string

// The types of a RAM policy.
const (
	SystemPolicy PolicyType = "System"
	CustomPolicy PolicyType = "Custom"
)

// Policy is a RAM policy attached to a role.
type Policy struct {
	Name string
	Type PolicyType
	// Document is the default version's text; empty when it was not read.
	Document string
}

// Role is a RAM role with what is attached to it.
type Role struct {
	Name string
	ARN  string
	// Missing is true when RAM answered that there is no such role.
	Missing bool
	// Trust is AssumeRolePolicyDocument, as RAM returned it.
	Trust string
	// Updated is UpdateDate, as RAM returned it.
	Updated  string
	Policies []Policy
}

// World is what one pass sees of one Scope.
type World struct {
	Scope Scope
	// At is the cloud's time, from the Date header of its answers.
	At        time.Time
	Instances []Instance
	// Calls are the refs of calls that made nothing.
	Calls []Ref
	// Roles holds the roles attached to Instances and the systrust role, by
	// name. RAM role names are compared without regard to case by RAM; here the
	// key is the name as the instance shows it.
	Roles map[string]Fact[Role]
	// Users are the instances that have a role, by the role's name: in the regions of the
	// policy or, where it lists none, in the region of Scope. Only roles that are to be changed
	// while a part of their users is enforced are in it.
	Users map[string]Fact[[]Instance]
	// Remembers is true in a sweep: what is first found not to hold now is remembered as
	// found at At.
	Remembers bool
	// KMS is DescribeAccountKmsStatus.AccountStatus, or [NoKMS]; only Enabled passes.
	KMS Fact[string]
}
