package undo

import (
	"slices"
	"strings"

	"fleetwarden/shared/rampolicy"
)

// untrusted says why a trust document must not be written, whoever wrote it before. It does not
// quote the document.
//
// The document that the run left stands for the live one: an item is restored only if the live
// one means the same, which is read right before.
func (p *Plan) untrusted(it *Item) (why, remedy string) {
	byHand := "repair the trust policy of the role " + it.ref.ID + " by hand"
	before, err := rampolicy.ParseTrust(it.From)
	if err != nil {
		return "the earlier trust policy could not be read: " + err.Error(), byHand
	}
	if len(before.UnconditionalWildcards()) > 0 {
		return "the earlier trust policy trusts the ECS of every account, and is not written again",
			"leave it; if more trust is needed, add it to the role " + it.ref.ID + " for named accounts or a resource directory"
	}
	left, err := rampolicy.ParseTrust(it.To)
	if err != nil {
		return "the trust policy that the run left could not be read: " + err.Error(), byHand
	}
	if !covers(left, p.approved(before.Sharees()), before) {
		return "the earlier trust policy trusts an account, folder or other principal that the role does not trust now and the policy file does not approve by account or folder",
			"approve it in the policy file and undo again, or " + byHand
	}
	if !covers(before, left.Sharees(), left) {
		return "the earlier trust policy lacks statements that no control removes", byHand
	}
	return "", ""
}

// covers reports whether a document with some more sharees has all that another has.
func covers(t *rampolicy.Trust, more rampolicy.Sharees, all *rampolicy.Trust) bool {
	with, err := t.Add(more)
	return err == nil && with.Holds(all)
}

// approved are those of s that the policy file approves by themselves, or by a folder that they
// are in. It approves none as a member of the account's own directory, whose members are not
// known here.
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
