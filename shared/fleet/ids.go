package fleet

import "strings"

// The longest lengths of ids.
const (
	LongestRegion   = 32
	LongestInstance = 66
	LongestRole     = 64
)

// UnlistedRegions stands, in a sweep, for the regions of an account that could not be listed. It
// is no region's id.
const UnlistedRegions Region = "auto"

// Valid reports whether r has the shape of all region ids that Alibaba Cloud publishes. It does not say that the region
// exists. The names of hosts are made of regions: what is not valid could name any host.
func (r Region) Valid() bool {
	geography, rest, _ := strings.Cut(string(r), "-")
	first, others, more := strings.Cut(rest, "-")
	if len(r) > LongestRegion || len(geography) != 2 || !every(geography, lower) || !every(first, lower) {
		return false
	}
	for more {
		var part string
		part, others, more = strings.Cut(others, "-")
		if !every(part, func(c byte) bool { return lower(c) || digit(c) }) {
			return false
		}
	}
	return true
}

// ValidInstanceID reports whether id has the shape of an instance id. Their alphabet is not
// published; published ones have letters and digits.
func ValidInstanceID(id string) bool {
	rest, ok := strings.CutPrefix(id, "i-")
	return ok && len(id) <= LongestInstance && every(rest, alphanumeric)
}

// ValidRoleName reports whether name can be that of a RAM role, as CreateRole takes it.
func ValidRoleName(name string) bool {
	return len(name) <= LongestRole && every(name, func(c byte) bool { return alphanumeric(c) || c == '.' || c == '-' })
}

// Plain reports whether id can stand in the name of an object, as that of a run does: it has
// at most 64 letters, digits, - and _, and leads out of no folder.
func Plain(id string) bool {
	return len(id) <= 64 && every(id, func(c byte) bool { return alphanumeric(c) || c == '-' || c == '_' })
}

// every reports whether s is not empty and all its bytes are ok.
func every(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func lower(c byte) bool { return 'a' <= c && c <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

func alphanumeric(c byte) bool { return lower(c) || digit(c) || 'A' <= c && c <= 'Z' }
