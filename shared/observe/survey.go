package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// DiskSurvey returns the category of an instance's system disk from a read of the
// instance's whole region.
type DiskSurvey interface {
	SystemDisk(ctx context.Context, in *fleet.Instance) (fleet.Fact[string], error)
}

// RegionDisks reads the system disks of a region. An empty category means all.
type RegionDisks interface {
	SystemDiskPage(ctx context.Context, region fleet.Region, category, token string) (page []fleet.SystemDisk, next string, err error)
	CountSystemDisks(ctx context.Context, region fleet.Region, category string) (int, error)
	CountLooseSystemDisks(ctx context.Context, region fleet.Region) (int, error)
	CountInstances(ctx context.Context, region fleet.Region) (int, error)
}

// systemCategories are the published categories of disks, the usual one first, without
// the two of elastic ephemeral disks, which cannot be system disks (parameters Category
// and DiskType of DescribeDisks).
var systemCategories = []string{"cloud_essd", "cloud_efficiency", "cloud_auto", "cloud_ssd", "cloud_essd_entry", "cloud",
	"ephemeral_ssd", "ephemeral", "local_ssd_pro", "local_hdd_pro"}

const (
	// maxWhole is the number of system disks up to which all of a region are read: at 500 a
	// page, that takes no more calls than one page for each category.
	maxWhole = 5000
	// maxSurveyed limits the instance ids that a survey keeps: 20,000 take about 1 MiB.
	maxSurveyed = 20_000
)

// Survey reads the system disks of a region on the first call and then answers from its
// [Memory]. It serves one account and region after the other.
//
// DescribeDisks takes one instance id a call, and DescribeInstances returns no disks, so a
// large fleet is classified by elimination: the disks of all categories except the most
// frequent accepted one are listed, and an instance that is not listed has that one. This
// requires that each instance has a disk, and each disk a category that was listed or
// counted, so numbers are compared; where they differ, the rest is unknown.
//
// It costs 1 call to count, then one for each 500 disks in a region of up to 5000. In a
// larger one: 1 for each accepted category if there are several, 1 for each other category
// or each 500 disks of it, and 5 to compare; all but the first once more if the numbers
// differ, since a fleet changes while it is read.
type Survey struct {
	disks    RegionDisks
	accepted []string
	now      func() time.Time
	m        *Memory
}

// Survey returns a survey that does not list the most frequent of the accepted categories.
// now is the cloud's time.
func (m *Memory) Survey(disks RegionDisks, accepted []string, now func() time.Time) *Survey {
	return &Survey{disks: disks, accepted: accepted, now: now, m: m}
}

// surveyed is the result for a region.
type surveyed struct {
	scope fleet.Scope
	ids   map[string][]string // instances by category, sorted
	kept  int
	// rest is the category of all other instances that were launched before the reads
	// began.
	rest  fleet.Fact[string]
	began time.Time
}

// SystemDisk answers for an instance that was listed. A transient failure is an error, and
// the next call starts the survey again; a permanent refusal is cached as the reason of an
// unknown fact.
func (s *Survey) SystemDisk(ctx context.Context, in *fleet.Instance) (fleet.Fact[string], error) {
	if s.m.disks == nil || s.m.disks.scope != in.Ref.Scope {
		found, err := s.read(ctx, in.Ref.Scope.Region)
		if err := passing("surveying system disks", err); err != nil {
			return fleet.Fact[string]{}, err
		}
		if err != nil {
			found = &surveyed{rest: fleet.Unknown[string](err.Error())}
		}
		found.scope = in.Ref.Scope
		s.m.disks = found
	}
	return s.m.disks.of(in), nil
}

func (f *surveyed) of(in *fleet.Instance) fleet.Fact[string] {
	var has []string
	for category, ids := range f.ids {
		if _, ok := slices.BinarySearch(ids, in.Ref.ID); ok {
			has = append(has, category)
		}
	}
	switch {
	case len(has) == 1:
		return fleet.See(has[0])
	case len(has) > 1:
		return fleet.Unknown[string]("the system disk changed while the region's disks were listed")
	case !f.rest.Seen():
		return f.rest
	case !in.Listed.Seen() || in.Listed.V.Created.IsZero() || !in.Listed.V.Created.Before(f.began):
		return fleet.Unknown[string]("launched when the region's disks were listed, or after that")
	}
	return f.rest
}

func (s *Survey) read(ctx context.Context, region fleet.Region) (*surveyed, error) {
	n, err := s.disks.CountSystemDisks(ctx, region, "")
	if err != nil {
		return nil, err
	}
	if n <= maxWhole {
		f := s.begin()
		f.rest = fleet.Unknown[string]("DescribeDisks returned no system disk of it")
		_, err := f.list(ctx, s.disks, region, "")
		return f.sorted(), err
	}
	f, err := s.eliminate(ctx, region)
	if err == nil && !f.rest.Seen() && f.kept <= maxSurveyed {
		f, err = s.eliminate(ctx, region)
	}
	return f, err
}

// begin records the time; CreationTime has minute precision.
func (s *Survey) begin() *surveyed {
	return &surveyed{ids: map[string][]string{}, began: s.now().Truncate(time.Minute)}
}

// eliminate lists all categories but one.
func (s *Survey) eliminate(ctx context.Context, region fleet.Region) (*surveyed, error) {
	f := s.begin()
	granted, err := s.granted(ctx, region)
	if err != nil {
		return nil, err
	}
	listed := 0
	for _, category := range s.categories() {
		if category == granted {
			continue
		}
		n, err := f.list(ctx, s.disks, region, category)
		if err != nil {
			return nil, err
		}
		listed += n
	}
	f.sorted()
	if f.kept > maxSurveyed {
		f.rest = fleet.Unknown[string](fmt.Sprintf("more than %d system disks are not %s: too many to keep apart", maxSurveyed, granted))
		return f, nil
	}
	f.rest, err = s.compare(ctx, region, granted, listed)
	return f, err
}

// categories returns the published ones and those that the policy names.
func (s *Survey) categories() []string {
	all := slices.Concat(systemCategories, s.accepted)
	slices.Sort(all)
	return slices.Compact(all)
}

// granted returns the most frequent accepted category. Any other would cost more calls.
func (s *Survey) granted(ctx context.Context, region fleet.Region) (string, error) {
	if len(s.accepted) == 1 {
		return s.accepted[0], nil
	}
	best, most := systemCategories[0], -1
	for _, category := range s.accepted {
		n, err := s.disks.CountSystemDisks(ctx, region, category)
		if err != nil {
			return "", err
		}
		if n > most {
			best, most = category, n
		}
	}
	return best, nil
}

// list adds the disks of one category, or of all, and returns their number. It stops at the
// limit.
func (f *surveyed) list(ctx context.Context, disks RegionDisks, region fleet.Region, category string) (int, error) {
	n, token := 0, ""
	for f.kept <= maxSurveyed {
		page, next, err := disks.SystemDiskPage(ctx, region, category, token)
		if err != nil {
			return 0, err
		}
		n += len(page)
		for _, d := range page {
			if d.Instance != "" {
				// The answer's category counts, not the request's.
				f.ids[d.Category] = append(f.ids[d.Category], d.Instance)
				f.kept++
			}
		}
		if next == "" {
			break
		}
		token = next
	}
	return n, nil
}

func (f *surveyed) sorted() *surveyed {
	for _, ids := range f.ids {
		slices.Sort(ids)
	}
	return f
}

// compare returns the granted category, if each instance has a system disk and each system
// disk is either granted or listed. Numbers that are read one after the other count only if
// no instance was launched or released meanwhile. One case remains hidden: disks of an
// unknown category, if as many listed disks were released since.
func (s *Survey) compare(ctx context.Context, region fleet.Region, granted string, listed int) (fleet.Fact[string], error) {
	n, err := s.count(ctx, region, granted)
	switch known := n.granted + listed; {
	case err != nil:
		return fleet.Fact[string]{}, err
	case n.all != n.again:
		return fleet.Unknown[string](fmt.Sprintf("the region's system disks changed from %d to %d while they were counted", n.all, n.again)), nil
	case n.all != known:
		return fleet.Unknown[string](fmt.Sprintf("the region's system disks do not add up, %d in all and %d of known categories: one has an unknown category, or the fleet changed meanwhile", n.all, known)), nil
	case n.instances > n.all-n.loose:
		return fleet.Unknown[string](fmt.Sprintf("there are %d instances and %d attached system disks: some have none, or one that is not shown", n.instances, n.all-n.loose)), nil
	}
	return fleet.See(granted), nil
}

// counts are numbers of a region: system disks before and after, granted ones, unattached
// ones, and instances.
type counts struct{ all, granted, loose, instances, again int }

func (s *Survey) count(ctx context.Context, region fleet.Region, granted string) (n counts, err error) {
	for _, c := range []struct {
		n    *int
		read func() (int, error)
	}{
		{&n.all, func() (int, error) { return s.disks.CountSystemDisks(ctx, region, "") }},
		{&n.granted, func() (int, error) { return s.disks.CountSystemDisks(ctx, region, granted) }},
		{&n.loose, func() (int, error) { return s.disks.CountLooseSystemDisks(ctx, region) }},
		{&n.instances, func() (int, error) { return s.disks.CountInstances(ctx, region) }},
		{&n.again, func() (int, error) { return s.disks.CountSystemDisks(ctx, region, "") }},
	} {
		if *c.n, err = c.read(); err != nil {
			return counts{}, err
		}
	}
	return n, nil
}
