package sharerole

import (
	"context"
	"errors"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Images is the part of ECS that repeats a share.
type Images interface {
	ImageSharees(ctx context.Context, region fleet.Region, image string) ([]fleet.AccountID, error)
	// ShareImage shares an image with accounts, at most 10.
	ShareImage(ctx context.Context, region fleet.Region, image string, with []fleet.AccountID) error
}

// errNotShared is final: a share is repeated once a day.
var errNotShared = errors.New("the call succeeded, but the image is not shared with all of them")

// MarkRetried puts the tag [fleet.TagRetried] onto the role of each change, for
// [fleet.MarkRetried].
func MarkRetried(r Roles) act { return tag(r, fleet.TagRetried) }

// Retry shares the image of each change with those of the accounts it wants that do not
// have it yet, for [fleet.RetryShare].
func Retry(i Images) act {
	return each(func(ctx context.Context, c fleet.Change) fleet.Result {
		absent, err := unshared(ctx, i, c)
		switch {
		case err != nil:
			return fleet.Failure(c, "reading whom the image is shared with", err)
		case len(absent) == 0:
			return fleet.Result{Change: c, State: fleet.Skipped, After: c.Want, Why: "the image is shared with them already"}
		}
		werr := i.ShareImage(ctx, c.Ref.Scope.Region, c.Ref.ID, absent)
		if werr != nil && !maybeDone(werr) {
			return fleet.Failure(c, "sharing the image again", werr)
		}
		absent, err = unshared(ctx, i, c)
		switch {
		case err != nil || len(absent) > 0 && werr != nil:
			return unseen(c, "sharing the image again", werr, err)
		case len(absent) > 0:
			return fleet.Failure(c, "reading the share back", errNotShared)
		}
		return fleet.Found(c, c.Want, werr)
	})
}

// unshared are the accounts that a change wants and that do not have the image.
func unshared(ctx context.Context, i Images, c fleet.Change) ([]fleet.AccountID, error) {
	have, err := i.ImageSharees(ctx, c.Ref.Scope.Region, c.Ref.ID)
	if err != nil {
		return nil, err
	}
	var out []fleet.AccountID
	for id := range strings.FieldsSeq(c.Want) {
		if !slices.Contains(have, fleet.AccountID(id)) {
			out = append(out, fleet.AccountID(id))
		}
	}
	return out, nil
}
