package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// pending is how long a share that failed for want of the role is counted as wanted.
const pending = 24 * time.Hour

// wanted is what the shares of one side ask of its role.
type wanted struct {
	// trust are the approved: shared with now, tried to, or ahead of the first share.
	trust rampolicy.Sharees
	// kept are trust, and all others that something is shared with.
	kept rampolicy.Sharees
	// refused are shared with and not approved; for unsure that could not be told.
	refused []fleet.Sharee
	unsure  []string
	// turned are those that a failed share named and the policy does not approve.
	turned []fleet.Sharee
	// sharees is how many are shared with.
	sharees int
	// resources are those that an approved sharee has, or was meant to have; all are
	// those that anybody has.
	resources, all []fleet.SharedResource
	// failed are the shares that failed for want of the role and named somebody approved.
	failed []failedTry
	// blind says why there may be shares, or keys, that were not seen; empty when there
	// are none.
	blind string
}

// want collects who is to be trusted: approved ∩ (shared with now, whatever the state
// of the association ∪ named by a failed share ∪ ahead).
func (s *share) want() wanted {
	var w wanted
	approvals := map[fleet.Sharee]approval{}
	count := func(x fleet.Sharee) bool {
		a, seen := approvals[x]
		if !seen {
			a = s.approve(x)
			approvals[x] = a
			w.count(x, a)
		}
		return a.answer == policy.Yes
	}
	for _, r := range s.shared(&w) {
		w.all = append(w.all, r)
		approved := false
		for _, x := range r.Sharees {
			approved = count(x) || approved
		}
		if approved {
			w.resources = append(w.resources, r)
		}
	}
	s.claims(&w)
	s.ahead(&w)
	w.kept = w.kept.And(w.trust)
	slices.SortFunc(w.refused, func(a, b fleet.Sharee) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return w
}

func (w *wanted) count(x fleet.Sharee, a approval) {
	w.sharees++
	w.kept = w.kept.And(a.trust)
	switch a.answer {
	case policy.Yes:
		w.trust = w.trust.And(a.trust)
	case policy.Maybe:
		w.unsure = append(w.unsure, x.String()+": "+a.why)
	default:
		w.refused = append(w.refused, x)
	}
	if a.trust.Empty() {
		w.blind = "the place of " + x.String() + " in the resource directory is not known"
	}
}

// shared lists what is shared and encrypted, or may be, and notes what was not seen.
func (s *share) shared(w *wanted) []fleet.SharedResource {
	if !s.side.Regions.Seen() {
		w.blind = "the list of regions could not be read: " + s.side.Regions.Why
		return nil
	}
	var out []fleet.SharedResource
	for _, region := range s.side.Regions.V {
		if region.Unread != "" {
			w.blind = "region " + string(region.Region) + " could not be read: " + region.Unread
		}
		for _, r := range region.Resources {
			if r.Keys.Seen() && len(r.Keys.V) == 0 {
				continue // not encrypted: needs no role
			}
			if !r.Keys.Seen() {
				w.blind = unreadKeys(r)
			}
			out = append(out, r)
		}
	}
	return out
}

// claims adds the approved among those that failed shares named. Only requests said so:
// they select from what the policy approves, and from what is ours.
func (s *share) claims(w *wanted) {
	for _, f := range s.side.Ref.Call.FailedShares() {
		if !s.recent(f) {
			continue
		}
		try := failedTry{named: f.ImageID, image: s.claimed(f.ImageID)}
		for _, id := range f.Accounts {
			x := fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)}
			a := s.approve(x)
			switch {
			case id == s.world.Account: // it needs no role of its own
			case a.answer == policy.Yes:
				w.trust, try.accounts = w.trust.And(a.trust), append(try.accounts, id)
			case a.answer == policy.Maybe:
				w.unsure, try.unsure = append(w.unsure, "account "+string(id)+", with whom a share failed: "+a.why), true
			case id.Valid() && !slices.Contains(w.turned, x):
				w.turned = append(w.turned, x)
			}
		}
		if len(try.accounts) > 0 && !slices.ContainsFunc(w.failed, try.same) {
			w.fail(try)
		}
	}
}

// fail adds a failed share, and the image that it was about: ours for certain, unlike
// whatever else a request named.
func (w *wanted) fail(try failedTry) {
	w.failed = append(w.failed, try)
	if try.image == nil {
		return
	}
	w.resources = append(w.resources, *try.image)
	if !try.image.Keys.Seen() {
		w.blind = unreadKeys(*try.image)
	}
}

func unreadKeys(r fleet.SharedResource) string {
	return "the keys of " + r.ID + " could not be read: " + r.Keys.Why
}

// claimed is the image of that id, if it was seen and is ours.
func (s *share) claimed(id string) *fleet.SharedResource {
	i := slices.IndexFunc(s.side.Claimed, func(r fleet.SharedResource) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &s.side.Claimed[i]
}

// recent reports whether a share failed within the last day.
func (s *share) recent(f fleet.FailedShare) bool {
	at, err := time.Parse(time.RFC3339, f.Time)
	return err == nil && s.world.At.Sub(at) <= pending && at.Sub(s.world.At) <= pending
}

// ahead adds those that are trusted before anything is shared with them.
func (s *share) ahead(w *wanted) {
	approved := s.policy.ShareRole.Approved
	var ahead []fleet.Sharee
	for _, a := range approved.Accounts {
		if a.Trust == policy.TrustAhead {
			ahead = append(ahead, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(a.ID)})
		}
	}
	for _, f := range approved.Folders {
		if f.Trust == policy.TrustAhead {
			ahead = append(ahead, fleet.Sharee{Kind: fleet.ShareeFolder, ID: f.ID})
		}
	}
	if approved.Directory == policy.TrustAhead {
		ahead = append(ahead, fleet.Sharee{Kind: fleet.ShareeDirectory, ID: s.world.Directory.V.ID})
	}
	for _, x := range ahead {
		a := s.approve(x)
		if a.answer == policy.Yes {
			w.trust = w.trust.And(a.trust)
			continue
		}
		w.unsure = append(w.unsure, "approved ahead, "+x.String()+": "+a.why)
		w.blind = "the place of " + x.String() + " in the resource directory is not known"
	}
}

// approval is the policy's answer on one sharee, and how a trust document names it:
// by nothing, if that is not known.
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

// below answers whether a place in our own directory is in an approved part of it.
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
