package fleet

import "time"

// Secret is a text that no log, record, message or error shows.
type Secret string

const hidden = "(secret)"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// MarshalText hides the secret, in JSON too.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// InstallCode lets a machine register with the account's Security Center.
type InstallCode struct {
	Code Secret
	// OS is linux or windows.
	OS string
	// Vendor is ALIYUN for machines of Alibaba Cloud.
	Vendor string
	// OnlyImage marks a code that is for making images.
	OnlyImage bool
	Expires   time.Time
}
