package undo

import (
	"strings"

	"fleetwarden/shared/fleet"
)

// malformed says why a change is malformed; empty if it is not. Then its names are safe in a
// request, and in a command for the operator.
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

// fits reports whether a change is of a resource of the right kind, with a well-formed id.
func fits(m Made) bool {
	if kind, known := refKinds[m.Kind]; known && kind != m.RefKind {
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

// refKinds has the kind of resource that changes of a kind are about.
var refKinds = map[fleet.ChangeKind]fleet.Kind{
	fleet.AttachRole: fleet.KindInstance, fleet.DetachRole: fleet.KindInstance, fleet.ReplaceRole: fleet.KindInstance,
	fleet.TagInstance: fleet.KindInstance, fleet.UntagInstance: fleet.KindInstance,
	fleet.StopInstance: fleet.KindInstance, fleet.StartInstance: fleet.KindInstance,
	fleet.PushAgent: fleet.KindInstance, fleet.PushTrustClient: fleet.KindInstance,
	fleet.EnsureRole: fleet.KindRole, fleet.GrantRole: fleet.KindRole, fleet.RevokeRole: fleet.KindRole,
	fleet.EnsureShareRole: fleet.KindRole, fleet.SetShareTrust: fleet.KindRole, fleet.MarkUnused: fleet.KindRole,
	fleet.SetKeyPolicy: fleet.KindPolicy, fleet.AttachKeyPolicy: fleet.KindPolicy, fleet.DetachKeyPolicy: fleet.KindPolicy,
	fleet.RefreshAssets: fleet.KindAccount,
}

// isRoleName excludes a leading hyphen: a command would take the name for a flag.
func isRoleName(name string) bool { return fleet.ValidRoleName(name) && name[0] != '-' }

func plainOrNone(role string) bool { return role == "" || isRoleName(role) }

// plain reports whether s is 1 to most letters, digits and some others, without a leading
// hyphen: a command would take it for a flag.
func plain(s string, most int, others string) bool {
	return s != "" && len(s) <= most && s[0] != '-' && strings.Trim(s, alphanumeric+others) == ""
}

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
