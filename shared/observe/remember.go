package observe

import (
	"context"
	"time"

	"fleetwarden/shared/fleet"
)

// Memory caches the reads of one account and region that do not change between batches:
// roles, images, KMS, invocations. Its readers read each resource once. They end with their
// pass, which owns their keys and budget; the next pass may reuse the memory if data of its
// beginning is fresh enough. It is for one goroutine. The zero Memory is ready to use.
//
// A transient error is not cached and is retried. A permanent refusal is cached, so that it
// is not repeated for each batch.
type Memory struct {
	roles  map[string]answer[fleet.Role]
	images map[string]fleet.Image
	// denied is the reason why no image may be read.
	denied error
	kms    map[fleet.Region]answer[string]
	runs   *answer[map[string][]fleet.Invocation]
	disks  *surveyed
	users  map[roleIn]answer[map[string]fleet.Listing]
	// regions are those of the account, as one of them has listed them.
	regions map[fleet.Region]answer[[]fleet.Region]
}

// Limits of the cached roles (or regions), images and instances with runs; beyond them each
// read is a call. An account has at most 1000 roles
// (https://www.alibabacloud.com/help/en/ram/product-overview/limits).
const (
	maxKnown  = 1000
	maxImages = 5000
	maxRuns   = 10_000
)

// answer is a permanent result of a read.
type answer[T any] struct {
	v   T
	err error
}

// Roles reads each distinct role once.
func (m *Memory) Roles(r Roles) Roles {
	if m.roles == nil {
		m.roles = map[string]answer[fleet.Role]{}
	}
	return rolesOnce{r, m.roles}
}

type rolesOnce struct {
	roles Roles
	known map[string]answer[fleet.Role]
}

func (o rolesOnce) Role(ctx context.Context, name string) (fleet.Role, error) {
	return once(o.known, name, func() (fleet.Role, error) { return o.roles.Role(ctx, name) })
}

// once answers from the known answers, or reads and adds the answer to them.
func once[K comparable, T any](known map[K]answer[T], key K, read func() (T, error)) (T, error) {
	if a, ok := known[key]; ok {
		return a.v, a.err
	}
	v, err := read()
	if !fleet.ClassOf(err).Passing() && len(known) < maxKnown {
		known[key] = answer[T]{v, err}
	}
	return v, err
}

// Images reads each distinct image once.
func (m *Memory) Images(i Images) Images {
	if m.images == nil {
		m.images = map[string]fleet.Image{}
	}
	return imagesOnce{i, m}
}

type imagesOnce struct {
	images Images
	m      *Memory
}

// Images asks for the images that are not cached. A refusal is cached only if it concerns
// all images: another may concern a single id.
func (o imagesOnce) Images(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Image, error) {
	if o.m.denied != nil {
		return nil, o.m.denied
	}
	out := make(map[string]fleet.Image, len(ids))
	var ask []string
	for _, id := range ids {
		if image, ok := o.m.images[id]; ok {
			out[id] = image
			continue
		}
		ask = append(ask, id)
	}
	if len(ask) == 0 {
		return out, nil
	}
	got, err := o.images.Images(ctx, region, ask)
	if fleet.ClassOf(err) == fleet.Denied {
		o.m.denied = err
	}
	if err != nil {
		return nil, err
	}
	for id, image := range got {
		out[id] = image
		if len(o.m.images) < maxImages {
			o.m.images[id] = image
		}
	}
	return out, nil
}

// KMS reads once per region whether KMS is enabled.
func (m *Memory) KMS(k KMS) KMS {
	if m.kms == nil {
		m.kms = map[fleet.Region]answer[string]{}
	}
	return kmsOnce{k, m.kms}
}

type kmsOnce struct {
	kms   KMS
	known map[fleet.Region]answer[string]
}

func (o kmsOnce) AccountStatus(ctx context.Context, region fleet.Region) (string, error) {
	return once(o.known, region, func() (string, error) { return o.kms.AccountStatus(ctx, region) })
}

// Assistants reads Fleetwarden's own invocations of all instances once. It is for functions
// that do not push: later invocations are not seen.
func (m *Memory) Assistants(a Assistants) Assistants { return assistantsOnce{a, m} }

type assistantsOnce struct {
	assistants Assistants
	m          *Memory
}

func (o assistantsOnce) Assistants(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Assistant, error) {
	return o.assistants.Assistants(ctx, region, ids)
}

func (o assistantsOnce) Invocations(ctx context.Context, region fleet.Region, since time.Time) (map[string][]fleet.Invocation, error) {
	if o.m.runs != nil {
		return o.m.runs.v, o.m.runs.err
	}
	runs, err := o.assistants.Invocations(ctx, region, since)
	if !fleet.ClassOf(err).Passing() && len(runs) <= maxRuns {
		o.m.runs = &answer[map[string][]fleet.Invocation]{runs, err}
	}
	return runs, err
}

// Users reads once the regions of the account, and for each which instances have a role.
func (m *Memory) Users(u Users) Users {
	if m.users == nil {
		m.users = map[roleIn]answer[map[string]fleet.Listing]{}
		m.regions = map[fleet.Region]answer[[]fleet.Region]{}
	}
	return usersOnce{u, m}
}

// roleIn is a role, as the instances of a region have it.
type roleIn struct {
	region fleet.Region
	role   string
}

type usersOnce struct {
	users Users
	m     *Memory
}

func (o usersOnce) Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error) {
	return once(o.m.regions, home, func() ([]fleet.Region, error) { return o.users.Regions(ctx, home) })
}

func (o usersOnce) RoleUsers(ctx context.Context, region fleet.Region, role string) (map[string]fleet.Listing, error) {
	return once(o.m.users, roleIn{region, role}, func() (map[string]fleet.Listing, error) { return o.users.RoleUsers(ctx, region, role) })
}
