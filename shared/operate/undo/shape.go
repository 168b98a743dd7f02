package undo

import (
	"strings"

	"fleetwarden/shared/fleet"
)

// malformed says why a change cannot be one; empty when it may be. What passes can stand
// in a request, and in a command that a person is told.
func (m Made) malformed() string {
	switch {
	case !m.Account.Valid():
		return "the account of a change is no number"
	case m.Region != "" && !m.Region.Valid():
		return "the region of a change is none"
	case !fits(m):
		return "the id of a change is none of its kind"
	}
	return ""
}

// fits reports whether a change is about a thing of the kind that its own kind changes,
// and whether the id can be one.
func fits(m Made) bool {
	if kind, known := things[m.Kind]; known && kind != m.RefKind {
		return false
	}
	switch m.RefKind {
	case fleet.KindInstance:
		rest, ok := strings.CutPrefix(m.ID, "i-")
		return ok && m.Region != "" && plain(rest, 64, "")
	case fleet.KindImage:
		return m.Region != "" && plain(m.ID, 128, "-_.")
	case fleet.KindRole:
		return m.Region == "" && isRoleName(m.ID)
	case fleet.KindPolicy:
		return m.Region == "" && plain(m.ID, 128, "-")
	}
	return m.ID == "" || plain(m.ID, 128, "-_.")
}

// things has the kind of thing that changes of a kind are about.
var things = map[fleet.ChangeKind]fleet.Kind{
	fleet.AttachRole: fleet.KindInstance, fleet.DetachRole: fleet.KindInstance, fleet.ReplaceRole: fleet.KindInstance,
	fleet.TagInstance: fleet.KindInstance, fleet.UntagInstance: fleet.KindInstance,
	fleet.StopInstance: fleet.KindInstance, fleet.StartInstance: fleet.KindInstance,
	fleet.PushAgent: fleet.KindInstance, fleet.PushTrustClient: fleet.KindInstance,
	fleet.EnsureRole: fleet.KindRole, fleet.GrantRole: fleet.KindRole, fleet.RevokeRole: fleet.KindRole,
	fleet.EnsureShareRole: fleet.KindRole, fleet.SetShareTrust: fleet.KindRole, fleet.MarkUnused: fleet.KindRole,
	fleet.SetKeyPolicy: fleet.KindPolicy, fleet.AttachKeyPolicy: fleet.KindPolicy, fleet.DetachKeyPolicy: fleet.KindPolicy,
	fleet.RefreshAssets: fleet.KindAccount,
}

// isRoleName: the first is no hyphen, which a command would take for a flag.
func isRoleName(name string) bool { return fleet.ValidRoleName(name) && name[0] != '-' }

func plainOrNone(role string) bool { return role == "" || isRoleName(role) }

// plain reports whether s is 1 to most letters, digits and some others. The first is no
// hyphen: a command would take that for a flag.
func plain(s string, most int, others string) bool {
	return s != "" && len(s) <= most && s[0] != '-' && strings.Trim(s, alphanumeric+others) == ""
}

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
