package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// ShareECS is the part of ECS that lists shared resources and their encryption.
type ShareECS interface {
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
	Encryptions(ctx context.Context, region fleet.Region, snapshots []string) (map[string]fleet.Encryption, error)
	OwnImages(ctx context.Context, region fleet.Region) ([]fleet.OwnImage, error)
	ImageSharees(ctx context.Context, region fleet.Region, image string) ([]fleet.AccountID, error)
	DiskUnderOwnKey(ctx context.Context, region fleet.Region, serviceKey string) (string, error)
}

// Sharing is Resource Sharing: the snapshots and images of resource shares, by kind of
// share, without their keys.
type Sharing interface {
	// Regions lists the regions that serve it. An unlisted region may serve it too, unless
	// Absent reports that it does not.
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
	Absent(region fleet.Region) bool
	Shared(ctx context.Context, region fleet.Region) (map[fleet.Kind][]fleet.SharedResource, error)
}

// ServiceKeys reads the key of a region that ECS created; "" for none, or where KMS is not
// served.
type ServiceKeys interface {
	ServiceKey(ctx context.Context, region fleet.Region) (string, error)
}

// ShareRoles reads share roles and their tags.
type ShareRoles interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
	RoleTags(ctx context.Context, name string) (map[string]string, error)
	Policy(ctx context.Context, p fleet.Policy) (document string, err error)
}

// Directories reads the account's resource directory.
type Directories interface {
	Directory(ctx context.Context, folders []string, accounts []fleet.AccountID) (fleet.Directory, error)
}

// Shares reads the shared resources of all regions, and the roles that they need. A region
// that cannot be read is marked and the others are read; while one is unread, no grant is
// revoked. Where Resource Sharing is not served, it is not called. Regions that the policy
// does not guard are read as well, since roles are global: keys in use there are not
// revoked.
type Shares struct {
	ECS       ShareECS
	Sharing   Sharing
	Keys      ServiceKeys
	Roles     ShareRoles
	Directory Directories
	// Home is the region that is called for the lists of regions.
	Home fleet.Region
	// Folders are those that the policy approves; AsksDirectory reports that it approves
	// folders or the directory, and Named that it approves an account by its id.
	Folders       []string
	AsksDirectory bool
	Named         func(fleet.AccountID) bool
	// Guards selects the regions whose disks are checked; nil means all.
	Guards func(fleet.Region) bool
	// Now is the cloud's time, taken after the reads.
	Now func() time.Time
}

// Observe reads the resources of the batch: one side for each kind of ref.
func (o Shares) Observe(ctx context.Context, b fleet.Batch) (*fleet.ShareWorld, error) {
	w := &fleet.ShareWorld{Account: b.Scope.Account}
	for _, r := range b.Refs {
		switch r.Kind {
		case fleet.KindSnapshotShare, fleet.KindImageShare:
			w.Sides = append(w.Sides, fleet.ShareSide{Ref: r})
		}
	}
	if len(w.Sides) == 0 {
		w.At = o.Now()
		return w, nil
	}
	for _, facet := range []func(context.Context, *fleet.ShareWorld) error{o.regions, o.roles, o.names, o.directory} {
		if err := facet(ctx, w); err != nil {
			return nil, err
		}
	}
	w.At = o.Now()
	return w, nil
}

// ends reports whether an error ends the pass: no further call can succeed in it.
func ends(err error) bool {
	c := fleet.ClassOf(err)
	return c == fleet.OutOfBudget || c == fleet.Canceled
}

func (o Shares) regions(ctx context.Context, w *fleet.ShareWorld) error {
	all, err := o.ECS.Regions(ctx, o.Home)
	if err := passing("reading the regions", err); err != nil {
		return err
	}
	if err != nil || len(all) == 0 {
		why := "the answer has no region"
		if err != nil {
			why = err.Error()
		}
		for i := range w.Sides {
			w.Sides[i].Regions = fleet.Unknown[[]fleet.ShareRegion](why)
		}
		w.CMKDisk = fleet.Unknown[string](why)
		return nil
	}
	w.CMKDisk = fleet.See("")
	served, err := o.Sharing.Regions(ctx, o.Home)
	if ends(err) {
		return err
	}
	for _, region := range all {
		r := &regional{Shares: o, account: w.Account, region: region}
		switch listed, absent := slices.Contains(served, region), o.Sharing.Absent(region); {
		case err == nil:
			r.asks, r.omitted = listed, !listed && !absent
		case absent:
		case fleet.ClassOf(err).Passing():
			r.asks = true
		default:
			r.unread = fmt.Errorf("listing the regions of Resource Sharing: %w", err)
		}
		if err := r.read(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// guards reports whether the policy guards a region.
func (o Shares) guards(region fleet.Region) bool { return o.Guards == nil || o.Guards(region) }

func (o Shares) roles(ctx context.Context, w *fleet.ShareWorld) error {
	for i := range w.Sides {
		s := &w.Sides[i]
		name := fleet.ShareRole(s.Ref.Kind)
		role, err := o.Roles.Role(ctx, name)
		if err := passing("reading role "+name, err); err != nil {
			return err
		}
		s.Role = fleet.FactOf(role, err)
		if err != nil {
			continue
		}
		if role.Missing {
			s.Tags = fleet.See(map[string]string{})
			continue
		}
		tags, err := o.Roles.RoleTags(ctx, name)
		if err := passing("reading the tags of role "+name, err); err != nil {
			return err
		}
		s.Tags = fleet.FactOf(tags, err)
	}
	if w.CMKDisk.Seen() && w.CMKDisk.V == "" {
		return nil // no resource needs the role
	}
	role, err := o.Roles.Role(ctx, fleet.DiskEncryptRole)
	w.DiskRole = fleet.FactOf(role, err)
	return passing("reading role "+fleet.DiskEncryptRole, err)
}

// directory is read if the policy or a share refers to it.
func (o Shares) directory(ctx context.Context, w *fleet.ShareWorld) error {
	folders, accounts, asks := slices.Clone(o.Folders), []fleet.AccountID(nil), o.AsksDirectory
	for x := range sharees(w) {
		switch {
		case x.Kind == fleet.ShareeFolder && strings.HasPrefix(x.ID, "fd-"):
			folders = append(folders, x.ID)
		case x.Kind == fleet.ShareeAccount && o.AsksDirectory && !o.Named(fleet.AccountID(x.ID)):
			accounts = append(accounts, fleet.AccountID(x.ID))
		}
		asks = asks || x.Kind != fleet.ShareeAccount
	}
	if !asks {
		return nil
	}
	slices.Sort(folders)
	slices.Sort(accounts)
	d, err := o.Directory.Directory(ctx, slices.Compact(folders), slices.Compact(accounts))
	w.Directory = fleet.FactOf(d, err)
	return passing("reading the resource directory", err)
}

// trusted returns the accounts whose ECS a role's trust document names.
func trusted(role fleet.Role) []fleet.AccountID {
	t, err := rampolicy.ParseTrust(role.Trust)
	if err != nil {
		return nil // the rules report it
	}
	out := t.Sharees().Accounts
	for _, p := range t.Others() {
		if p.ECS() && p.Account != "" {
			out = append(out, p.Account)
		}
	}
	return out
}

// sharees returns all sharees of resources and of failed shares, and the accounts that the
// roles trust.
func sharees(w *fleet.ShareWorld) map[fleet.Sharee]bool {
	out := map[fleet.Sharee]bool{}
	for _, s := range w.Sides {
		for _, region := range s.Regions.V {
			for _, r := range region.Resources {
				for _, x := range r.Sharees {
					out[x] = true
				}
			}
		}
		for _, f := range s.Ref.Call.FailedShares() {
			for _, id := range f.Accounts {
				out[fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)}] = true
			}
		}
		for _, id := range trusted(s.Role.V) {
			out[fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)}] = true
		}
	}
	return out
}
