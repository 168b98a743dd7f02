package shares

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules/verdict"
)

// maxShareAccounts is how many accounts ModifyImageSharePermission accepts in a call.
const maxShareAccounts = 10

// failedTry is a failed share of an encrypted image within the last day.
type failedTry struct {
	fleet.FailedShare
	// image is nil unless it was found, is ours and encrypted.
	image *fleet.SharedResource
	// wanted are the approved ones among its accounts, sorted; unsure reports that the
	// approval of others is unknown.
	wanted []fleet.AccountID
	unsure bool
}

func (f failedTry) lacks() bool { return f.Failure() == fleet.LacksRights }

// absent are those of the accounts that the image is not shared with.
func (f failedTry) absent(accounts []fleet.AccountID) []fleet.AccountID {
	return slices.DeleteFunc(slices.Clone(accounts), func(id fleet.AccountID) bool {
		return !id.Valid() || slices.Contains(f.image.Sharees, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)})
	})
}

// failedShare reports each share that failed within the last day, with advice on its error
// code. Missing rights are granted by share-trust and share-keys, if an approved account
// was named; the caller repeats the call itself: Fleetwarden shares nothing. The failure
// and its code are claims; the image, its keys, and its sharees are observed.
func failedShare(s *share) []fleet.Verdict {
	var out []fleet.Verdict
	for _, f := range s.wanted.failed {
		if f.image == nil {
			continue // not ours, not encrypted, or not seen, which share-keys reports
		}
		v := s.failure(f)
		if v.Outcome == "" {
			continue
		}
		v.Ref = fleet.Ref{Scope: fleet.Scope{Account: s.world.Account, Region: f.image.Region}, Kind: fleet.KindImage, ID: f.image.ID}
		out = append(out, v)
	}
	return out
}

func (s *share) failure(f failedTry) fleet.Verdict {
	accounts := f.Accounts
	if f.lacks() {
		accounts = f.wanted // sharee-approved reports the others
	}
	if len(accounts) == 0 {
		return fleet.Verdict{}
	}
	absent := f.absent(accounts)
	if len(absent) == 0 {
		return verdict.Passes("image "+f.image.ID+" is shared by now", verdict.Observed("image", f.image.ID))
	}
	v := verdict.Violation(fleet.Medium, fmt.Sprintf("sharing image %s with %s failed with %s", f.image.ID, joined(absent), f.Code), "",
		verdict.Claimed("error code", f.Code), verdict.Observed("image", f.image.ID+", not shared with "+joined(absent)))
	failure := f.Failure()
	if f.lacks() && slices.ContainsFunc(f.image.Keys.V, func(k fleet.KMSKey) bool { return k.Service.Seen() && k.Service.V }) {
		failure = fleet.ServiceKeyEncrypted // no grant would help
	}
	why, remedy := s.advice(failure, f)
	v.Reason, v.Remedy = v.Reason+": "+why, remedy
	return v
}

// advice is the table of codes: the meaning of a failure, and its remedy.
func (s *share) advice(failure fleet.ShareFailure, f failedTry) (why, remedy string) {
	again := s.callAgain(f)
	switch failure {
	case fleet.LacksRights:
		if s.complete(f) {
			return "the role " + s.roleName() + " has the rights by now", again
		}
		return "the role " + s.roleName() + " is missing, does not trust them, or may not use or tag the key",
			"once share-trust and share-keys pass: " + again
	case fleet.KeyNotEnabled:
		return "a key of the image is not enabled", "enable the key (kms EnableKey, or CancelKeyDeletion first), then " + again
	case fleet.ServiceKeyEncrypted:
		return "the key that ECS made for itself cannot be used by other accounts, whatever the role grants",
			"copy it with a key of your own (CopyImage with Encrypted=true and KMSKeyId) and share the copy"
	case fleet.FullImage:
		return "an encrypted image of more than one disk cannot be shared, whatever the role grants",
			"share its snapshots one by one with Resource Sharing, or make an image of the system disk's snapshot alone (CreateImage with SnapshotId) and share that"
	case fleet.EncryptedSnapshot:
		return "an image with encrypted snapshots cannot be shared in this way", "share those snapshots with Resource Sharing, or make an image of snapshots that are not encrypted and share that"
	case fleet.DeprecatedImage:
		return "the image is marked as deprecated", "make it available again (ModifyImageAttribute with Status=Available), or share its successor; then " + again
	case fleet.OtherSite:
		return "an account belongs to the other site of Alibaba Cloud (China or International), and images are shared within one", "export the image and import it there"
	default:
		return "the quota of shared images, or of the accounts of one, is used up", "end shares that are not needed, have the quota raised, or share with a folder or the whole resource directory by Resource Sharing; then " + again
	}
}

// callAgain is the failed call, for its caller: with the approved accounts that the image
// lacks, as many as one call accepts. The image's id was observed, and accounts are
// numbers.
func (s *share) callAgain(f failedTry) string {
	absent := f.absent(f.wanted)
	if len(absent) == 0 {
		return "approve the sharee in the policy file, if the share is wanted, and share again"
	}
	absent = absent[:min(len(absent), maxShareAccounts)]
	var b strings.Builder
	fmt.Fprintf(&b, "aliyun ecs ModifyImageSharePermission --RegionId %s --ImageId %s", f.image.Region, f.image.ID)
	for i, id := range absent {
		fmt.Fprintf(&b, " --AddAccount.%d %s", i+1, id)
	}
	return b.String()
}

// complete reports whether all approved accounts of a share are known, and the role trusts
// them and grants its image's keys.
func (s *share) complete(f failedTry) bool {
	if f.unsure || s.trust == nil {
		return false
	}
	untrusted := s.untrusted()
	if slices.ContainsFunc(f.wanted, func(id fleet.AccountID) bool { return slices.Contains(untrusted.Accounts, id) }) {
		return false
	}
	keys, unsure := s.inUse([]fleet.SharedResource{*f.image})
	return len(keys) > 0 && len(unsure) == 0 && len(s.ungranted(keys)) == 0
}

// joined lists accounts, separated by blanks.
func joined(accounts []fleet.AccountID) string {
	out := make([]string, len(accounts))
	for i, id := range accounts {
		out[i] = string(id)
	}
	return strings.Join(out, " ")
}
