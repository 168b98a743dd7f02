package observe_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

var (
	here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

// failure is an error with a class, as the cloud's clients return them.
type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

var (
	denied    = failure{fleet.Denied}
	throttled = failure{fleet.Throttled}
)

// cloud answers reads and counts them.
type cloud struct {
	instances map[string]fleet.Listing
	roleNames map[string]string
	roles     map[string]fleet.Role
	byDisk    map[string][2]string // disk id: instance, category
	byID      map[string]string    // instance: category
	images    map[string]fleet.Image
	kms       string
	young     []string
	regions   []fleet.Region   // of the account
	fails     map[string]error // by API

	calls map[string]int
	asked map[string][]string
}

func newCloud(ids ...string) *cloud {
	c := &cloud{
		instances: map[string]fleet.Listing{}, roleNames: map[string]string{}, roles: map[string]fleet.Role{}, byDisk: map[string][2]string{},
		byID: map[string]string{}, images: map[string]fleet.Image{}, kms: "Enabled", fails: map[string]error{},
		calls: map[string]int{}, asked: map[string][]string{},
	}
	for _, id := range ids {
		c.instances[id] = fleet.Listing{Family: "ecs.g7t", ImageID: "m-1"}
		c.roleNames[id], c.byID[id] = "", "cloud_essd"
	}
	c.images["m-1"] = fleet.Image{ID: "m-1", BootMode: "UEFI"}
	return c
}

func (c *cloud) call(api string, asked ...string) error {
	c.calls[api]++
	c.asked[api] = append(c.asked[api], asked...)
	return c.fails[api]
}

// only returns the asked part of a map, or the API's failure.
func only[T any](c *cloud, api string, all map[string]T, ids []string) (map[string]T, error) {
	if err := c.call(api, ids...); err != nil {
		return nil, err
	}
	out := map[string]T{}
	for _, id := range ids {
		if v, ok := all[id]; ok {
			out[id] = v
		}
	}
	return out, nil
}

func (c *cloud) Listings(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	return only(c, "Listings", c.instances, ids)
}

func (c *cloud) RoleNames(_ context.Context, _ fleet.Region, ids []string) (map[string]string, error) {
	return only(c, "RoleNames", c.roleNames, ids)
}

func (c *cloud) Images(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.Image, error) {
	return only(c, "Images", c.images, ids)
}

func (c *cloud) Role(_ context.Context, name string) (fleet.Role, error) {
	if err := c.call("Role", name); err != nil {
		return fleet.Role{}, err
	}
	r, ok := c.roles[name]
	return fleet.Role{Name: name, Missing: !ok, Trust: r.Trust}, nil
}

func (c *cloud) SystemDisksByID(_ context.Context, _ fleet.Region, ids []string) (map[string]string, error) {
	if err := c.call("SystemDisksByID", ids...); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, id := range ids {
		if d, ok := c.byDisk[id]; ok {
			out[d[0]] = d[1]
		}
	}
	return out, nil
}

func (c *cloud) SystemDiskOf(_ context.Context, _ fleet.Region, id string) (string, error) {
	return c.byID[id], c.call("SystemDiskOf", id)
}

func (c *cloud) AccountStatus(context.Context, fleet.Region) (string, error) {
	return c.kms, c.call("AccountStatus")
}

func (c *cloud) CreatedSince(_ context.Context, _ fleet.Region, since time.Time, _ int) (map[string]fleet.Listing, error) {
	if err := c.call("CreatedSince", since.Format(time.RFC3339)); err != nil {
		return nil, err
	}
	out := map[string]fleet.Listing{}
	for _, id := range c.young {
		out[id] = c.instances[id]
	}
	return out, nil
}

// everything reads all facets; instances whose id begins with "o" are ordinary.
func everything(c *cloud) observe.World {
	return observe.World{
		Listings: c, RoleNames: c, Roles: c, Needed: []string{"Systrust"}, Disks: c, Images: c, KMS: c, Young: c,
		Candidate: func(i *fleet.Instance) bool { return i.Ref.ID[0] != 'o' },
		Now:       func() time.Time { return noon },
	}
}

func batch(ids ...string) fleet.Batch {
	b := fleet.Batch{Scope: here}
	for _, id := range ids {
		b.Refs = append(b.Refs, fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id})
	}
	return b
}

func many(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("i-%03d", i)
	}
	return out
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
