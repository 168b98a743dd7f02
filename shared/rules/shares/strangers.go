package shares

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// strangers are those whom a role's trust admits and the policy does not approve.
type strangers struct {
	// others are admitted by statements of other forms than the three: only a person can
	// remove those. open reports that one of them includes accounts that are not named,
	// foreign that one is another account's.
	others        []rampolicy.Party
	open, foreign bool
	// named are sharees that statements of the three forms name, without a share: those
	// with a share in a guarded region are judged as sharees. With elsewhere, a resource is
	// shared in a region that the policy does not guard.
	named, elsewhere []fleet.Sharee
	// unsure lists those whose admission or approval is unknown.
	unsure []string
	// idle are approved sharees of another form that no share needs.
	idle []rampolicy.Party
}

// letIn evaluates the role's trust, if there is a role.
func (s *share) letIn() strangers {
	var out strangers
	if s.trust == nil {
		return out
	}
	for _, p := range s.trust.Others() {
		out.add(s, p)
	}
	for _, one := range each(s.trust.Sharees().Without(s.wanted.judged)) {
		x := shareeOf(one)
		admitted := s.admits(one)
		switch answer, why := s.approveParty(one); {
		case admitted == rampolicy.Denied || answer == policy.Yes:
		case answer == policy.Maybe:
			out.unsure = append(out.unsure, x.String()+": "+why)
		case admitted == rampolicy.Unsure:
			out.unsure = append(out.unsure, x.String()+" may be let in: it depends on another statement")
		case one.Without(s.wanted.kept).Empty():
			out.elsewhere = append(out.elsewhere, x)
		default:
			out.named = append(out.named, x)
		}
	}
	return out
}

func (out *strangers) add(s *share, p rampolicy.Party) {
	answer, why := s.approveOther(p)
	switch {
	case answer == policy.Yes:
		if !p.Open && !s.needed(p) {
			out.idle = append(out.idle, p)
		}
	case p.Answer == rampolicy.Allowed && answer == policy.No, p.Open:
		out.others = append(out.others, p)
		out.open = out.open || p.Open
		out.foreign = out.foreign || p.Account != "" && p.Account != s.world.Account || !p.Within.Empty()
	case answer == policy.Maybe:
		out.unsure = append(out.unsure, p.String()+": "+why)
	default:
		out.unsure = append(out.unsure, p.String()+" may be let in: it depends on "+p.Depends)
	}
}

// approveOther: the policy approves sharees, and so the ECS of accounts, directories and
// folders; no other service, and no RAM or federated identity.
func (s *share) approveOther(p rampolicy.Party) (policy.Match, string) {
	if !p.ECS() || p.Open || p.Account == "" && p.Within.Empty() {
		return policy.No, ""
	}
	answer, why := policy.Yes, ""
	for _, one := range each(sharees(p)) {
		a, w := s.approveParty(one)
		if a != policy.Yes && (answer == policy.Yes || a == policy.No) {
			answer, why = a, w
		}
	}
	return answer, why
}

// sharees are those whom a party includes, in the terms of the three forms.
func sharees(p rampolicy.Party) rampolicy.Sharees {
	if !p.Within.Empty() {
		return p.Within
	}
	return rampolicy.Sharees{Accounts: []fleet.AccountID{p.Account}}
}

// approveParty is the policy's answer on one account, directory, or path of a folder.
func (s *share) approveParty(one rampolicy.Sharees) (policy.Match, string) {
	d := s.world.Directory
	switch {
	case len(one.Accounts) > 0:
		a := s.approveAccount(one.Accounts[0])
		return a.answer, a.why
	case len(one.Directories) > 0:
		a := s.approveDirectory(one.Directories[0])
		return a.answer, a.why
	case s.policy.ShareRole.Approved.Directory == "" && len(s.policy.ShareRole.Approved.Folders) == 0:
		return policy.No, ""
	case !d.Seen():
		return policy.Maybe, "the resource directory could not be read: " + d.Why
	case !strings.HasPrefix(one.Folders[0], d.V.ID+"/"):
		return policy.No, ""
	}
	return s.below(one.Folders[0])
}

// needed reports whether a share, existing or approved ahead, needs an approved party or a
// part of it.
func (s *share) needed(p rampolicy.Party) bool {
	return slices.ContainsFunc(each(sharees(p)), func(in rampolicy.Sharees) bool {
		return slices.ContainsFunc(each(s.wanted.kept), func(one rampolicy.Sharees) bool { return s.within(one, in) })
	})
}

// within reports whether one sharee is another, or in it or below it in the resource directory.
func (s *share) within(one, in rampolicy.Sharees) bool {
	if one.Without(in).Empty() {
		return true
	}
	below := slices.Concat(in.Directories, in.Folders)
	path := strings.Join(one.Folders, "")
	if len(one.Accounts) > 0 {
		path = s.world.Directory.V.Members[one.Accounts[0]].V
	}
	return len(below) > 0 && strings.HasPrefix(path+"/", below[0]+"/")
}

func shareeOf(one rampolicy.Sharees) fleet.Sharee {
	switch {
	case len(one.Accounts) > 0:
		return fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(one.Accounts[0])}
	case len(one.Directories) > 0:
		return fleet.Sharee{Kind: fleet.ShareeDirectory, ID: one.Directories[0]}
	}
	return fleet.Sharee{Kind: fleet.ShareeFolder, ID: one.Folders[0]}
}

// all lists those who are let in and not approved.
func (x *strangers) all() string {
	var out []string
	for _, n := range x.named {
		out = append(out, n.String())
	}
	if len(x.others) > 0 {
		out = append(out, some(x.others))
	}
	return strings.Join(out, ", ")
}

// perhaps continues the reason of a finding with the unknown ones.
func (x *strangers) perhaps() string {
	if len(x.unsure) == 0 {
		return ""
	}
	return "; of others it could not be determined: " + together(x.unsure)
}

// openTrust reports a role that admits others than sharees: every account, at worst.
func openTrust(s *share) fleet.Verdict {
	if s.trust == nil {
		return fleet.Verdict{} // share-trust has reported it, or there is no role
	}
	x := s.strangers
	v := verdict.Violation(fleet.Medium, fmt.Sprintf("the role %s lets in others than the ECS of sharees, who may use its keys: %s", s.roleName(), some(x.others)),
		"take them out of the role's trust policy; Fleetwarden leaves statements of other forms as they are",
		verdict.Observed("let in", some(x.others)))
	v.Reason += x.perhaps()
	switch {
	case x.open:
		v.Severity, v.Reason = fleet.Critical, fmt.Sprintf("every Alibaba Cloud account may assume the role %s and use its keys, or nearly every one: it lets in %s", s.roleName(), some(x.others))
		v.Remedy = "name the accounts or identities in the statement instead of a pattern, or take it out of the role's trust policy"
		if len(s.trust.UnconditionalWildcards()) > 0 {
			v.Remedy = fmt.Sprintf("add a condition on %s or %s to the statement, or name accounts; Fleetwarden writes no trust policy that holds such a statement",
				rampolicy.OwnerDirectory, rampolicy.OwnerPath)
		}
		return v
	case x.foreign:
		v.Severity = fleet.High
		return v
	case len(x.others) > 0:
		return v
	case len(x.unsure) > 0:
		return verdict.Undecided("whom the role " + s.roleName() + " lets in could not be determined: " + together(x.unsure))
	}
	return verdict.Passes("the role lets in sharees alone", verdict.Observed("role", s.roleName()))
}

// openedTo describes whether the role admits the ECS of sharees that are not approved.
func (s *share) openedTo(list []fleet.Sharee) string {
	if s.trust == nil {
		if s.side.Role.Seen() && s.side.Role.V.Missing {
			return "the role " + s.roleName() + " is not opened to them"
		}
		return "whether the role " + s.roleName() + " lets them in is not known"
	}
	var in, unsure []fleet.Sharee
	for _, x := range list {
		admitted := rampolicy.Unsure // its path is unknown
		for _, one := range each(s.approve(x).trust) {
			admitted = s.admits(one)
		}
		if slices.ContainsFunc(s.strangers.others, func(p rampolicy.Party) bool { return string(p.Account) == x.ID }) {
			admitted = rampolicy.Allowed // not its ECS, perhaps, but identities of it
		}
		switch admitted {
		case rampolicy.Allowed:
			in = append(in, x)
		case rampolicy.Unsure:
			unsure = append(unsure, x)
		}
	}
	var out []string
	if len(in) > 0 {
		out = append(out, fmt.Sprintf("the role %s trusts %s, who can use what is shared with them", s.roleName(), some(in)))
	}
	if len(unsure) > 0 {
		out = append(out, fmt.Sprintf("whether the role %s lets in %s could not be determined", s.roleName(), some(unsure)))
	}
	switch rest := len(list) - len(in) - len(unsure); {
	case len(out) == 0:
		return "the role " + s.roleName() + " is not opened to them"
	case rest > 0:
		out = append(out, "it is not opened to the others")
	}
	return strings.Join(out, "; ")
}

// shareeApproved reports sharees of encrypted resources, and accounts that the role admits,
// that the policy does not approve.
func shareeApproved(s *share) fleet.Verdict {
	w, x := s.wanted, s.strangers
	var v fleet.Verdict
	switch {
	case len(w.refused) > 0:
		v = verdict.Violation(fleet.High, fmt.Sprintf("shared with %s, whom the policy does not approve; %s", some(w.refused), s.openedTo(w.refused)),
			"end the share, or approve the sharee in the policy file: controls.shareRole.approved", verdict.Observed("not approved", some(w.refused)))
	case len(x.named)+len(x.others) > 0:
		v = verdict.Violation(fleet.High, fmt.Sprintf("the role %s lets in %s, whom the policy does not approve", s.roleName(), x.all())+x.perhaps(),
			"take them out of the role's trust policy, or approve the sharee in the policy file: controls.shareRole.approved", verdict.Observed("not approved", x.all()))
	case len(w.turned) > 0:
		v = verdict.Violation(fleet.Low, fmt.Sprintf("a share failed with %s, whom the policy does not approve; %s", some(w.turned), s.openedTo(w.turned)),
			"approve the sharee in the policy file, if the share is wanted: controls.shareRole.approved", verdict.Claimed("not approved", some(w.turned)))
	case len(w.unsure)+len(w.turnedUnsure)+len(x.unsure) > 0:
		return verdict.Undecided("whether a sharee is approved could not be determined: " + together(slices.Concat(w.unsure, w.turnedUnsure, x.unsure)))
	case len(x.elsewhere) > 0:
		return verdict.Undecided(fmt.Sprintf("the role %s lets in %s, whom the policy does not approve, and with whom something is shared in a region that it does not guard", s.roleName(), some(x.elsewhere)))
	case w.blind != "":
		return verdict.Undecided("not all shares could be seen: " + w.blind)
	case !s.side.Role.Seen() || s.trust == nil && !s.side.Role.V.Missing:
		return verdict.Undecided("whom the role " + s.roleName() + " lets in could not be read")
	case w.sharees == 0:
		return verdict.NotApplicable("nothing encrypted is shared")
	default:
		return verdict.Passes(fmt.Sprintf("the policy approves all %d sharees", w.sharees), verdict.Observed("sharees", fmt.Sprint(w.sharees)))
	}
	if text := x.all(); len(w.refused) > 0 && text != "" {
		v.Reason += "; it lets in " + text + ", whom the policy does not approve either"
		v.Evidence = append(v.Evidence, verdict.Observed("let in", text))
	}
	return v
}
