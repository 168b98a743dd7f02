package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

const (
	// maxShareAccounts is how many accounts ModifyImageSharePermission obeys in a call.
	maxShareAccounts = 10
	// maxRetries is how many retries of one day a tag of 128 characters remembers.
	maxRetries = 9
	// roleSettles is how long a role that was just made or changed is left alone.
	roleSettles = time.Minute
	// maxWaits is how often a share waits for the role to stand.
	maxWaits = 8
)

// failedTry is a share that failed for want of the role within the last day.
type failedTry struct {
	// named is the image's id as the request named it; image is nil unless it was seen
	// and is ours.
	named string
	image *fleet.SharedResource
	// accounts are the approved among those that it named, sorted.
	accounts []fleet.AccountID
	// unsure: of others that it named that could not be told. They are repeated together.
	unsure bool
}

func (f failedTry) same(o failedTry) bool {
	return f.named == o.named && slices.Equal(f.accounts, o.accounts)
}

// with are the accounts of one call that repeats the share.
func (f failedTry) with() []fleet.AccountID {
	return f.accounts[:min(len(f.accounts), maxShareAccounts)]
}

// absent are those of them that the image is not shared with.
func (f failedTry) absent() []fleet.AccountID {
	return slices.DeleteFunc(slices.Clone(f.with()), func(id fleet.AccountID) bool {
		return slices.Contains(f.image.Sharees, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)})
	})
}

// failedShare repeats, where the policy asks for it, image shares that failed for want
// of the role: each once for its image, its approved accounts and a day. A failed call
// only says which image and which accounts. Whether the image is ours, encrypted and not
// shared yet is observed, whether the accounts may have it is up to the policy.
//
// What was tried stands in a tag of the share role, which is read anyway and written
// before the share: whoever ends a share, or sends its event twice, or kills the pass
// in between, never sees it repeated that day. So a pass that dies between the tag and
// the share leaves a share that was not repeated, and says so. Written after the share,
// the tag would be missing when a pass dies there, or RAM refuses it, and what the
// sharer has ended meanwhile would come back: nothing that can be read, not the ledger's
// open intent either, tells a share that was never made from one that was made and ended.
// A share too few costs its owner one call; one too many opens what was closed.
//
// What is settled is said of its image: there the ledger finds what became of a share
// whose pass died.
func failedShare(s *share) []fleet.Verdict {
	if !s.policy.ShareRole.RetryFailedShare {
		return nil
	}
	r := repeats{share: s}
	r.day, r.tried = s.triedToday()
	if s.trust != nil {
		r.untrusted = s.untrusted()
	}
	var out []fleet.Verdict
	for _, f := range s.wanted.failed {
		if f.image == nil || !sharable(*f.image) {
			continue // not ours, or said by share-keys or service-key
		}
		if v := r.judge(f); v.Outcome != "" {
			v.Ref = s.imageRef(f)
			out = append(out, v)
		}
	}
	if len(r.due)+len(r.early) > 0 {
		out = append(out, r.repeat())
	}
	return out
}

// repeats is what becomes of the failed shares of one look.
type repeats struct {
	*share
	day       string
	tried     []string
	untrusted rampolicy.Sharees
	// due are repeated now, early once the role stands.
	due, early []failedTry
}

// judge says what is settled about a share, or notes that it is to be repeated.
func (r *repeats) judge(f failedTry) fleet.Verdict {
	v := violation(fleet.Medium, "sharing image "+f.image.ID+" failed for want of the role "+r.roleName(),
		"share it again yourself, if it is still wanted", observed("image", f.image.ID+", not shared with "+joined(f.absent())))
	switch digest := tryOf(f.image.ID, f.with()); {
	case len(f.absent()) == 0:
		return passes("image "+f.image.ID+" is shared by now", observed("shared with", joined(f.with())))
	case r.side.Role.Seen() && !r.side.Role.V.Missing && !r.side.Tags.Seen():
		return undecided("whether the share was repeated today could not be read: " + r.side.Tags.Why)
	case slices.Contains(r.tried, digest):
		v.Reason += "; it was repeated today, and is not shared: it was ended since, or the pass died before the share"
	case len(r.tried) >= maxRetries:
		v.Reason += fmt.Sprintf("; not repeated: %d shares were today", maxRetries)
	case !r.complete(f, r.untrusted):
		r.early = append(r.early, f)
		return fleet.Verdict{}
	default:
		r.due, r.tried = append(r.due, f), append(r.tried, digest)
		return fleet.Verdict{}
	}
	return v
}

// repeat has the shares repeated that are due, and asks for another look at the others,
// if anything will have changed by then.
func (r *repeats) repeat() fleet.Verdict {
	all := slices.Concat(r.due, r.early)
	v := violation(fleet.Medium, fmt.Sprintf("sharing %s failed for want of the role %s", images(all), r.roleName()),
		"share it again once share-trust and share-keys pass")
	for _, f := range all {
		v.Evidence = append(v.Evidence, observed("image", f.image.ID+", not shared with "+joined(f.absent())))
	}
	if len(r.due) > 0 {
		r.retry(&v)
	}
	if len(r.early) == 0 {
		return v
	}
	v.Reason += "; " + images(r.early) + " is repeated once the role stands and all accounts are known"
	if n := r.side.Ref.Try.N; r.policy.ModeOf(policy.ControlShareRole) == policy.Enforce && n < maxWaits {
		v.Again = roleSettles << max(n, 0)
	}
	return v
}

// retry adds the shares, each image with its own accounts, and the mark that they need.
// The mark is made first and listed last: what the limit of a pass holds it holds from
// the end of the list, and a mark without its share would be a share that nobody makes.
func (r *repeats) retry(v *fleet.Verdict) {
	mark := strings.Join(append([]string{r.day}, r.tried...), "-")
	for _, f := range r.due {
		v.Changes = append(v.Changes, fleet.Change{Kind: fleet.RetryShare, Ref: r.imageRef(f), Want: joined(f.with()), Needs: r.roleRef().Key(),
			Reason: "sharing image " + f.image.ID + " failed for want of the role " + r.roleName()})
	}
	v.Changes = append(v.Changes, fleet.Change{Kind: fleet.MarkRetried, Ref: r.roleRef(), Before: r.side.Tags.V[fleet.TagRetried], Want: mark, Reason: v.Reason})
}

func (s *share) imageRef(f failedTry) fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: s.world.Account, Region: f.image.Region}, Kind: fleet.KindImage, ID: f.image.ID}
}

// images names the images of shares.
func images(of []failedTry) string {
	var ids []imageID
	for _, f := range of {
		ids = append(ids, imageID(f.image.ID))
	}
	return some(slices.Compact(ids))
}

// imageID is an image for people.
type imageID string

func (id imageID) String() string { return "image " + string(id) }

// sharable reports whether all keys of an encrypted image can be shared.
func sharable(image fleet.SharedResource) bool {
	return image.Keys.Seen() && len(image.Keys.V) > 0 &&
		!slices.ContainsFunc(image.Keys.V, func(k fleet.KMSKey) bool { return !k.Service.Seen() || k.Service.V })
}

// complete reports whether all approved accounts of a share are known, and the role trusts
// them and grants its image's keys.
func (s *share) complete(f failedTry, untrusted rampolicy.Sharees) bool {
	if f.unsure || s.trust == nil || slices.ContainsFunc(f.accounts, func(id fleet.AccountID) bool { return slices.Contains(untrusted.Accounts, id) }) {
		return false
	}
	keys, unsure := s.inUse([]fleet.SharedResource{*f.image})
	return len(keys) > 0 && len(unsure) == 0 && len(s.ungranted(keys)) == 0
}

// triedToday lists what the role's tag remembers of today.
func (s *share) triedToday() (day string, digests []string) {
	day = s.world.At.UTC().Format("20060102")
	of, list, _ := strings.Cut(s.side.Tags.V[fleet.TagRetried], "-")
	if of != day || list == "" {
		return day, nil
	}
	return day, strings.Split(list, "-")
}

func tryOf(image string, accounts []fleet.AccountID) string {
	sum := sha256.Sum256([]byte(image + " " + joined(accounts)))
	return hex.EncodeToString(sum[:6])
}

// joined lists accounts as a change does: separated by blanks.
func joined(accounts []fleet.AccountID) string {
	out := make([]string, len(accounts))
	for i, id := range accounts {
		out[i] = string(id)
	}
	return strings.Join(out, " ")
}
