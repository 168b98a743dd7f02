package shares

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// oldDisks warns of what taking back may break
// (https://www.alibabacloud.com/notice/20240528image).
const oldDisks = "disks that sharees made from shared images before 2024-06-30 may still use the keys, and fail to start or attach without them"

// takeBack removes trust and keys from our role that no share needs any more, after the
// time that the policy sets. A tag of the role has its start: the unneeded parts and the
// regions have to be the same at each check, and a part that is needed again restarts the
// time.
//
// A region missing from the cloud's lists does not count as gone. The granted keys record
// the regions in use: while one of them is not listed, its shares are unknown, and nothing
// is removed. Where the role grants no key, the time restarts whenever the regions differ,
// so that an incomplete list of one night removes nothing.
func takeBack(s *share) fleet.Verdict {
	if s.trust == nil {
		return fleet.Verdict{} // share-trust has reported it, or there is no role
	}
	keys := s.staleKeys()
	mark := s.side.Tags.V[fleet.TagUnused]
	switch {
	case s.stale.Empty() && len(keys) == 0:
		if v := s.notOurs(); v.Outcome != "" {
			return v
		}
		return s.nothingStale(mark)
	case s.wanted.blind+s.wanted.heldUnread != "":
		return verdict.Undecided("nothing is taken back: " + cmp.Or(s.wanted.blind, s.wanted.heldUnread))
	case len(s.wanted.unseen()) > 0: // it may depend on what seems not to be needed
		return verdict.Undecided("nothing is taken back: what is needed could not be determined: " + together(s.wanted.unseen()))
	case !s.side.Tags.Seen():
		return verdict.Undecided("nothing is taken back: whether the role is ours could not be read: " + s.side.Tags.Why)
	}
	v := verdict.Violation(fleet.Low, fmt.Sprintf("nothing encrypted is shared any more that would need %s of the role %s", s.unneeded(keys), s.roleName()),
		"take it from the role; "+oldDisks, verdict.Observed("not needed", s.unneeded(keys)))
	if text := s.strangers.remaining(); text != "" {
		v.Reason += "; not taken back by Fleetwarden, since their statements are not ours: " + text
	}
	switch {
	case !s.ours():
		v.Remedy = s.byHand(keys)
	case s.policy.ShareRole.TakeBack == policy.TakeBackEnforce:
		s.sinceWhen(&v, mark, keys)
	}
	return v
}

// notOurs is the verdict on unneeded trust in statements that Fleetwarden does not change.
func (s *share) notOurs() fleet.Verdict {
	if w := s.wanted; len(s.strangers.idle) > 0 {
		unseen := w.unseen()
		if w.heldUnread != "" {
			unseen = append(unseen, w.heldUnread)
		}
		if len(unseen) > 0 {
			return verdict.Undecided("whether " + some(s.strangers.idle) + " is needed could not be determined: " + together(unseen))
		}
	}
	if text := s.strangers.remaining(); text != "" {
		return verdict.Violation(fleet.Low, fmt.Sprintf("the role %s lets in %s, whom nothing approved needs, by statements that are not ours", s.roleName(), text),
			"take them out of the role's trust policy by hand; "+oldDisks, verdict.Observed("not needed", text))
	}
	if len(s.strangers.unsure) > 0 {
		return verdict.Undecided("whether the role " + s.roleName() + " trusts more than is needed could not be determined: " + together(s.strangers.unsure))
	}
	return fleet.Verdict{}
}

// remaining are all whom only a person can remove from the role's trust.
func (x *strangers) remaining() string {
	if all := slices.Concat(x.others, x.idle); len(all) > 0 {
		return some(all)
	}
	return ""
}

// nothingStale ends the time of trust that is needed again.
func (s *share) nothingStale(mark string) fleet.Verdict {
	if mark == "" || mark == notUnused || s.policy.ShareRole.TakeBack != policy.TakeBackEnforce || !s.ours() {
		return verdict.Passes("the role trusts and grants no more than is needed", verdict.Observed("role", s.roleName()))
	}
	v := verdict.Violation(fleet.Info, "a tag of the role "+s.roleName()+" counts time since something was not needed, and it is needed again",
		"remove the tag "+fleet.TagUnused+" from the role", verdict.Observed("tag "+fleet.TagUnused, mark))
	v.Changes = []fleet.Change{s.mark(mark, notUnused, v.Reason)}
	return v
}

// notUnused is the tag value of a role without unneeded parts.
const notUnused = "none"

// markTime is the time format of the tag: colons are not certain to be allowed.
const markTime = "20060102T150405Z"

// sinceWhen adds the changes that are due.
func (s *share) sinceWhen(v *fleet.Verdict, mark string, keys rampolicy.Keys) {
	sum := sha256.Sum256([]byte(s.unneededText(keys)))
	digest := hex.EncodeToString(sum[:8])
	text, of, _ := strings.Cut(mark, "-")
	since, err := time.Parse(markTime, text)
	if err != nil || of != digest || since.After(s.world.At) {
		want := s.world.At.UTC().Format(markTime) + "-" + digest
		v.Reason += "; seen for the first time, and to be taken back after " + s.policy.ShareRole.TakeBackAfter.String()
		v.Changes = []fleet.Change{s.mark(mark, want, v.Reason)}
		return
	}
	v.Evidence = append(v.Evidence, verdict.Observed("not needed since", since.Format(time.RFC3339)))
	if left := s.policy.ShareRole.TakeBackAfter - s.world.At.Sub(since); left > 0 {
		v.Reason += fmt.Sprintf("; to be taken back in %s", left.Round(time.Minute))
		return
	}
	used, _ := s.inUse(s.wanted.resources)
	if s.untrusted().Empty() && len(s.ungranted(used)) == 0 {
		s.narrow(v, keys)
		return
	}
	v.Reason += "; taken back once the role trusts all that are wanted and grants their keys"
}

func (s *share) mark(before, want, reason string) fleet.Change {
	return fleet.Change{Kind: fleet.MarkUnused, Ref: s.roleRef(), Before: before, Want: want, Reason: reason}
}

// narrow adds the changes that remove trust and keys.
func (s *share) narrow(v *fleet.Verdict, keys rampolicy.Keys) {
	if !s.stale.Empty() {
		doc, blocked := printed(s.trust.Subtract(s.stale))
		if blocked != "" {
			v.Reason += "; the trust is not taken back: " + blocked
		} else {
			v.Changes = append(v.Changes, fleet.Change{Kind: fleet.SetShareTrust, Ref: s.roleRef(), Before: s.side.Role.V.Trust, Want: doc, Reason: v.Reason})
		}
	}
	for _, p := range s.shards() {
		left := slices.DeleteFunc(slices.Clone(p.keys), func(k string) bool { return slices.Contains(keys, k) })
		switch {
		case len(left) == len(p.keys):
		case len(left) == 0:
			v.Changes = append(v.Changes, fleet.Change{Kind: fleet.DetachKeyPolicy, Ref: s.policyRef(p.Name), Before: s.roleName(), Reason: v.Reason})
		default:
			v.Changes = append(v.Changes, s.setPolicy(p.Name, p.Document, rampolicy.KeyPolicy(left), v.Reason))
		}
	}
}

// byHand is the remedy for a role that is not ours. The document is its owner's: a quote in
// it, which in JSON can only be in a string, must not end the shell's.
func (s *share) byHand(keys rampolicy.Keys) string {
	const notOurs = "the role is not one that Fleetwarden made: "
	fromKeys := ""
	if len(keys) > 0 {
		fromKeys = fmt.Sprintf("take the keys %s out of its policies %s*, or detach those that grant no other; ", strings.Join(keys, ", "), s.prefix())
	}
	if s.stale.Empty() {
		return notOurs + fromKeys + oldDisks
	}
	doc, blocked := printed(s.trust.Subtract(s.stale))
	if blocked != "" {
		return notOurs + "take it back by hand; " + blocked + "; " + fromKeys + oldDisks
	}
	return fmt.Sprintf("%saliyun ram UpdateRole --RoleName %s --NewAssumeRolePolicyDocument '%s'; %s%s",
		notOurs, s.roleName(), strings.ReplaceAll(doc, "'", `\u0027`), fromKeys, oldDisks)
}

// visited are the regions whose shares were read.
func (s *share) visited() []string {
	var out []string
	for _, r := range s.side.Regions.V {
		if r.Unread == "" && !r.Unlisted {
			out = append(out, string(r.Region))
		}
	}
	slices.Sort(out)
	return out
}

// unlisted is a region of a granted key that ECS or Resource Sharing do not list; "" for
// none.
func (s *share) unlisted() string {
	for _, p := range s.shards() {
		for _, k := range p.keys {
			region := rampolicy.RegionOfKey(k)
			if !slices.ContainsFunc(s.side.Regions.V, func(r fleet.ShareRegion) bool { return r.Region == region && !r.Unlisted }) {
				return string(region)
			}
		}
	}
	return ""
}

// staleKeys are keys of our policies with which no shared resource is encrypted. One that
// may be ECS's own counts as in use.
func (s *share) staleKeys() rampolicy.Keys {
	var used rampolicy.Keys
	for _, r := range slices.Concat(s.wanted.resources, s.wanted.held) {
		for _, k := range r.Keys.V {
			if name, ok := rampolicy.KeyResource(k); ok && (!k.Service.Seen() || !k.Service.V) {
				used = append(used, name)
			}
		}
	}
	var out rampolicy.Keys
	for _, p := range s.shards() {
		for _, k := range p.keys {
			if !slices.Contains(used, k) {
				out = append(out, k)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unneeded formats the unneeded parts.
func (s *share) unneeded(keys rampolicy.Keys) string {
	var parts []string
	if !s.stale.Empty() {
		parts = append(parts, "the trust in "+names(s.stale))
	}
	if len(keys) > 0 {
		parts = append(parts, "the keys "+strings.Join(keys, ", "))
	}
	return strings.Join(parts, " and ")
}

// unneededText is all of it, and the regions where it is not needed.
func (s *share) unneededText(keys rampolicy.Keys) string {
	return fmt.Sprintf("%q %q %q %q %q", s.stale.Accounts, s.stale.Directories, s.stale.Folders, keys, s.visited())
}
