package fleet

import "strings"

// Call is what a trail record says about one request. All of it is claimed: it
// may make a finding, it never makes a change by itself.
//
// UserData, passwords and the raw parameters are left out on purpose: a Call
// travels in messages and records.
type Call struct {
	// EventID is the trail record's eventId.
	EventID string `json:"eventId,omitempty"`
	// Name is the API, such as RunInstances.
	Name string `json:"name"`
	// Type is ApiCall, ConsoleOperation or AliyunServiceEvent.
	Type string `json:"type,omitempty"`
	// Time is the trail record's eventTime, in RFC 3339 where it could be read.
	Time string `json:"time,omitempty"`
	// Caller is userIdentity as "type/userName"; no keys.
	Caller string `json:"caller,omitempty"`
	// ErrorCode is empty for a call that succeeded.
	ErrorCode    string `json:"errorCode,omitempty"`
	ErrorMessage string `json:"errorMessage,omitempty"`
	// Launch holds the parameters of a call that creates instances; nil for other calls,
	// and where the record has none: a purchase does not say what was asked for.
	Launch *Launch `json:"launch,omitempty"`
	// Share holds the parameters of ModifyImageSharePermission; nil for other
	// calls.
	Share *Share `json:"share,omitempty"`
}

// Share is the part of an image share request that rules ask for. The lists may
// name more accounts than ECS obeys: beyond 10 it ignores them silently.
type Share struct {
	ImageID string      `json:"imageId,omitempty"`
	Add     []AccountID `json:"add,omitempty"`
	Remove  []AccountID `json:"remove,omitempty"`
	// Also are other requests' failed shares that came to the same look. A reader that
	// does not know them still has this request's.
	Also []FailedShare `json:"also,omitempty"`
}

// Launch is the part of a launch request that rules ask for. Empty means that
// the request did not say, which is not the same as the default: a launch
// template may have said it.
type Launch struct {
	InstanceType       string `json:"instanceType,omitempty"`
	ImageID            string `json:"imageId,omitempty"`
	ImageFamily        string `json:"imageFamily,omitempty"`
	SystemDiskCategory string `json:"systemDiskCategory,omitempty"`
	// SystemDiskKMSKeyID is the key asked for the system disk.
	SystemDiskKMSKeyID string `json:"systemDiskKmsKeyId,omitempty"`
	// DeniedDisks are the disks that a failed launch asked for; empty for others.
	DeniedDisks []LaunchDisk `json:"deniedDisks,omitempty"`
	// VSwitchID is VSwitchId, or that of the primary network interface.
	VSwitchID   string `json:"vSwitchId,omitempty"`
	RAMRoleName string `json:"ramRoleName,omitempty"`
	// TrustedSystemMode is SecurityOptions.TrustedSystemMode: vTPM or nothing.
	TrustedSystemMode string `json:"trustedSystemMode,omitempty"`
	// ConfidentialComputingMode is SecurityOptions.ConfidentialComputingMode;
	// Enclave switches the trusted system on too.
	ConfidentialComputingMode string `json:"confidentialComputingMode,omitempty"`
	// SecurityEnhancementStrategy is Active, Deactive or nothing.
	SecurityEnhancementStrategy string `json:"securityEnhancementStrategy,omitempty"`
	HTTPTokens                  string `json:"httpTokens,omitempty"`
	LaunchTemplateID            string `json:"launchTemplateId,omitempty"`
	LaunchTemplateName          string `json:"launchTemplateName,omitempty"`
	LaunchTemplateVersion       string `json:"launchTemplateVersion,omitempty"`
	// HasUserData says that user data was sent. The data itself is not kept.
	HasUserData bool `json:"hasUserData,omitempty"`
	// Disks are the ids of the disks that were made with the instances, from
	// referencedResources; they let one DescribeDisks call serve a whole launch.
	Disks []string `json:"disks,omitempty"`
	// Amount is Amount, or the console's MaxAmount; 0 when the call did not say.
	Amount int  `json:"amount,omitempty"`
	DryRun bool `json:"dryRun,omitempty"`
}

// LaunchDisk is what a launch asked of one disk.
type LaunchDisk struct {
	// Name is SystemDisk or DataDisk.N.
	Name      string `json:"name"`
	Category  string `json:"category,omitempty"`
	Encrypted bool   `json:"encrypted,omitempty"`
	// Key says that a key was named.
	Key bool `json:"key,omitempty"`
}

// DisksWhere names the disks of a failed launch of which something is true.
func (l *Launch) DisksWhere(is func(LaunchDisk) bool) []string {
	var out []string
	for _, d := range l.DeniedDisks {
		if is(d) {
			out = append(out, d.Name)
		}
	}
	return out
}

// KeysOf names the parameters of a failed launch that hold keys.
func (l *Launch) KeysOf() string {
	keys := l.DisksWhere(func(d LaunchDisk) bool { return d.Key })
	if len(keys) == 0 {
		return "SystemDisk.KMSKeyId or DataDisk.N.KMSKeyId"
	}
	return strings.Join(keys, ".KMSKeyId, ") + ".KMSKeyId"
}

// FromTemplate reports whether a launch template may have supplied what the
// request left out.
func (l *Launch) FromTemplate() bool {
	return l != nil && (l.LaunchTemplateID != "" || l.LaunchTemplateName != "")
}
