package sharerole

import (
	"context"

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
func Remark(m Marker) act {
	return each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := remark(ctx, m, c)
		if err != nil && !maybeDone(err) {
			return fleet.Failure(c, "restoring the role's tag", err)
		}
		tags, rerr := m.RoleTags(ctx, c.Ref.ID)
		if rerr != nil || tags[fleet.TagUnused] != c.Want {
			return unseen(c, "restoring the role's tag", err, rerr)
		}
		return fleet.Found(c, c.Want, err)
	})
}

func remark(ctx context.Context, m Marker, c fleet.Change) error {
	if c.Want == "" {
		return m.UntagRole(ctx, c.Ref.ID, fleet.TagUnused)
	}
	return m.TagRole(ctx, c.Ref.ID, fleet.TagUnused, c.Want)
}
