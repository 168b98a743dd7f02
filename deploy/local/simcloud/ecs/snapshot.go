package ecs

import (
	"iter"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// snapshot is a snapshot of a disk.
type snapshot struct {
	id, name, description string
	owner, region         string
	disk, source          string // source: the snapshot it was copied from
	sourceRegion          string
	system                bool
	image                 string // of the source disk
	size                  int
	key                   string // empty: not encrypted
	service               bool   // key is a service key
	hideKey               bool   // answers do not name the key
	ready                 bool
	created               time.Time
	tags                  tags
}

func (x *snapshot) resource() Resource {
	return Resource{SnapshotKind, x.owner, x.region, x.id}
}

// toSnapshot is how long a copy takes; assumed.
const toSnapshot = 10 * time.Second

// addSnapshot puts a snapshot into a space; it is ready after a while. The
// caller holds the mutex.
func (s *Service) addSnapshot(sp *space, x *snapshot) *snapshot {
	s.keepSnapshot(sp, x)
	s.w.After(toSnapshot, func() { x.ready = true })
	return x
}

// snapshot finds a snapshot that the space's account can use: its own, or one
// that is shared with it. The caller holds the mutex.
func (s *Service) snapshot(sp *space, id string) *snapshot {
	for _, from := range s.neighbours(sp) {
		if x := from.snapshots.Get(id); x != nil && (from == sp || s.access.Shared(x.resource(), sp.account)) {
			return x
		}
	}
	return nil
}

// snapshots are the account's own and then those shared with it. A place holds
// the owner's position in its upper bits, so that it stays good while shares come
// and go.
func (s *Service) snapshots(sp *space) rows[snapshot] {
	const shift = 40
	return func(place uint64) iter.Seq2[uint64, *snapshot] {
		return func(yield func(uint64, *snapshot) bool) {
			for n, from := range s.neighbours(sp) {
				base := uint64(n) << shift
				if place >= base+1<<shift {
					continue
				}
				for at, x := range from.snapshots.After(max(place, base) - base) {
					if (from == sp || s.access.Shared(x.resource(), sp.account)) && !yield(base+at, x) {
						return
					}
				}
			}
		}
	}
}

// neighbours are the space itself and those of all other accounts in its region.
func (s *Service) neighbours(sp *space) []*space {
	out := []*space{sp}
	for _, a := range s.w.Accounts {
		if a != sp.account {
			out = append(out, s.spaces[where{a, sp.region}])
		}
	}
	return out
}

// noSnapshot is 404 InvalidSnapshotId.NotFound: error table of RunInstances.
func noSnapshot(id string) error {
	return wire.Errorf(404, "InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist: %s.", id)
}

// encryption is the key of a copy or a disk, and whether it is a service's.
type encryption struct {
	key     string
	service bool
}

// encrypt finds the key that a request asks for: the named one, which must be
// enabled and open to ECS, ECS's service key without a name, none if it does not
// ask for encryption. The caller holds the mutex.
func (s *Service) encrypt(sp *space, encrypted, key string) (encryption, error) {
	if encrypted != "true" {
		if key != "" {
			return encryption{}, invalid("InvalidParameter.EncryptedIllegal", "KMSKeyId needs Encrypted to be true.")
		}
		return encryption{}, nil
	}
	if !s.keys.Enabled(sp.account, sp.region) {
		return encryption{}, wire.Errorf(403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "Key Management Service is not enabled.")
	}
	if key == "" {
		key = serviceAlias
	} else if err := s.checkKey(sp, key); err != nil {
		return encryption{}, err
	}
	id, service := s.access.KeyID(sp.account, sp.region, key)
	return encryption{id, service}, nil
}

// serviceAlias is the alias of ECS's service key.
const serviceAlias = "alias/acs/ecs"
