package observe

import (
	"context"
	"errors"
	"slices"

	"fleetwarden/shared/fleet"
)

// disks fills SystemDisk: from the survey if there is one; else by the disk ids in the
// trail record, one call for a whole launch; else one call for each instance, since
// DescribeDisks takes a list of disk ids, but one instance id. The pass's budget limits
// these calls; the rest of the batch is re-queued.
func (o World) disks(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	there = o.candidates(there)
	switch {
	case o.Survey != nil:
		return o.surveyed(ctx, there)
	case o.Disks == nil:
		return nil
	}
	got, err := o.disksByID(ctx, w, there)
	if err := passing("reading disks", err); err != nil {
		return err
	}
	if err != nil {
		for _, in := range there {
			in.SystemDisk = fleet.Unknown[string](err.Error())
		}
		return nil
	}
	for _, in := range there {
		if category, ok := got[in.Ref.ID]; ok {
			in.SystemDisk = fleet.See(category)
		} else if err := o.diskOf(ctx, w, in); err != nil {
			return err
		}
	}
	return nil
}

func (o World) surveyed(ctx context.Context, there []*fleet.Instance) error {
	for _, in := range there {
		disk, err := o.Survey.SystemDisk(ctx, in)
		if err != nil {
			return err
		}
		in.SystemDisk = disk
	}
	return nil
}

// disksByID asks for the disks that launches named. The ids are only claims: a disk counts
// for the instance that it is attached to.
func (o World) disksByID(ctx context.Context, w *fleet.World, there []*fleet.Instance) (map[string]string, error) {
	var ids []string
	asked := map[*fleet.Call]bool{}
	for _, in := range there {
		if c := in.Ref.Call; c != nil && c.Launch != nil && !asked[c] {
			asked[c] = true
			ids = append(ids, c.Launch.Disks...)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	return o.Disks.SystemDisksByID(ctx, w.Scope.Region, slices.Compact(ids))
}

var errNoDisk = errors.New("DescribeDisks returned no system disk")

func (o World) diskOf(ctx context.Context, w *fleet.World, in *fleet.Instance) error {
	category, err := o.Disks.SystemDiskOf(ctx, w.Scope.Region, in.Ref.ID)
	if err := passing("reading the system disk of "+in.Ref.ID, err); err != nil {
		return err
	}
	if category == "" && err == nil {
		err = errNoDisk
	}
	in.SystemDisk = fleet.FactOf(category, err)
	return nil
}
