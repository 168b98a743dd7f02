package shares

import (
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// approval is the policy's answer on one sharee, and its name in a trust document, if
// known.
type approval struct {
	answer policy.Match
	why    string
	trust  rampolicy.Sharees
}

func (s *share) approve(x fleet.Sharee) approval {
	switch x.Kind {
	case fleet.ShareeAccount:
		return s.approveAccount(fleet.AccountID(x.ID))
	case fleet.ShareeDirectory:
		return s.approveDirectory(x.ID)
	default:
		return s.approveFolder(x.ID)
	}
}

func (s *share) approveAccount(id fleet.AccountID) approval {
	a := approval{trust: rampolicy.Sharees{Accounts: []fleet.AccountID{id}}}
	approved, d := s.policy.ShareRole.Approved, s.world.Directory
	if _, ok := approved.Account(id); ok {
		a.answer = policy.Yes
		return a
	}
	if approved.Directory == "" && len(approved.Folders) == 0 {
		return a
	}
	switch path := d.V.Members[id]; {
	case !d.Seen():
		a.answer, a.why = policy.Maybe, "the resource directory could not be read: "+d.Why
	case d.V.ID == "":
	case !path.Seen():
		a.answer, a.why = policy.Maybe, "whether it is in the resource directory could not be read: "+path.Why
	case path.V != "":
		a.answer, a.why = s.below(path.V)
	}
	return a
}

func (s *share) approveDirectory(id string) approval {
	a := approval{trust: rampolicy.Sharees{Directories: []string{id}}}
	d := s.world.Directory
	switch {
	case s.policy.ShareRole.Approved.Directory == "":
	case !d.Seen():
		a.answer, a.why = policy.Maybe, "the resource directory could not be read: "+d.Why
	case d.V.ID == "":
		a.answer, a.why, a.trust = policy.No, "the account is in no resource directory", rampolicy.Sharees{}
	case d.V.ID == id:
		a.answer = policy.Yes
	}
	return a
}

func (s *share) approveFolder(id string) approval {
	d := s.world.Directory
	switch {
	case !d.Seen():
		return approval{answer: policy.Maybe, why: "the resource directory could not be read: " + d.Why}
	case d.V.ID == "", strings.HasPrefix(id, "r-") && id != d.V.Root:
		return approval{why: "it is no folder of the account's resource directory"}
	}
	path := d.V.Folders[id]
	if id == d.V.Root {
		path = fleet.See(d.V.ID + "/" + id)
	}
	switch {
	case !path.Seen():
		return approval{answer: policy.Maybe, why: "its path could not be read: " + path.Why}
	case path.V == "":
		return approval{why: "it is no folder of the account's resource directory"}
	}
	a := approval{trust: rampolicy.Sharees{Folders: []string{path.V}}}
	a.answer, a.why = s.below(path.V)
	return a
}

// below answers whether a path in our own directory is in an approved part of it.
func (s *share) below(path string) (policy.Match, string) {
	approved := s.policy.ShareRole.Approved
	if approved.Directory != "" {
		return policy.Yes, ""
	}
	answer, why := policy.No, ""
	for _, f := range approved.Folders {
		folder := s.world.Directory.V.Folders[f.ID]
		switch {
		case !folder.Seen():
			answer, why = policy.Maybe, "the path of folder "+f.ID+" could not be read: "+folder.Why
		case folder.V != "" && strings.HasPrefix(path+"/", folder.V+"/"):
			return policy.Yes, ""
		}
	}
	return answer, why
}
