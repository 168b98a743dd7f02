package sharerole

import (
	"context"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Marker is the part of RAM that tags and untags roles.
type Marker interface {
	RoleTags(ctx context.Context, name string) (map[string]string, error)
	TagRole(ctx context.Context, name, key, value string) error
	UntagRole(ctx context.Context, name, key string) error
}

// Remark restores the tag [fleet.TagUnused] that the role of each change had before, or
// removes it where it had none, to undo a [fleet.MarkUnused].
func Remark(m Marker) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := remark(ctx, m, c)
		if err != nil && !acts.MaybeDone(err) {
			return fleet.Failure(c, "restoring the role's tag", err)
		}
		return tagged(ctx, m, c, "restoring the role's tag", err)
	})
}

func remark(ctx context.Context, m Marker, c fleet.Change) error {
	if c.Want == "" {
		return m.UntagRole(ctx, c.Ref.ID, fleet.TagUnused)
	}
	return m.TagRole(ctx, c.Ref.ID, fleet.TagUnused, c.Want)
}

// tagged settles a change by the tag [fleet.TagUnused] that the role shows.
func tagged(ctx context.Context, r interface {
	RoleTags(ctx context.Context, name string) (map[string]string, error)
}, c fleet.Change, doing string, answer error) fleet.Result {
	tags, err := r.RoleTags(ctx, c.Ref.ID)
	if err != nil || tags[fleet.TagUnused] != c.Want {
		return acts.Unseen(c, doing, answer, err)
	}
	return fleet.Found(c, c.Want, answer)
}
