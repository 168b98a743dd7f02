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

// ShareECS is the part of ECS that tells what is shared and how it is encrypted.
type ShareECS interface {
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
	Encryptions(ctx context.Context, region fleet.Region, snapshots []string) (map[string]fleet.Encryption, error)
	OwnImages(ctx context.Context, region fleet.Region) ([]fleet.OwnImage, error)
	ImageSharees(ctx context.Context, region fleet.Region, image string) ([]fleet.AccountID, error)
	DiskUnderOwnKey(ctx context.Context, region fleet.Region, serviceKey string) (string, error)
}

// Sharing is Resource Sharing: snapshots and images of resource shares, by kind of
// share. It leaves out their keys.
type Sharing interface {
	// Regions lists where it is served. A region that it leaves out may be one all the
	// same, unless Absent knows better.
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
	Absent(region fleet.Region) bool
	Shared(ctx context.Context, region fleet.Region) (map[fleet.Kind][]fleet.SharedResource, error)
}

// ServiceKeys reads which key of a region ECS made for itself; "" for none, or where KMS
// is not served.
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

// Shares reads what is shared, of all regions, and the roles that it needs. A region
// that cannot be read is marked and the others are read: what is not seen there keeps
// anything from being taken back. Where Resource Sharing is not served, it is not asked,
// and nothing is shared by it. Regions that the policy does not guard are read as well,
// since roles are global: what they use is not taken back.
type Shares struct {
	ECS       ShareECS
	Sharing   Sharing
	Keys      ServiceKeys
	Roles     ShareRoles
	Directory Directories
	// Home is the region that is asked for the lists of regions.
	Home fleet.Region
	// Folders are those that the policy approves; AsksDirectory says that it approves
	// folders or the directory, and Named that it approves an account by itself.
	Folders       []string
	AsksDirectory bool
	Named         func(fleet.AccountID) bool
	// Guards distinguishes the regions whose disks are looked at; nil means all.
	Guards func(fleet.Region) bool
	// Now is the cloud's time, asked after the reads.
	Now func() time.Time
}

// Observe reads what the batch points to: one side for each kind of ref.
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

// ends reports whether an error ends the pass: nothing more can be asked in it.
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
		why := "the answer names none"
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
		if err != nil {
			s.Role = fleet.Unknown[fleet.Role](err.Error())
			continue
		}
		s.Role = fleet.See(role)
		if role.Missing {
			s.Tags = fleet.See(map[string]string{})
			continue
		}
		tags, err := o.Roles.RoleTags(ctx, name)
		if err := passing("reading the tags of role "+name, err); err != nil {
			return err
		}
		if err != nil {
			s.Tags = fleet.Unknown[map[string]string](err.Error())
			continue
		}
		s.Tags = fleet.See(tags)
	}
	if w.CMKDisk.Seen() && w.CMKDisk.V == "" {
		return nil // the role is needed by nothing
	}
	role, err := o.Roles.Role(ctx, fleet.DiskEncryptRole)
	if err := passing("reading role "+fleet.DiskEncryptRole, err); err != nil {
		return err
	}
	w.DiskRole = fleet.See(role)
	if err != nil {
		w.DiskRole = fleet.Unknown[fleet.Role](err.Error())
	}
	return nil
}

// directory is read if the policy or a share speaks of it.
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
	if err := passing("reading the resource directory", err); err != nil {
		return err
	}
	w.Directory = fleet.See(d)
	if err != nil {
		w.Directory = fleet.Unknown[fleet.Directory](err.Error())
	}
	return nil
}

// trusted are the accounts whose ECS the trust document of a role names.
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

// sharees are all that something is shared with, those a failed share named, and the
// accounts that the roles trust.
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
