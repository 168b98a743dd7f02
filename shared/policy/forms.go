package policy

import (
	"fleetwarden/shared/fleet"
)

// unprintable is the part of a character class that JSON writes literally and YAML refuses
// to read: controls above ASCII and invisible marks.
const unprintable = `\x7f-\x9f` + "\ufeff\ufffe\uffff"

// The forms of strings. Patterns use the syntax that Go and ECMAScript share: editors check
// them too. None allows an unprintable character.
var (
	formLine     = form{"a line of text", 256, `^[^\x00-\x1f` + unprintable + `]*$`}
	formTagKey   = form{"a tag key, 1 to 128 characters", 128, `^[^\x00-\x1f` + unprintable + `]+$`}
	formTagValue = form{"a tag value, up to 128 characters, or * for any", 128, formLine.shape}
	// formWords may have line breaks, but not white space alone.
	formWords = form{"some words, up to 1000 characters", 1000, `^[^\x00-\x09\x0b-\x1f` + unprintable + `]*[^\x00-\x20` + unprintable + `\xa0][^\x00-\x09\x0b-\x1f` + unprintable + `]*$`}

	formRegion   = form{"a region id such as cn-hangzhou", fleet.LongestRegion, fleet.RegionPattern}
	formRole     = form{"the name of a RAM role, 1 to 64 letters, digits, dots and hyphens", fleet.LongestRole, fleet.RolePattern}
	formGroup    = form{"a resource group id, rg-…", 64, `^rg-[A-Za-z0-9-]+$`}
	formVPC      = form{"a VPC id, vpc-…", 64, `^vpc-[A-Za-z0-9-]+$`}
	formInstance = form{"an instance id, i-…", fleet.LongestInstance, fleet.InstancePattern}
	formFolder   = form{"a folder id, fd-…", 64, `^fd-[A-Za-z0-9-]+$`}
	formFamily   = form{"a bare instance family such as g7t", 32, `^[a-z][a-z0-9-]*$`}
	formDisk     = form{"a disk category such as cloud_essd", 32, `^[a-z][a-z0-9_]*$`}
	formAPI      = form{"the name of an API such as DescribeInstances", 64, `^[A-Z][A-Za-z0-9]*$`}
	formQueue    = form{"a queue name, up to 120 letters, digits and hyphens", 120, `^[A-Za-z0-9][A-Za-z0-9-]*$`}
)
