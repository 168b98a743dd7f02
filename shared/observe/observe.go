// Package observe reads the world: for a batch of refs, the facets that the enabled rules
// need and that the batch's source has not read already, each API once per batch at its
// batch size. A [Memory] keeps what consecutive batches of one account and region share.
//
// A permanent failure becomes an unknown fact with its reason; a transient one ends the
// pass, so that the batch is re-queued. The package decides and writes nothing.
package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// Listings reads instances by id. An id missing from the map was not found.
type Listings interface {
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
}

// Disks reads the categories of system disks, by instance id.
type Disks interface {
	SystemDisksByID(ctx context.Context, region fleet.Region, diskIDs []string) (map[string]string, error)
	SystemDiskOf(ctx context.Context, region fleet.Region, instanceID string) (string, error)
}

// Images reads images by id; one that no longer exists has Gone set.
type Images interface {
	Images(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Image, error)
}

// KMS reads whether KMS is enabled in the account.
type KMS interface {
	AccountStatus(ctx context.Context, region fleet.Region) (string, error)
}

// Past reads the memory of the sweep: since when rules have not held on instances, by id
// and rule. Missing entries are not remembered.
type Past interface {
	Found(ctx context.Context, s fleet.Scope, ids []string) (map[string]map[string]time.Time, error)
}

// World reads the facets whose reader is set. Listings are always needed.
type World struct {
	Listings Listings
	// Young finds the instances of a launch whose record names none.
	Young Young
	// RoleNames reads the roles of instances for which WantsRole; nil means all.
	RoleNames RoleNames
	WantsRole func(*fleet.Instance) bool
	// Roles reads the roles of the instances, and Needed if one of them is a candidate.
	Roles  Roles
	Needed []string
	// Disks reads the system disks of candidates; Survey, if set, replaces it.
	Disks  Disks
	Survey DiskSurvey
	// Images reads the images of instances for which WantsImage, KMS whether KMS is
	// enabled, if WantsKMS for one of them; nil means all candidates.
	Images     Images
	WantsImage func(*fleet.Instance) bool
	KMS        KMS
	WantsKMS   func(*fleet.Instance) bool
	// Agents reads the Security Center agents of running instances, Assistants the Cloud
	// Assistant clients of those that are Lacking one; nil means all.
	Agents     Agents
	Assistants Assistants
	Lacking    func(*fleet.Instance) bool
	// UserData reads the user data of instances for which WantsScript; Script returns the
	// install script in it.
	UserData    UserData
	WantsScript func(*fleet.Instance) bool
	Script      func(userData string) string
	// Candidate selects the instances that the rules may need more facets of; nil means
	// all.
	Candidate func(*fleet.Instance) bool
	// Past reads since when rules have not held on the instances that Waits returns: those
	// whose patience only the memory of the sweep can date. It is read after all other
	// facets. Nil reads nothing.
	Past  Past
	Waits func(*fleet.World) []string
	// Users reads which instances have the roles that WantsUsers returns, in UsersIn or,
	// where that is empty, in all regions of the account. Nil reads nothing.
	Users      Users
	WantsUsers func(*fleet.World) []string
	UsersIn    []fleet.Region
	// Now is the cloud's time, taken after the reads.
	Now func() time.Time
}

// Observe reads the resources of the batch.
func (o World) Observe(ctx context.Context, b fleet.Batch) (*fleet.World, error) {
	w := &fleet.World{Scope: b.Scope, Roles: map[string]fleet.Fact[fleet.Role]{}}
	seen := slices.Clip(b.Seen)
	for _, r := range b.Refs {
		switch r.Kind {
		case fleet.KindInstance:
			w.Instances = append(w.Instances, fleet.Instance{Ref: r})
		case fleet.KindCall:
			w.Calls = append(w.Calls, r)
		case fleet.KindAccount:
			young, err := o.young(ctx, r, w.Instances)
			if err != nil {
				return nil, err
			}
			w.Instances, seen = append(w.Instances, young...), append(seen, young...)
		}
	}
	if len(w.Instances) > 0 {
		if err := o.instances(ctx, w, seen); err != nil {
			return nil, err
		}
	}
	w.At = o.Now()
	if err := o.past(ctx, w); err != nil {
		return nil, err
	}
	return w, o.users(ctx, w)
}

// past fills Found of the instances that wait for it.
func (o World) past(ctx context.Context, w *fleet.World) error {
	if o.Past == nil {
		return nil
	}
	ids := o.Waits(w)
	if len(ids) == 0 {
		return nil
	}
	got, err := o.Past.Found(ctx, w.Scope, ids)
	if err := passing("reading the memory of the sweep", err); err != nil {
		return err
	}
	for i := range w.Instances {
		if in := &w.Instances[i]; slices.Contains(ids, in.Ref.ID) {
			in.Found = fleet.FactOf(got[in.Ref.ID], err)
		}
	}
	return nil
}

// instances reads facet by facet; after the listing, only of instances that exist.
func (o World) instances(ctx context.Context, w *fleet.World, seen []fleet.Instance) error {
	if err := o.list(ctx, w, seen); err != nil {
		return err
	}
	there := existing(w)
	if len(there) == 0 {
		return nil
	}
	for _, facet := range []func(context.Context, *fleet.World, []*fleet.Instance) error{
		o.roleNames, o.disks, o.images, o.kms, o.agents, o.trustScripts, o.assistants,
	} {
		if err := facet(ctx, w, there); err != nil {
			return err
		}
	}
	return o.roles(ctx, w, there)
}

// list fills Listed and Gone, from the source's listing or by a call.
func (o World) list(ctx context.Context, w *fleet.World, seen []fleet.Instance) error {
	known := make(map[string]fleet.Instance, len(seen))
	for _, i := range seen {
		known[i.Ref.ID] = i
	}
	var ask []string
	for i := range w.Instances {
		in := &w.Instances[i]
		if k, ok := known[in.Ref.ID]; ok && k.Listed.Seen() {
			in.Listed, in.Gone = k.Listed, fleet.See(false)
		} else if in.Ref.Kind == fleet.KindInstance {
			ask = append(ask, in.Ref.ID)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	got, err := o.Listings.Listings(ctx, w.Scope.Region, ask)
	if err := passing("reading instances", err); err != nil {
		return err
	}
	for i := range w.Instances {
		in := &w.Instances[i]
		l, ok := got[in.Ref.ID]
		switch {
		case in.Listed.Seen(), in.Ref.Kind != fleet.KindInstance:
		case err != nil:
			in.Listed = fleet.Unknown[fleet.Listing](err.Error())
		case ok:
			in.Listed, in.Gone = fleet.See(l), fleet.See(false)
		default:
			in.Listed, in.Gone = fleet.Unknown[fleet.Listing]("not found"), fleet.See(true)
		}
	}
	return nil
}

func existing(w *fleet.World) []*fleet.Instance {
	var there []*fleet.Instance
	for i := range w.Instances {
		if w.Instances[i].Listed.Seen() {
			there = append(there, &w.Instances[i])
		}
	}
	return there
}

func (o World) candidates(there []*fleet.Instance) []*fleet.Instance {
	return those(o.Candidate, there)
}

func or(wants, otherwise func(*fleet.Instance) bool) func(*fleet.Instance) bool {
	if wants == nil {
		return otherwise
	}
	return wants
}

// those returns the instances for which wants is true; nil means all.
func those(wants func(*fleet.Instance) bool, there []*fleet.Instance) []*fleet.Instance {
	if wants == nil {
		return there
	}
	return slices.DeleteFunc(slices.Clone(there), func(in *fleet.Instance) bool { return !wants(in) })
}

func ids(instances []*fleet.Instance) []string {
	out := make([]string, len(instances))
	for i, in := range instances {
		out[i] = in.Ref.ID
	}
	return out
}

// images reads each distinct image once.
func (o World) images(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	there = those(or(o.WantsImage, o.Candidate), there)
	if o.Images == nil || len(there) == 0 {
		return nil
	}
	var ids []string
	for _, in := range there {
		if in.Listed.V.ImageID != "" {
			ids = append(ids, in.Listed.V.ImageID)
		}
	}
	slices.Sort(ids)
	got, err := o.Images.Images(ctx, w.Scope.Region, slices.Compact(ids))
	if err := passing("reading images", err); err != nil {
		return err
	}
	for _, in := range there {
		in.Image = factAt(got, in.Listed.V.ImageID, err, "DescribeInstances returned no image of the instance")
	}
	return nil
}

func (o World) kms(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	if o.KMS == nil || len(those(or(o.WantsKMS, o.Candidate), there)) == 0 {
		return nil
	}
	status, err := o.KMS.AccountStatus(ctx, w.Scope.Region)
	w.KMS = fleet.FactOf(status, err)
	return passing("reading the state of KMS", err)
}

// factAt returns what a read returned under a key; unknown after an error, or without one.
func factAt[T any](got map[string]T, key string, err error, missing string) fleet.Fact[T] {
	v, ok := got[key]
	if !ok && err == nil {
		return fleet.Unknown[T](missing)
	}
	return fleet.FactOf(v, err)
}

// passing returns a transient error, so that the batch is re-queued. Other failures become
// unknown facts.
func passing(doing string, err error) error {
	if fleet.ClassOf(err).Passing() {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
