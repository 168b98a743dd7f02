package instances

import (
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules/verdict"
)

// InPlace reports whether the effect of a change to an instance, or to the role that it
// needs, is observed. It settles changes whose pass died; who made them it does not show.
func InPlace(w *fleet.World, c fleet.Change) bool {
	switch c.Kind {
	case fleet.EnsureRole, fleet.GrantRole, fleet.RevokeRole:
		r := w.Roles[c.Ref.ID]
		return r.Seen() && !r.V.Missing && roleIs(r.V, c)
	case fleet.RefreshAssets:
		return len(w.Instances) > 0 && !slices.ContainsFunc(w.Instances, func(i fleet.Instance) bool { return !i.Agent.Seen() || !i.Agent.V.Known })
	}
	at := slices.IndexFunc(w.Instances, func(i fleet.Instance) bool { return i.Ref.Key() == c.Ref.Key() })
	return at >= 0 && (&subject{world: w, inst: &w.Instances[at]}).inPlace(c)
}

func roleIs(r fleet.Role, c fleet.Change) bool {
	switch c.Kind {
	case fleet.GrantRole:
		return verdict.Attaches(r, c.Want)
	case fleet.RevokeRole:
		return !verdict.Attaches(r, c.Before)
	}
	return true
}

func (s *subject) inPlace(c fleet.Change) bool {
	switch c.Kind {
	case fleet.AttachRole, fleet.ReplaceRole, fleet.DetachRole:
		return s.inst.RoleName.Seen() && strings.EqualFold(s.inst.RoleName.V, c.Want)
	case fleet.TagInstance, fleet.StopInstance:
		return s.tagged(c.Want)
	case fleet.UntagInstance:
		return s.inst.Listed.Seen() && !s.tagged(c.Before)
	case fleet.StartInstance:
		return s.inst.Listed.V.Status == c.Want
	case fleet.PushAgent:
		run, pushed := s.lastRun(fleet.CommandAgentLinux, fleet.CommandAgentWindows)
		return pushed && run.Status != fleet.RunUnclear || s.inst.Agent.V.Known && !notInstalled(s.inst.Agent.V)
	case fleet.PushTrustClient:
		_, pushed := s.lastRun(fleet.CommandTrustClient)
		return pushed
	}
	return false
}

func (s *subject) tagged(tag string) bool {
	key, value, _ := strings.Cut(tag, "=")
	have, ok := s.inst.Listed.V.Tags[key]
	return ok && have == value
}
