package rampolicy

import (
	"cmp"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Party is a principal, other than a sharee of the three forms, that a trust document lets
// assume the role: a service, a RAM or federated identity, or a pattern of them.
type Party struct {
	// Kind is Service, RAM or Federated. Any other kind is unknown here; empty is a
	// principal without a kind.
	Kind string
	// ID is the principal as the document writes it; empty for a statement without a
	// Principal.
	ID string
	// Account owns the identity. It is empty for a service of the role's own account, and
	// where no single account owns it.
	Account fleet.AccountID
	// Open reports that identities of accounts that the document does not name are
	// included.
	Open bool
	// Within are the directories and folders that a condition limits a pattern to.
	Within Sharees
	// Answer is Allowed, or Unsure where the document does not decide; Depends has the
	// reason.
	Answer  Answer
	Depends string
}

// ECS reports whether the party is ECS of other accounts: a sharee in another form.
func (p Party) ECS() bool {
	return p.Kind == service && covers(anyECS, lower(p.ID))
}

func (p Party) String() string {
	text := p.Kind + " " + p.ID
	switch {
	case p.ID == "":
		text = "the principals of a statement without a Principal"
	case p.Kind == "":
		text = p.ID
	}
	if in := slices.Concat(p.Within.Directories, p.Within.Folders); len(in) > 0 {
		text += " within " + strings.Join(in, ", ")
	}
	return text
}

const (
	service   = "Service"
	ram       = "RAM"
	federated = "Federated"
)

// Others returns the parties of statements that have none of the three forms, sorted,
// without duplicates: the complement of [Trust.Sharees]. Statements are evaluated by
// effect, not by spelling. A party that a Deny certainly excludes is left out; one that a
// Deny may exclude, that depends on a condition, or that has an unknown element is Unsure.
func (t *Trust) Others() []Party {
	var out []Party
	for _, s := range t.statements {
		if s.deny || !s.sharees().Empty() {
			continue
		}
		assumes := s.assumes()
		if assumes == no {
			continue
		}
		for _, p := range s.parties() {
			t.settle(&p, s, assumes)
			if p.Answer != Denied {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, func(a, b Party) int {
		return cmp.Or(cmp.Compare(a.String(), b.String()), -cmp.Compare(a.Answer, b.Answer))
	})
	return slices.CompactFunc(out, func(a, b Party) bool { return a.String() == b.String() })
}

// assumeOtherwise matches the actions for SAML and OIDC, whose names differ.
const assumeOtherwise = assumeRole + "?*"

// assumes reports whether the statement lets a party assume the role; maybe, if it allows
// the actions for identity providers alone.
func (s *statement) assumes() truth {
	if t := s.scope(s.actions, s.notAction, assumeRole); t != no {
		return t
	}
	if s.otherwise() {
		return maybe
	}
	return no
}

// otherwise reports whether the statement allows one of the other actions that assume
// roles.
func (s *statement) otherwise() bool {
	if s.notAction {
		return !anyCovers(s.actions, assumeOtherwise)
	}
	return anyOverlaps(s.actions, assumeOtherwise)
}

// takesFrom reports whether a Deny covers the actions of an Allow; maybe, if it covers some
// of them.
func (s *statement) takesFrom(allow *statement) truth {
	exact := s.scope(s.actions, s.notAction, assumeRole)
	if !allow.otherwise() {
		return exact
	}
	others := s.scope(s.actions, s.notAction, assumeOtherwise)
	if exact != others {
		return maybe
	}
	return exact
}

func (s *statement) parties() []Party {
	if len(s.principals) == 0 {
		return []Party{{Open: true}}
	}
	out := make([]Party, len(s.principals))
	for i, p := range s.principals {
		out[i] = p.party()
		if out[i].Open {
			out[i].Within = s.within()
			out[i].Open = out[i].Within.Empty()
		}
	}
	return out
}

func (p principal) party() Party {
	out := Party{Kind: p.kind, ID: p.id}
	pattern := strings.ContainsAny(p.id, "*?")
	switch parts := strings.SplitN(p.id, ":", 5); {
	case p.kind == service:
		uid, _, found := strings.Cut(p.id, "@")
		if found && fleet.AccountID(uid).Valid() {
			out.Account = fleet.AccountID(uid)
		}
		out.Open = pattern && out.Account == "" && ofAccounts(lower(p.id), "?*")
	case fleet.AccountID(p.id).Valid():
		out.Account = fleet.AccountID(p.id)
	case len(parts) == 5 && fleet.AccountID(parts[3]).Valid():
		out.Account = fleet.AccountID(parts[3])
	default:
		out.Open = pattern
	}
	return out
}

// within returns the directories and folders that a condition limits the statement to;
// empty for none. One such condition suffices: others only narrow it further.
func (s *statement) within() Sharees {
	for _, c := range s.conditions {
		if in := c.within(); !in.Empty() {
			return in
		}
	}
	return Sharees{}
}

// within treats a value that is neither the id of a directory nor the path of a folder as
// the whole directory that it begins with.
func (c condition) within() Sharees {
	if !c.ties() {
		return Sharees{}
	}
	var in Sharees
	for _, value := range c.values {
		directory, _, _ := strings.Cut(value, "/")
		folder := value
		if c.operator == "StringLike" {
			folder = strings.TrimSuffix(strings.TrimSuffix(value, "*"), "/")
		}
		if c.key == OwnerPath && isFolder(folder) {
			in.Folders = append(in.Folders, folder)
		} else {
			in.Directories = append(in.Directories, directory)
		}
	}
	return in.And(Sharees{})
}

// settle sets the answer for a party of an Allow.
func (t *Trust) settle(p *Party, s *statement, assumes truth) {
	applies, depends := assumes, s.dependsOn(*p)
	if len(depends) > 0 {
		applies = min(assumes, maybe)
	}
	switch {
	case p.Kind != service && p.Kind != ram && p.Kind != federated && p.Kind != "":
		applies, depends = min(applies, maybe), append(depends, "a principal of a kind that is not known")
	case assumes == maybe:
		depends = append(depends, "an action other than sts:AssumeRole")
	}
	for _, d := range t.statements {
		if !d.deny {
			continue
		}
		switch min(d.takesFrom(s), d.takesAway(*p), d.holds(nil)) {
		case yes:
			p.Answer = Denied
			return
		case maybe:
			applies, depends = min(applies, maybe), append(depends, "a Deny")
		}
	}
	p.Answer = Unsure
	if applies == yes {
		p.Answer = Allowed
	}
	p.Depends = strings.Join(depends, ", ")
}

// others returns the conditions that are not part of the party.
func (s *statement) others(p Party) []condition {
	if p.Within.Empty() {
		return s.conditions
	}
	tied := false
	return slices.DeleteFunc(slices.Clone(s.conditions), func(c condition) bool {
		first := !tied && !c.within().Empty()
		tied = tied || first
		return first
	})
}

// dependsOn names what the statement depends on, so that it may not apply to all of the party.
// The condition that limits the party to directories is part of it.
func (s *statement) dependsOn(p Party) []string {
	var on []string
	for _, c := range s.others(p) {
		on = append(on, c.operator+" "+c.key)
	}
	if s.strange != "" {
		on = append(on, s.strange)
	}
	return on
}

// takesAway reports whether a Deny covers all of a party; maybe, if the kind of its
// principal is unknown. A Deny of some identities does not exclude the rest of a pattern.
func (s *statement) takesAway(p Party) truth {
	if len(s.principals) == 0 {
		return maybe
	}
	t := no
	for _, d := range s.principals {
		switch {
		case p.ID == "" || !covers(lower(d.id), lower(p.ID)):
		case d.kind == p.Kind && (d.kind == service || d.kind == ram || d.kind == federated):
			return yes
		case d.kind != service && d.kind != ram && d.kind != federated:
			t = maybe
		}
	}
	return t
}
