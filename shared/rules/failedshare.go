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

// failedShare repeats, where the policy asks for it, an image share that failed for want
// of the role: once for an image, its approved accounts and a day. The failed call only
// says which image and which accounts. Whether the image is ours, encrypted and not
// shared yet is observed, whether the accounts may have it is up to the policy.
//
// What was tried stands in a tag of the share role, which is read anyway and written
// before the share: whoever ends a share, or sends its event twice, or kills the pass
// in between, never sees it repeated that day.
func failedShare(s *share) fleet.Verdict {
	image := s.side.Claimed
	accounts := s.failedFor()
	if !s.policy.ShareRole.RetryFailedShare || len(accounts) == 0 || !image.Seen() || !sharable(image.V) {
		return fleet.Verdict{} // not asked for, nobody approved, not ours, or said by service-key
	}
	absent := slices.DeleteFunc(slices.Clone(accounts), func(id fleet.AccountID) bool {
		return slices.Contains(image.V.Sharees, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)})
	})
	if len(absent) == 0 {
		return passes("image "+image.V.ID+" is shared by now", observed("image", image.V.ID))
	}
	day, tried := s.tried()
	digest := tryOf(image.V.ID, accounts)
	v := violation(fleet.Medium, fmt.Sprintf("sharing image %s failed for want of the role %s", image.V.ID, s.roleName()),
		"share it again once share-trust and share-keys pass", observed("image", image.V.ID), observed("not shared with", joined(absent)))
	switch {
	case s.side.Role.Seen() && !s.side.Role.V.Missing && !s.side.Tags.Seen():
		return undecided("whether the share was repeated today could not be read: " + s.side.Tags.Why)
	case slices.Contains(tried, digest):
		v.Reason += "; it was repeated today, and is not shared"
	case len(tried) >= maxRetries:
		v.Reason += fmt.Sprintf("; not repeated: %d shares were today", maxRetries)
	case !s.complete(image.V):
		s.wait(&v)
	default:
		s.retry(&v, absent, strings.Join(append([]string{day}, append(tried, digest)...), "-"))
	}
	return v
}

// failedFor are the approved among the accounts of the failed share, no more than one
// call takes.
func (s *share) failedFor() []fleet.AccountID {
	c := s.claim()
	if c == nil {
		return nil
	}
	var out []fleet.AccountID
	for _, id := range c.Add {
		if id != s.world.Account && s.approve(fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)}).answer == policy.Yes {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxShareAccounts)]
}

// sharable reports whether all keys of an encrypted image can be shared.
func sharable(image fleet.SharedResource) bool {
	return image.Keys.Seen() && len(image.Keys.V) > 0 &&
		!slices.ContainsFunc(image.Keys.V, func(k fleet.KMSKey) bool { return !k.Service.Seen() || k.Service.V })
}

// complete reports whether the role trusts all that are wanted and grants the image's keys.
func (s *share) complete(image fleet.SharedResource) bool {
	if s.trust == nil || !s.untrusted().Empty() {
		return false
	}
	keys, unsure := s.inUse([]fleet.SharedResource{image})
	return len(keys) > 0 && len(unsure) == 0 && len(s.ungranted(keys)) == 0
}

// wait asks for another look, if anything will have changed by then.
func (s *share) wait(v *fleet.Verdict) {
	v.Reason += "; it is repeated once the role stands"
	if n := s.side.Ref.Try.N; s.policy.ModeOf(policy.ControlShareRole) == policy.Enforce && n < maxWaits {
		v.Again = roleSettles << max(n, 0)
	}
}

// retry adds the mark and the share, in this order.
func (s *share) retry(v *fleet.Verdict, accounts []fleet.AccountID, mark string) {
	image := s.side.Claimed.V
	ref := fleet.Ref{Scope: fleet.Scope{Account: s.world.Account, Region: image.Region}, Kind: fleet.KindImage, ID: image.ID}
	v.Changes = []fleet.Change{
		{Kind: fleet.MarkRetried, Ref: s.roleRef(), Before: s.side.Tags.V[fleet.TagRetried], Want: mark, Reason: v.Reason},
		{Kind: fleet.RetryShare, Ref: ref, Want: joined(accounts), Reason: v.Reason, Needs: s.roleRef().Key()},
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
