package shares

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// maxTrust is the largest trust document that we write, in bytes. The limit is not
// published; RAM refuses a longer one, and changes nothing.
const maxTrust = rampolicy.MaxPolicy

// shareTrust checks that the share role trusts the ECS of all wanted sharees.
func shareTrust(s *share) fleet.Verdict {
	role := s.side.Role
	switch {
	case !role.Seen():
		return verdict.Undecided("the role " + s.roleName() + " could not be read: " + role.Why)
	case role.V.Missing && s.wanted.trust.Empty():
		if why := s.wanted.unknown(); why != "" {
			return verdict.Undecided("there is no role " + s.roleName() + ", and " + why)
		}
		return verdict.NotApplicable("nothing encrypted is shared with an approved sharee, and no sharee is approved ahead")
	case role.V.Missing:
		return s.withoutShareRole()
	}
	if s.trust == nil {
		_, err := rampolicy.ParseTrust(role.V.Trust)
		return verdict.Undecided(fmt.Sprintf("the trust of the role %s could not be read, and it is left unchanged: %v", s.roleName(), err))
	}
	missing := s.untrusted()
	switch {
	case !missing.Empty():
		return s.widen(missing)
	case len(s.strangers.others) > 0:
		return verdict.Violation(fleet.Medium, fmt.Sprintf("the role %s lets in others than approved sharees, by statements that are not ours: %s", s.roleName(), some(s.strangers.others)),
			"take them out of the role's trust policy", verdict.Observed("let in", some(s.strangers.others)))
	case len(s.strangers.unsure) > 0:
		return verdict.Undecided("whom the role " + s.roleName() + " lets in could not be determined: " + together(s.strangers.unsure))
	case s.wanted.unknown() != "":
		return verdict.Undecided("the role trusts all that are wanted for certain, but " + s.wanted.unknown())
	case s.wanted.trust.Empty():
		return verdict.NotApplicable("nothing encrypted is shared with an approved sharee, and no sharee is approved ahead")
	}
	return verdict.Passes("the role trusts the ECS of all approved sharees", verdict.Observed("role", s.roleName()), verdict.Observed("trusted", names(s.wanted.trust)))
}

// unknown is why more sharees may be wanted than are known; "" when all are known.
func (w *wanted) unknown() string {
	switch {
	case w.blind != "":
		return "not all shares could be seen: " + w.blind
	case len(w.unsure) > 0:
		return "whether a sharee is approved could not be determined: " + together(w.unsure)
	}
	return ""
}

// withoutShareRole is the verdict on sharees that need a missing role.
func (s *share) withoutShareRole() fleet.Verdict {
	v := verdict.Violation(fleet.High, fmt.Sprintf("the role %s is missing: %s cannot use what is shared, and no encrypted share can succeed", s.roleName(), names(s.wanted.trust)),
		"make the RAM role "+s.roleName()+", trusted by the ECS of the sharees", verdict.Observed("role", "missing"), verdict.Observed("wanted", names(s.wanted.trust)))
	none := &rampolicy.Trust{}
	doc, blocked := printed(none.Merge(s.wanted.trust))
	if blocked != "" {
		v.Reason += "; " + blocked
		return v
	}
	v.Changes = []fleet.Change{{Kind: fleet.EnsureShareRole, Ref: s.roleRef(), Want: doc, Reason: v.Reason}}
	return v
}

// untrusted are the wanted sharees that the role does not trust. Trust that is about to be
// revoked does not count: an account must not depend on a directory that no share needs.
func (s *share) untrusted() rampolicy.Sharees {
	base := s.trust
	if s.ours() && !s.stale.Empty() {
		if less, err := base.Subtract(s.stale); err == nil {
			base = less
		}
	}
	// A statement that trusts every account does not count.
	open := len(base.UnconditionalWildcards()) > 0
	var out rampolicy.Sharees
	for _, one := range each(s.wanted.trust.Without(named(base, open))) {
		if open || s.trusts(base, one) != rampolicy.Allowed {
			out = out.And(one)
		}
	}
	return out
}

// named are those whose name is in the document: beside an open statement there is no
// better answer.
func named(t *rampolicy.Trust, open bool) rampolicy.Sharees {
	if open {
		return t.Sharees()
	}
	return rampolicy.Sharees{}
}

// anAccount is an account that no statement names.
const anAccount = "0"

// place is the context of an account at a path of the resource directory.
func place(path string) map[string][]string {
	directory, _, _ := strings.Cut(path, "/")
	return map[string][]string{rampolicy.OwnerDirectory: {directory}, rampolicy.OwnerPath: {path}}
}

// admits answers whether the role admits the ECS of one sharee; of a directory or a folder,
// of any account directly in it: it is Denied only if all of it is.
func (s *share) admits(one rampolicy.Sharees) rampolicy.Answer {
	answer := s.trusts(s.trust, one)
	if answer != rampolicy.Unsure {
		return answer
	}
	for _, path := range slices.Concat(one.Directories, one.Folders) {
		if s.trust.Trusts(rampolicy.Service(anAccount), place(path)) == rampolicy.Allowed {
			return rampolicy.Allowed
		}
	}
	return rampolicy.Unsure
}

// trusts evaluates a document for the ECS of one sharee; of a directory or a folder, for
// all accounts in it.
func (s *share) trusts(t *rampolicy.Trust, one rampolicy.Sharees) rampolicy.Answer {
	switch {
	case len(one.Accounts) > 0:
		id := one.Accounts[0]
		if path := s.world.Directory.V.Members[id]; path.Seen() && path.V != "" {
			return t.Trusts(rampolicy.Service(string(id)), place(path.V))
		}
		return t.TrustsService(rampolicy.Service(string(id)))
	case len(one.Directories) > 0:
		return t.Trusts(rampolicy.Service(anAccount), place(one.Directories[0]+"/*"))
	default:
		return t.Trusts(rampolicy.Service(anAccount), place(one.Folders[0]+"*"))
	}
}

// lacking describes the missing trust.
func (s *share) lacking(missing rampolicy.Sharees) string {
	most := rampolicy.Denied
	for _, one := range each(missing) {
		most = max(most, s.trusts(s.trust, one))
	}
	switch {
	case most == rampolicy.Denied:
		return fmt.Sprintf("the role %s does not trust the ECS of %s, who cannot use what is shared", s.roleName(), names(missing))
	case most == rampolicy.Allowed && len(s.trust.UnconditionalWildcards()) > 0:
		return fmt.Sprintf("the role %s trusts the ECS of %s only by a statement that trusts every account", s.roleName(), names(missing))
	}
	return fmt.Sprintf("the role %s does not trust the ECS of %s for certain, or only by a statement that is to be taken away", s.roleName(), names(missing))
}

// widen adds the missing sharees to the role's trust: our role's three forms are rewritten,
// in another author's role statements are only added.
func (s *share) widen(missing rampolicy.Sharees) fleet.Verdict {
	v := verdict.Violation(fleet.High, s.lacking(missing),
		"add them to the trust policy of the role "+s.roleName(), verdict.Observed("role", s.roleName()), verdict.Observed("not trusted", names(missing)))
	change := s.trust.Add
	if s.ours() {
		change = s.trust.Merge
	}
	wider, err := change(missing)
	doc, blocked := printed(wider, err)
	if blocked == "" {
		for _, one := range each(missing) {
			if s.trusts(wider, one) != rampolicy.Allowed {
				blocked = "another statement of its trust policy stands against " + names(one)
			}
		}
	}
	if blocked != "" {
		v.Reason += "; not changed: " + blocked
		return v
	}
	v.Changes = []fleet.Change{{Kind: fleet.SetShareTrust, Ref: s.roleRef(), Before: s.side.Role.V.Trust, Want: doc, Reason: v.Reason}}
	return v
}

// printed is the document to write, or why there is none.
func printed(t *rampolicy.Trust, err error) (doc, blocked string) {
	if err != nil {
		return "", err.Error()
	}
	doc, err = t.Print()
	switch {
	case errors.Is(err, rampolicy.ErrWildcard):
		return "", "its trust policy holds a statement that trusts every account; take that away first"
	case errors.Is(err, rampolicy.ErrEmpty):
		return "", "it is all that the role trusts, and RAM takes no trust policy without a statement; detach the policies of keys from the role, and it opens nothing"
	case err != nil:
		return "", err.Error()
	case len(doc) > maxTrust:
		return "", fmt.Sprintf("its trust policy would have %d bytes, more than %d; approve and share with a folder or the whole resource directory instead of single accounts", len(doc), maxTrust)
	}
	return doc, ""
}

func each(s rampolicy.Sharees) []rampolicy.Sharees {
	var out []rampolicy.Sharees
	for _, a := range s.Accounts {
		out = append(out, rampolicy.Sharees{Accounts: []fleet.AccountID{a}})
	}
	for _, d := range s.Directories {
		out = append(out, rampolicy.Sharees{Directories: []string{d}})
	}
	for _, f := range s.Folders {
		out = append(out, rampolicy.Sharees{Folders: []string{f}})
	}
	return out
}

// names formats sharees.
func names(s rampolicy.Sharees) string {
	var out []fleet.Sharee
	for _, a := range s.Accounts {
		out = append(out, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(a)})
	}
	for _, d := range s.Directories {
		out = append(out, fleet.Sharee{Kind: fleet.ShareeDirectory, ID: d})
	}
	for _, f := range s.Folders {
		out = append(out, fleet.Sharee{Kind: fleet.ShareeFolder, ID: f})
	}
	return some(out)
}
