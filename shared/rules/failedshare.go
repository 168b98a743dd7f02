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
func failedShare(s *share) fleet.Verdict {
	if !s.policy.ShareRole.RetryFailedShare {
		return fleet.Verdict{}
	}
	var open, done []failedTry
	for _, f := range s.wanted.failed {
		switch {
		case f.image == nil || !sharable(*f.image): // not ours, or said by share-keys or service-key
		case len(f.absent()) == 0:
			done = append(done, f)
		default:
			open = append(open, f)
		}
	}
	switch {
	case len(open) > 0 && s.side.Role.Seen() && !s.side.Role.V.Missing && !s.side.Tags.Seen():
		return undecided("whether the share was repeated today could not be read: " + s.side.Tags.Why)
	case len(open) > 0:
		return s.repeat(open)
	case len(done) > 0:
		return passes("shared by now: "+images(done), observed("shared", images(done)))
	}
	return fleet.Verdict{}
}

// repeat says of each share what becomes of it, and has those repeated that are due.
func (s *share) repeat(open []failedTry) fleet.Verdict {
	v := violation(fleet.Medium, fmt.Sprintf("sharing %s failed for want of the role %s", images(open), s.roleName()),
		"share again what is not repeated, once share-trust and share-keys pass")
	day, tried := s.tried()
	var untrusted rampolicy.Sharees
	if s.trust != nil {
		untrusted = s.untrusted()
	}
	var due, spent, over, early []failedTry
	for _, f := range open {
		v.Evidence = append(v.Evidence, observed("image", f.image.ID), observed("not shared with", joined(f.absent())))
		switch digest := tryOf(f.image.ID, f.with()); {
		case slices.Contains(tried, digest):
			spent = append(spent, f)
		case len(tried) >= maxRetries:
			over = append(over, f)
		case !s.complete(f, untrusted):
			early = append(early, f)
		default:
			due, tried = append(due, f), append(tried, digest)
		}
	}
	v.Reason += told(spent, "repeated today, and not shared: ended since, or the pass died before the share") +
		told(over, fmt.Sprintf("not repeated, since %d shares were today", maxRetries)) + told(early, "to be repeated once the role stands and its accounts are known")
	if len(due) > 0 {
		s.retry(&v, due, strings.Join(append([]string{day}, tried...), "-"))
	}
	if len(early) > 0 {
		s.wait(&v)
	}
	return v
}

// told is a clause about some of the shares; "" if there are none.
func told(some []failedTry, what string) string {
	if len(some) == 0 {
		return ""
	}
	return "; " + images(some) + ": " + what
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

// wait asks for another look, if anything will have changed by then.
func (s *share) wait(v *fleet.Verdict) {
	if n := s.side.Ref.Try.N; s.policy.ModeOf(policy.ControlShareRole) == policy.Enforce && n < maxWaits {
		v.Again = roleSettles << max(n, 0)
	}
}

// retry adds the mark and the shares, in this order: each image with its own accounts.
func (s *share) retry(v *fleet.Verdict, due []failedTry, mark string) {
	v.Changes = []fleet.Change{{Kind: fleet.MarkRetried, Ref: s.roleRef(), Before: s.side.Tags.V[fleet.TagRetried], Want: mark, Reason: v.Reason}}
	for _, f := range due {
		ref := fleet.Ref{Scope: fleet.Scope{Account: s.world.Account, Region: f.image.Region}, Kind: fleet.KindImage, ID: f.image.ID}
		v.Changes = append(v.Changes, fleet.Change{Kind: fleet.RetryShare, Ref: ref, Want: joined(f.with()), Needs: s.roleRef().Key(),
			Reason: "sharing " + images([]failedTry{f}) + " failed for want of the role " + s.roleName()})
	}
}

// tried lists what the role's tag remembers of today.
func (s *share) tried() (day string, digests []string) {
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
