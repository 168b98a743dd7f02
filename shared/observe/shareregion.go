package observe

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// regional reads the shares of one region.
type regional struct {
	Shares
	account fleet.AccountID
	region  fleet.Region
	// asks: Resource Sharing is, or may be, served in the region. omitted: it does not list
	// the region, which is not known to lack it.
	asks, omitted bool
	// shared are the resources of Resource Sharing; unread is the error if they could not
	// be read.
	shared map[fleet.Kind][]fleet.SharedResource
	unread error
	// serviceKey is read once, and only if a resource is encrypted.
	serviceKey *fleet.Fact[string]
}

// read adds the region to all sides.
func (r *regional) read(ctx context.Context, w *fleet.ShareWorld) error {
	if r.asks {
		r.shared, r.unread = r.Sharing.Shared(ctx, r.region)
	}
	if ends(r.unread) {
		return r.unread
	}
	for i := range w.Sides {
		s := &w.Sides[i]
		found, err := r.side(ctx, s)
		if ends(err) {
			return err
		}
		seen := fleet.ShareRegion{Region: r.region, Unlisted: r.omitted, Resources: found}
		if err != nil {
			seen.Unread = err.Error()
		}
		s.Regions.V, s.Regions.Source = append(s.Regions.V, seen), fleet.Observed
	}
	if !slices.ContainsFunc(w.Sides, func(s fleet.ShareSide) bool { return s.Ref.Kind == fleet.KindSnapshotShare }) ||
		w.CMKDisk.V != "" || !r.guards(r.region) {
		return nil
	}
	disk, err := r.disk(ctx)
	switch {
	case ends(err):
		return err
	case err != nil:
		w.CMKDisk = fleet.Unknown[string]("region " + string(r.region) + ": " + err.Error())
	case disk != "":
		w.CMKDisk = fleet.See(disk)
	}
	return nil
}

// side lists the shared resources of one kind, with their keys. With an error, the list may
// be incomplete.
func (r *regional) side(ctx context.Context, s *fleet.ShareSide) ([]fleet.SharedResource, error) {
	if s.Ref.Kind == fleet.KindSnapshotShare {
		found, err := r.snapshots(ctx, r.shared[fleet.KindSnapshotShare])
		return found, errors.Join(r.unread, err)
	}
	found, err := r.images(ctx, s)
	return found, errors.Join(r.unread, err)
}

func (r *regional) snapshots(ctx context.Context, found []fleet.SharedResource) ([]fleet.SharedResource, error) {
	var ids []string
	for _, f := range found {
		ids = append(ids, f.ID)
	}
	how, err := r.encryptions(ctx, ids)
	if ends(err) {
		return nil, err
	}
	for i := range found {
		if err := r.keys(ctx, &found[i], []string{found[i].ID}, how, err); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (r *regional) encryptions(ctx context.Context, ids []string) (map[string]fleet.Encryption, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return r.ECS.Encryptions(ctx, r.region, ids)
}

// images joins the two ways to share an image: directly, and by Resource Sharing.
func (r *regional) images(ctx context.Context, s *fleet.ShareSide) ([]fleet.SharedResource, error) {
	own, err := r.ECS.OwnImages(ctx, r.region)
	if err != nil {
		return r.blindly(err), err
	}
	claimed := claims(s.Ref)
	if !r.guards(r.region) {
		clear(claimed) // a claim selects grants, and this region gets none
	}
	out, sealed, unread := r.sealed(ctx, own, claimed)
	if ends(unread) {
		return nil, unread
	}
	if err := r.sealedBy(ctx, out, sealed); err != nil {
		return nil, err
	}
	for i, image := range sealed {
		if claimed[image.ID] {
			s.Claimed = append(s.Claimed, out[i])
		}
	}
	return append(out, r.unlisted(own)...), unread
}

// sealed returns the account's own encrypted images that are shared or claimed to be, with
// their sharees. With an error, sharees may be missing.
func (r *regional) sealed(ctx context.Context, own []fleet.OwnImage, claimed map[string]bool) (out []fleet.SharedResource, sealed []fleet.OwnImage, unread error) {
	by := r.sharedImages()
	for _, image := range own {
		f, shared := by[image.ID]
		if len(image.Sealed) == 0 || !shared && !image.Shared && !claimed[image.ID] {
			continue
		}
		f.Region, f.ID = r.region, image.ID
		if image.Shared {
			accounts, err := r.ECS.ImageSharees(ctx, r.region, image.ID)
			if ends(err) {
				return nil, nil, err
			}
			unread = errors.Join(unread, err)
			for _, id := range accounts {
				f.Sharees = append(f.Sharees, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)})
			}
		}
		out, sealed = append(out, f), append(sealed, image)
	}
	return out, sealed, unread
}

// sealedBy fills the keys of images. It returns only errors that end the pass.
func (r *regional) sealedBy(ctx context.Context, found []fleet.SharedResource, sealed []fleet.OwnImage) error {
	var ids []string
	for _, image := range sealed {
		ids = append(ids, image.Sealed...)
	}
	how, err := r.encryptions(ctx, ids)
	if ends(err) {
		return err
	}
	for i, image := range sealed {
		if err := r.keys(ctx, &found[i], image.Sealed, how, err); err != nil {
			return err
		}
	}
	return nil
}

// unlisted returns the shared images that are not among the account's own: they may be
// encrypted.
func (r *regional) unlisted(own []fleet.OwnImage) []fleet.SharedResource {
	by := r.sharedImages()
	for _, image := range own {
		delete(by, image.ID)
	}
	var out []fleet.SharedResource
	for _, id := range slices.Sorted(maps.Keys(by)) {
		f := by[id]
		f.Keys = fleet.Unknown[[]fleet.KMSKey]("the image is not among the account's own")
		out = append(out, f)
	}
	return out
}

// sharedImages returns the images of Resource Sharing by id.
func (r *regional) sharedImages() map[string]fleet.SharedResource {
	by := map[string]fleet.SharedResource{}
	for _, f := range r.shared[fleet.KindImageShare] {
		by[f.ID] = f
	}
	return by
}

// blindly returns the images of Resource Sharing when the images could not be listed.
func (r *regional) blindly(err error) []fleet.SharedResource {
	found := r.shared[fleet.KindImageShare]
	for i := range found {
		found[i].Keys = fleet.Unknown[[]fleet.KMSKey](err.Error())
	}
	return found
}

// claims returns the images that failed shares named, when they failed for want of the
// role.
func claims(r fleet.Ref) map[string]bool {
	out := map[string]bool{}
	for _, f := range r.Call.FailedShares() {
		out[f.ImageID] = true
	}
	return out
}

// keys fills the keys of a resource from the encryption of its snapshots. It returns only
// errors that end the pass.
func (r *regional) keys(ctx context.Context, f *fleet.SharedResource, snapshots []string, how map[string]fleet.Encryption, readErr error) error {
	if readErr != nil {
		f.Keys = fleet.Unknown[[]fleet.KMSKey](readErr.Error())
		return nil
	}
	var keys []fleet.KMSKey
	for _, id := range snapshots {
		e, ok := how[id]
		if !ok {
			f.Keys = fleet.Unknown[[]fleet.KMSKey]("snapshot " + id + " was not found")
			return nil
		}
		if !e.Encrypted {
			continue
		}
		k, err := r.key(ctx, e.Key)
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	f.Keys = fleet.See(keys)
	return nil
}

// key reports whether ECS created the key. Without a key id, it did.
func (r *regional) key(ctx context.Context, id string) (fleet.KMSKey, error) {
	k := fleet.KMSKey{Account: r.account, Region: r.region, ID: id}
	if parts := strings.Split(id, ":"); len(parts) == 5 && strings.HasPrefix(parts[4], "key/") {
		k.Region, k.Account, k.ID = fleet.Region(parts[2]), fleet.AccountID(parts[3]), strings.TrimPrefix(parts[4], "key/")
	}
	if id == "" {
		k.Service = fleet.See(true)
		return k, nil
	}
	service, err := r.service(ctx)
	if err != nil {
		return k, err
	}
	k.Service = fleet.Fact[bool]{V: service.V == k.ID, Source: service.Source, Why: service.Why}
	return k, nil
}

func (r *regional) service(ctx context.Context) (fleet.Fact[string], error) {
	if r.serviceKey == nil {
		id, err := r.Keys.ServiceKey(ctx, r.region)
		if ends(err) {
			return fleet.Fact[string]{}, err
		}
		r.serviceKey = new(fleet.FactOf(id, err))
	}
	return *r.serviceKey, nil
}

// disk returns a disk that is encrypted with a key that the account created.
func (r *regional) disk(ctx context.Context) (string, error) {
	// Without any encrypted disk the service key need not be known.
	disk, err := r.ECS.DiskUnderOwnKey(ctx, r.region, "")
	if err != nil || disk == "" {
		return "", err
	}
	service, err := r.service(ctx)
	switch {
	case err != nil:
		return "", err
	case !service.Seen():
		return "", errors.New("the key that ECS created could not be read: " + service.Why)
	case service.V == "":
		return disk, nil
	}
	return r.ECS.DiskUnderOwnKey(ctx, r.region, service.V)
}
