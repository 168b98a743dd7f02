package ecs

// Access is what ECS asks about the keys of encrypted resources and about what
// Resource Sharing shares. All is asked with the world's mutex held.
type Access interface {
	// KeyID is the id of a key that is named by id, ARN or alias, and whether it
	// is a service's; empty if there is no such key.
	KeyID(account, region, name string) (id string, service bool)
	// Deny says why the sharee's ECS may not use the sharer's key; nil if it may.
	Deny(g Grant) *Denial
	// Shared reports whether Resource Sharing shares a resource with an account.
	Shared(r Resource, account string) bool
	// SharedAtAll reports whether Resource Sharing shares it with any account.
	SharedAtAll(r Resource) bool
}

// Kinds of resources that can be shared, as Resource Sharing names their types.
const (
	ImageKind    = "Image"
	SnapshotKind = "Snapshot"
)

// Resource is an image or a snapshot that an account has.
type Resource struct {
	Kind, Owner, Region, ID string
}

// Grant is the question whether the ECS of one account may use another's key for
// a resource of a kind.
type Grant struct {
	Kind, Owner, Region, Key, Sharee string
}

// Denial is why not.
type Denial struct {
	Cause Cause
	Why   string // for people; names role, account, action
}

// Cause is the part of the chain that breaks.
type Cause int

// Causes of a denial, in the order in which they are looked for.
const (
	KeyUnusable  Cause = iota + 1 // not there or not enabled
	KeyOfService                  // no other account can use a service's key
	NoRole                        // there is no role, or it is not visible yet
	NotTrusted                    // the role's trust policy does not let the sharee's ECS in
	NotAllowed                    // the role's policies do not allow what is needed
	NoTags                        // only tagging the key is not allowed
)

// open is a cloud in which no key and no share stands in the way.
type open struct{}

func (open) KeyID(_, _, name string) (string, bool) { return name, false }
func (open) Deny(Grant) *Denial                     { return nil }
func (open) Shared(Resource, string) bool           { return false }
func (open) SharedAtAll(Resource) bool              { return false }

// SetAccess plugs in what knows keys and shares. Call it before the world is
// used.
func (s *Service) SetAccess(a Access) { s.access = a }
