package observe

import (
	"context"

	"fleetwarden/shared/fleet"
)

// Whoever reads one account and region batch after batch meets the same roles and
// images again and again. What follows reads each once. It is made for one account and
// region, lives as long as that is read, and is for one goroutine.
//
// What time may heal is not remembered and is asked again. What was refused for good is
// remembered, so that it is not asked once a batch.

// How many roles and images are remembered; what comes after them is read each time. An
// account has at most 1000 roles (https://www.alibabacloud.com/help/en/ram/product-overview/limits).
const (
	maxRoles  = 1000
	maxImages = 5000
)

// answer is what a read gave for good.
type answer[T any] struct {
	v   T
	err error
}

// RolesOnce reads each distinct role once.
func RolesOnce(r Roles) Roles { return rolesOnce{r, map[string]answer[fleet.Role]{}} }

type rolesOnce struct {
	roles Roles
	known map[string]answer[fleet.Role]
}

func (o rolesOnce) Role(ctx context.Context, name string) (fleet.Role, error) {
	if a, ok := o.known[name]; ok {
		return a.v, a.err
	}
	role, err := o.roles.Role(ctx, name)
	if !fleet.ClassOf(err).Passing() && len(o.known) < maxRoles {
		o.known[name] = answer[fleet.Role]{role, err}
	}
	return role, err
}

// ImagesOnce reads each distinct image of one region once.
func ImagesOnce(i Images) Images { return &imagesOnce{images: i, known: map[string]fleet.Image{}} }

type imagesOnce struct {
	images Images
	known  map[string]fleet.Image
	denied error
}

// Images asks for those that are not known. A refusal is remembered only if it is one of
// all images: others may be due to a single id, and the next ids may do better.
func (o *imagesOnce) Images(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Image, error) {
	if o.denied != nil {
		return nil, o.denied
	}
	out := make(map[string]fleet.Image, len(ids))
	var ask []string
	for _, id := range ids {
		if image, ok := o.known[id]; ok {
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
		o.denied = err
	}
	if err != nil {
		return nil, err
	}
	for id, image := range got {
		out[id] = image
		if len(o.known) < maxImages {
			o.known[id] = image
		}
	}
	return out, nil
}

// KMSOnce reads once whether the account has KMS in one region.
func KMSOnce(k KMS) KMS { return &kmsOnce{kms: k} }

type kmsOnce struct {
	kms   KMS
	known *answer[string]
}

func (o *kmsOnce) AccountStatus(ctx context.Context, region fleet.Region) (string, error) {
	if o.known != nil {
		return o.known.v, o.known.err
	}
	status, err := o.kms.AccountStatus(ctx, region)
	if !fleet.ClassOf(err).Passing() {
		o.known = &answer[string]{status, err}
	}
	return status, err
}
