package events

import (
	"strings"

	"fleetwarden/shared/fleet"
)

// Longest ids that are believed. Policy names have a documented limit of 128 characters;
// the others are generous.
const (
	maxDiskID     = 66
	maxPolicyName = 128
	maxEventID    = 256
	maxRun        = 256
	maxObject     = 512
)

// validDiskID accepts d- and ASCII letters and digits.
func validDiskID(id string) bool {
	return len(id) > 2 && len(id) <= maxDiskID && id[:2] == "d-" && only(id[2:], alphanumeric)
}

// validRefID reports whether id can be the id of a ref of that kind.
func validRefID(kind fleet.Kind, id string) bool {
	switch kind {
	case fleet.KindInstance:
		return fleet.ValidInstanceID(id)
	case fleet.KindRole:
		return fleet.ValidRoleName(id)
	case fleet.KindPolicy:
		return id != "" && len(id) <= maxPolicyName && only(id, nameByte)
	case fleet.KindCall:
		return validEventID(id)
	case fleet.KindFound, fleet.KindReport, fleet.KindCard:
		return validObject(id)
	default:
		return id == ""
	}
}

// validEventID accepts any printable ASCII without blanks, but for what JSON escapes: a
// message with a hundred ids has to fit into a queue again.
func validEventID(id string) bool {
	return id != "" && len(id) <= maxEventID && only(id, func(c byte) bool { return c > ' ' && c < 0x7f && strings.IndexByte(`"\<>&`, c) < 0 })
}

// validObject accepts a part of the name of an object in the ledger: plain names with slashes
// between them, none of which leads elsewhere in a folder.
func validObject(id string) bool {
	if len(id) > maxObject {
		return false
	}
	for part := range strings.SplitSeq(id, "/") {
		if part == "" || part[0] == '.' || !only(part, nameByte) {
			return false
		}
	}
	return true
}

func validKind(kind fleet.Kind) bool {
	switch kind {
	case fleet.KindInstance, fleet.KindCall, fleet.KindSnapshotShare, fleet.KindImageShare,
		fleet.KindRole, fleet.KindPolicy, fleet.KindAccount, fleet.KindFleet,
		fleet.KindFound, fleet.KindReport, fleet.KindCard:
		return true
	}
	return false
}

// globalKind reports whether refs of kind may stand for all regions.
func globalKind(kind fleet.Kind) bool {
	switch kind {
	case fleet.KindInstance, fleet.KindCall, fleet.KindFleet:
		return false
	}
	return true
}

func only(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func nameByte(c byte) bool { return alphanumeric(c) || c == '-' || c == '_' || c == '.' }
