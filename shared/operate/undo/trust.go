package undo

import (
	"slices"
	"strings"

	"fleetwarden/shared/rampolicy"
)

// untrusted refuses a trust document that must not be written, whoever wrote it before.
// It is not quoted.
//
// What the run left stands for the live document: an item is put back only where the live
// one says the same, as seen right before.
func (p *Plan) untrusted(it *Item) (why, remedy string) {
	byHand := "put the trust policy of the role " + it.ref.ID + " right by hand"
	before, err := rampolicy.ParseTrust(it.From)
	if err != nil {
		return "the trust policy of before could not be read: " + err.Error(), byHand
	}
	if len(before.UnconditionalWildcards()) > 0 {
		return "the trust policy of before trusts the ECS of every account, and is not written again",
			"leave it; whoever needs more trust adds it to the role " + it.ref.ID + " for named accounts or a resource directory"
	}
	left, err := rampolicy.ParseTrust(it.To)
	if err != nil {
		return "the trust policy that the run left could not be read: " + err.Error(), byHand
	}
	if !covers(left, p.approved(before.Sharees()), before) {
		return "the trust policy of before trusts somebody whom the role does not trust now, and whom the policy file does not approve by account or folder",
			"approve them in the policy file and undo again, or " + byHand
	}
	if !covers(before, left.Sharees(), left) {
		return "the trust policy of before leaves out what no control takes away", byHand
	}
	return "", ""
}

// covers reports whether a document, with some sharees more, says all that another says.
func covers(t *rampolicy.Trust, more rampolicy.Sharees, all *rampolicy.Trust) bool {
	with, err := t.Add(more)
	return err == nil && with.Holds(all)
}

// approved are those of s that the policy file approves by themselves, or by a folder
// that they are in. Who is in the account's own directory is not known here, so nobody is
// approved by that.
func (p *Plan) approved(s rampolicy.Sharees) (out rampolicy.Sharees) {
	list := p.policy.ShareRole.Approved
	for _, a := range s.Accounts {
		if _, ok := list.Account(a); ok {
			out.Accounts = append(out.Accounts, a)
		}
	}
	for _, path := range s.Folders {
		in := strings.Split(path, "/")
		for _, f := range list.Folders {
			if slices.Contains(in, f.ID) {
				out.Folders = append(out.Folders, path)
				break
			}
		}
	}
	return out
}
