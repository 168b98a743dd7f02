package fleet

import (
	"strconv"
	"strings"
	"time"
)

// ShareWorld is what one pass sees of the sharing of encrypted snapshots and images
// of one account. RAM roles are global, so it spans all enabled regions.
type ShareWorld struct {
	Account AccountID
	// At is the cloud's time, from the Date header of its answers.
	At time.Time
	// Sides are the kinds of shared resources that the pass checks.
	Sides []ShareSide
	// Directory is the account's own resource directory; it is unknown while nothing
	// asks for it.
	Directory Fact[Directory]
	// DiskRole is the role by which ECS uses CMKs for disks, and CMKDisk names one disk that
	// is encrypted with a CMK; empty for none.
	DiskRole Fact[Role]
	CMKDisk  Fact[string]
}

// ShareSide is the sharing of snapshots, or that of images.
type ShareSide struct {
	// Ref is [KindSnapshotShare] or [KindImageShare], and holds what a failed share
	// claimed.
	Ref Ref
	// Regions is unknown when the regions could not be determined.
	Regions Fact[[]ShareRegion]
	Role    Fact[Role]
	// Tags are those of the role.
	Tags Fact[map[string]string]
	// Taken are names of our own key policies (see [KeyPolicyName]) that are not attached and
	// belong to policies that say something else. They are asked for, up to the first that
	// is free, only while a key in use stands in no policy of ours.
	Taken Fact[[]string]
	// Claimed are the images that failed shares named: those that are ours and encrypted.
	Claimed []SharedResource
}

// ShareRegion is what is shared in one region.
type ShareRegion struct {
	Region Region
	// Unlisted says that Resource Sharing did not list the region, so that it was not asked
	// there, and that the region is not known to be one without it.
	Unlisted bool
	// Unread says why not all of the region's lists were read to their end; empty
	// when they were.
	Unread    string
	Resources []SharedResource
}

// SharedResource is a snapshot or an image and those it is shared with.
type SharedResource struct {
	Region Region
	ID     string
	// Keys are those it is encrypted with: none when it is not encrypted. An image has
	// one for each of its snapshots.
	Keys    Fact[[]KMSKey]
	Sharees []Sharee
	// Changed is when its sharing by Resource Sharing last changed; zero when that is
	// not known.
	Changed time.Time
}

// KMSKey is a key of Key Management Service.
type KMSKey struct {
	Account AccountID
	Region  Region
	ID      string
	// Service is true for a key that ECS made for itself; what it encrypts cannot be
	// shared.
	Service Fact[bool]
}

// Encryption is how a snapshot is encrypted.
type Encryption struct {
	Encrypted bool
	// Key is the id of the key; the cloud may leave it out for one that ECS made for
	// itself.
	Key string
}

// OwnImage is an image of the account itself.
type OwnImage struct {
	ID string
	// Shared is true when it is shared with single accounts.
	Shared bool
	// Sealed are the snapshots of those of its disks that are encrypted.
	Sealed []string
}

// ShareeKind says what an account shares with.
type ShareeKind string

// The kinds of Sharee.
const (
	ShareeAccount   ShareeKind = "account"
	ShareeDirectory ShareeKind = "directory"
	// ShareeFolder is a folder of a resource directory; its root is one too.
	ShareeFolder ShareeKind = "folder"
)

// Sharee is whom something is shared with.
type Sharee struct {
	Kind ShareeKind
	ID   string
}

func (s Sharee) String() string { return string(s.Kind) + " " + s.ID }

// ShareeOf reads the target of a share: the number of an account, rd-… or, for a
// folder, fd-… or r-….
func ShareeOf(target string) (Sharee, bool) {
	switch {
	case AccountID(target).Valid():
		return Sharee{ShareeAccount, target}, true
	case strings.HasPrefix(target, "rd-"):
		return Sharee{ShareeDirectory, target}, true
	case strings.HasPrefix(target, "fd-"), strings.HasPrefix(target, "r-"):
		return Sharee{ShareeFolder, target}, true
	}
	return Sharee{}, false
}

// Directory is a resource directory as one of its accounts sees it. The zero
// Directory says that the account is in none.
type Directory struct {
	ID   string
	Root string
	// Folders holds the paths (rd-…/r-…/fd-…) of the folders that were asked for; one
	// that does not exist has none.
	Folders map[string]Fact[string]
	// Members holds the paths of the accounts that were asked for; an account that is
	// not in the directory has none.
	Members map[AccountID]Fact[string]
}

// The roles that ECS assumes.
const (
	// SnapshotShareRole and ImageShareRole are assumed by the ECS of sharees, in the
	// sharer's account.
	SnapshotShareRole = "AliyunECSShareEncryptSnapshotDefaultRole"
	ImageShareRole    = "AliyunECSShareEncryptImageDefaultRole"
	// DiskEncryptRole is assumed by the account's own ECS, to use CMKs. The console's
	// authorization makes it with the system policy DiskEncryptPolicy.
	DiskEncryptRole   = "AliyunECSDiskEncryptDefaultRole"
	DiskEncryptPolicy = "AliyunECSDiskEncryptRolePolicy"
)

// ShareRole returns the role that shares of a kind need.
func ShareRole(k Kind) string {
	if k == KindSnapshotShare {
		return SnapshotShareRole
	}
	return ImageShareRole
}

// KeyPolicyPrefix begins the names of our own policies for keys.
const KeyPolicyPrefix = "fleetwarden-share-"

// KeyPolicyName is the name of our nth policy for the keys of a kind of share.
func KeyPolicyName(k Kind, n int) string {
	if k == KindSnapshotShare {
		return KeyPolicyPrefix + "snapshot-" + strconv.Itoa(n)
	}
	return KeyPolicyPrefix + "image-" + strconv.Itoa(n)
}

// Tags of a share role.
const (
	// TagManaged, with the value [ManagedValue], marks what Fleetwarden made.
	TagManaged   = "fleetwarden"
	ManagedValue = "managed"
	// TagUnused says since when which trust and keys are not needed any more.
	TagUnused = "fleetwarden-unused"
)

// AssumeRoleError is the code of a share that failed for want of the share role.
const AssumeRoleError = "AssumeRoleError"
