package shares

import (
	"cmp"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// pending is how long a failed share counts as wanted.
const pending = 24 * time.Hour

// wanted is what the shares of one side require of its role.
type wanted struct {
	// trust are the approved sharees: shared with, tried, or trusted ahead of the first
	// share.
	trust rampolicy.Sharees
	// kept are trust, and all other sharees.
	kept rampolicy.Sharees
	// judged are the sharees in guarded regions: of them, refused are not approved, and for
	// unsure that is unknown.
	judged  rampolicy.Sharees
	refused []fleet.Sharee
	unsure  []string
	// turned are those that a failed share named and the policy does not approve; for
	// turnedUnsure that is unknown, and they need no trust.
	turned       []fleet.Sharee
	turnedUnsure []string
	// sharees is the number of sharees.
	sharees int
	// resources are those that an approved sharee has, or was meant to have; all are those
	// of any sharee.
	resources, all []fleet.SharedResource
	// failed are the shares that failed with a code of the table, each image and accounts
	// once. held are their images, where no grant would help, and resources shared in
	// regions that the policy does not guard: their keys are neither granted nor revoked.
	failed []failedTry
	held   []fleet.SharedResource
	// heldUnread is why resources of unguarded regions may be missing.
	heldUnread string
	// blind is why shares or keys may be missing; empty when none are.
	blind string
}

// want collects the sharees to trust: approved ∩ (sharees, in any state of the association
// ∪ named by a failed share ∪ ahead).
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
	w.kept, w.judged = w.kept.And(a.trust), w.judged.And(a.trust)
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

// shared lists resources that are shared and encrypted, or may be, and records what is
// missing.
func (s *share) shared(w *wanted) []fleet.SharedResource {
	if !s.side.Regions.Seen() {
		w.blind = "the list of regions could not be read: " + s.side.Regions.Why
		return nil
	}
	var out []fleet.SharedResource
	for _, region := range s.side.Regions.V {
		if !s.guards(region.Region) {
			s.elsewhere(w, region)
			continue
		}
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
	if region := s.unlisted(); region != "" {
		w.blind = "the role grants keys of region " + region + ", which ECS or Resource Sharing do not list; if it is gone for good, take its keys from the role's policies by hand"
	}
	return out
}

func (s *share) guards(region fleet.Region) bool {
	return s.policy.Guards(fleet.Scope{Account: s.world.Account, Region: region})
}

// elsewhere records what a region shares that the policy does not guard: no reason to open
// a role or to report, but one to leave it unchanged.
func (s *share) elsewhere(w *wanted, region fleet.ShareRegion) {
	if region.Unread != "" {
		w.heldUnread = "region " + string(region.Region) + " could not be read: " + region.Unread
	}
	for _, r := range region.Resources {
		if r.Keys.Seen() && len(r.Keys.V) == 0 {
			continue
		}
		if !r.Keys.Seen() {
			w.heldUnread = unreadKeys(r)
		}
		w.held = append(w.held, r)
		for _, x := range r.Sharees {
			a := s.approve(x)
			if a.trust.Empty() {
				w.heldUnread = "the place of " + x.String() + " in the resource directory is not known"
			}
			w.kept = w.kept.And(a.trust)
		}
	}
}

// claims adds the approved sharees that failed shares named. Requests only claim them: they
// select among approved sharees and our own images. Where a grant would not help, nothing
// is granted, and no existing grant counts as unneeded.
func (s *share) claims(w *wanted) {
	for _, f := range s.side.Ref.Call.FailedShares() {
		if !s.recent(f) {
			continue
		}
		try := failedTry{FailedShare: f, image: s.claimed(f.ImageID)}
		guarded := try.image == nil || s.guards(try.image.Region)
		for _, id := range f.Accounts {
			if id == s.world.Account {
				continue // it needs no role of its own
			}
			x := fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)}
			switch a := s.approve(x); {
			case a.answer == policy.Yes:
				try.wanted, w.kept = append(try.wanted, id), w.kept.And(a.trust)
				if guarded && try.lacks() {
					w.trust = w.trust.And(a.trust)
				}
			case !guarded:
			case a.answer == policy.Maybe:
				why := "account " + string(id) + ", with whom a share failed: " + a.why
				if !try.lacks() {
					w.turnedUnsure = append(w.turnedUnsure, why)
					continue
				}
				w.unsure, try.unsure = append(w.unsure, why), true
			case id.Valid() && !slices.Contains(w.turned, x):
				w.turned = append(w.turned, x)
			}
		}
		if guarded && !slices.ContainsFunc(w.failed, func(o failedTry) bool { return o.Same(f) }) {
			w.fail(try)
		}
	}
}

// fail adds a failed share, and its image, which was observed to be ours.
func (w *wanted) fail(try failedTry) {
	w.failed = append(w.failed, try)
	switch {
	case try.image == nil:
	case !try.lacks() || len(try.wanted) == 0:
		w.held = append(w.held, *try.image)
	default:
		w.resources = append(w.resources, *try.image)
		if !try.image.Keys.Seen() {
			w.blind = unreadKeys(*try.image)
		}
	}
}

func unreadKeys(r fleet.SharedResource) string {
	return "the keys of " + r.ID + " could not be read: " + r.Keys.Why
}

// claimed is the image of that id, if it was found and is ours.
func (s *share) claimed(id string) *fleet.SharedResource {
	i := slices.IndexFunc(s.side.Claimed, func(r fleet.SharedResource) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &s.side.Claimed[i]
}

// recent reports whether a share failed within the last day.
func (s *share) recent(f fleet.FailedShare) bool {
	at, err := fleet.ParseTime(f.Time)
	return err == nil && s.world.At.Sub(at) <= pending && at.Sub(s.world.At) <= pending
}

// ahead adds sharees that are trusted before the first share.
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
