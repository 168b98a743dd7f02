package why

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
)

const (
	// before and after are how far from its creation the record of an instance's launch can be:
	// ECS cuts the seconds off, and a purchase on a buy page is recorded before its instances
	// are made.
	before = 5 * time.Minute
	after  = time.Hour
	// mostPages is how many pages of records of one resource are read, of 50 each.
	mostPages = 4
)

// trail reads the records of the subject: those that name it or, where none is a launch, the
// launches about the time of its creation.
func (s *Sources) trail(ctx context.Context, account Account, q Question, f *Facts) {
	id := cmp.Or(q.ID, q.Resource)
	if account.Trail == nil && account.Instances != nil {
		f.NoTrail = "the role in account " + string(f.Ref.Scope.Account) + " has no right to it, and needs none otherwise"
	}
	if account.Trail == nil || id == "" {
		return
	}
	w, region := s.window(q, f), cmp.Or(f.Ref.Scope.Region, q.Region, s.Home.Region) // shares are recorded where the resource is
	f.Window = w
	if !w.Since.Before(w.Until) {
		f.Calls = fleet.Unknown[[]Call]("ActionTrail keeps records for 90 days, and it was created before")
		return
	}
	calls, err := s.records(ctx, account, region, trail.Query{Since: w.Since, Until: w.Until, Resource: id}, f)
	for _, name := range s.names(f, calls) {
		if err != nil {
			break
		}
		var more []Call
		created := f.Listed.V.Created
		more, err = s.records(ctx, account, region, trail.Query{Since: created.Add(-before), Until: latest(created.Add(before), w.Since), EventName: name}, f)
		calls = append(calls, more...)
	}
	f.Calls = fleet.FactOf(calls, err)
}

// names are the launch calls to search by name: none if the launch is known, or the time is not.
func (s *Sources) names(f *Facts, calls []Call) (names []string) {
	if f.Kind != fleet.KindInstance || !f.Listed.Seen() || slices.ContainsFunc(calls, Call.launches) {
		return nil
	}
	for _, c := range fleet.LaunchCalls() {
		if !c.Assumed {
			names = append(names, c.Event)
		}
	}
	return names
}

// window is the time of which records are read: that of an instance's creation, and else since
// the beginning of the search, within what one query may span.
func (s *Sources) window(q Question, f *Facts) Window {
	now := s.Now().UTC().Truncate(time.Second)
	if f.Listed.Seen() {
		created := f.Listed.V.Created.UTC()
		return Window{latest(created.Add(-before), now.Add(-trail.Kept)), earliest(created.Add(after), now)}
	}
	return Window{latest(q.Since.UTC(), now.Add(-trail.Range)).Truncate(time.Second), now}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// records are the records that a query selects and that name the subject.
func (s *Sources) records(ctx context.Context, account Account, region fleet.Region, q trail.Query, f *Facts) (calls []Call, err error) {
	for range mostPages {
		page, next, err := account.Trail.Lookup(ctx, region, q)
		if err != nil {
			return calls, err
		}
		for _, r := range page {
			head := r.Head()
			c := Call{Time: r.Time, Name: head.Name, Caller: head.Caller, ErrorCode: head.ErrorCode}
			ids, claims := s.Claims(r.Body, f.Ref.Scope.Account)
			c.Claims = claims
			if q.Resource == "" && !slices.Contains(ids, f.ID) {
				continue
			}
			calls = append(calls, c)
		}
		if q.Token = next; next == "" {
			return calls, nil
		}
	}
	f.MoreCalls = true
	return calls, nil
}

func (s *Sources) trails(ctx context.Context, account Account, f *Facts) {
	if account.Trail == nil {
		return
	}
	got, err := account.Trail.Trails(ctx, s.Home.Region, cmp.Or(f.Ref.Scope.Region, s.Home.Region))
	f.Trails = fleet.FactOf(got, err)
}
