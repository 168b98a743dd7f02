package fleet

import (
	"fmt"
	"time"
)

// AccountID is the number of an Alibaba Cloud account, as digits.
type AccountID string

// Valid reports whether a is a number of 1 to 32 digits. It does not say that
// the account exists.
func (a AccountID) Valid() bool { return len(a) <= 32 && every(string(a), digit) }

// Region is a region id such as cn-hangzhou. Empty means global.
type Region string

// Scope is one account in one region.
type Scope struct {
	Account AccountID `json:"account"`
	Region  Region    `json:"region,omitempty"`
}

func (s Scope) String() string {
	if s.Region == "" {
		return string(s.Account)
	}
	return string(s.Account) + "/" + string(s.Region)
}

// Kind is the kind of thing a Ref points to.
type Kind string

// The kinds of Ref.
const (
	// KindInstance is an ECS instance; ID is its instance id.
	KindInstance Kind = "instance"
	// KindCall is a call that made nothing, such as a denied launch; ID is the
	// id of its trail record.
	KindCall Kind = "call"
	// KindSnapshotShare is all sharing of snapshots of one account; ID is empty.
	KindSnapshotShare Kind = "snapshot-share"
	// KindImageShare is all sharing of images of one account; ID is empty.
	KindImageShare Kind = "image-share"
	// KindImage is an image; ID is its id.
	KindImage Kind = "image"
	// KindRole is a RAM role; ID is its name.
	KindRole Kind = "role"
	// KindPolicy is a custom RAM policy; ID is its name.
	KindPolicy Kind = "policy"
	// KindDeployment is a part of Fleetwarden's own deployment, such as a function or a
	// queue; ID is its name. Only findings have it.
	KindDeployment Kind = "deployment"
	// KindAccount is an account in a region as a whole; ID is empty.
	KindAccount Kind = "account"
	// KindFleet is all instances of an account in a region, page by page: a shard of a
	// sweep. ID is empty.
	KindFleet Kind = "fleet"
	// KindFound is an object of the ledger with what a pass found; ID is its name below
	// notify/found/, such as 2026-12-01/093012.attach-role.1-65a4….
	KindFound Kind = "found"
	// KindReport is the report of a sweep; ID is its run.
	KindReport Kind = "report"
	// KindCard is a card that a channel has not taken yet; ID is day, channel and key, such as
	// 2026-12-01/ops/agent.agent-online.1000000000000001.
	KindCard Kind = "card"
)

// InLedger reports whether refs of the kind point into our own ledger, and not to a resource
// of a region: they are taken whichever regions are guarded.
func (k Kind) InLedger() bool { return k == KindFound || k == KindReport || k == KindCard }

// Ref says where to look. It never says what to do.
type Ref struct {
	Scope Scope  `json:"scope"`
	Kind  Kind   `json:"kind"`
	ID    string `json:"id,omitempty"`
	// Call is what the request that made this Ref claimed; nil when the Ref did
	// not come from a trail record. Several Refs may share one Call: do not
	// write to it.
	Call *Call `json:"call,omitempty"`
	Try  Try   `json:"try,omitzero"`
}

func (r Ref) String() string {
	if r.ID == "" {
		return fmt.Sprintf("%s %s", r.Scope, r.Kind)
	}
	return fmt.Sprintf("%s %s %s", r.Scope, r.Kind, r.ID)
}

// Key is a Ref without what was claimed and tried: two Refs with the same Key
// mean the same thing.
type Key struct {
	Scope Scope
	Kind  Kind
	ID    string
}

// Key returns what r points to.
func (r Ref) Key() Key { return Key{r.Scope, r.Kind, r.ID} }

// Try says how often a Ref was checked, and since when. A message carries it, so it is
// a hint: it paces rechecks and ends those of its own message, and matures nothing. The
// zero Try is a Ref of the first look.
type Try struct {
	// N is the number of passes that ended with "look again".
	N int `json:"n,omitempty"`
	// FirstSeen is the cloud's time of the first pass.
	FirstSeen time.Time `json:"firstSeen,omitzero"`
	// Run names the run that the passes belong to.
	Run string `json:"run,omitempty"`
}

// Batch is a piece of work: at most [MaxBatch] refs, all of one Scope.
type Batch struct {
	Scope Scope
	Refs  []Ref
	// Seen is what a lister already read about some of the Refs, so that it is
	// not read twice.
	Seen []Instance
	// At is where the source finds this batch again, Next where it continues after it. A
	// source that cannot go back, such as a payload, leaves both empty; at its end one
	// that can has no Next.
	At, Next Cursor
}

// MaxBatch is the largest number of refs in a Batch: what DescribeInstances and
// AttachInstanceRamRole take in one call.
const MaxBatch = 100

// Cursor is a source's own bookmark. Only the source that made it reads it.
type Cursor string
