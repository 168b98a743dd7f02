package why

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"fleetwarden/shared/fleet"
)

// mostAccounts is how many accounts of the policy file are searched for an id: each costs a call
// for each region.
const mostAccounts = 20

// locate finds an instance: in the region that was named, in the other regions of that account,
// whether the policy guards them or not, and then in the policy's other accounts.
func (s *Sources) locate(ctx context.Context, q Question, f *Facts) {
	accounts := []fleet.AccountID{cmp.Or(q.Account, s.Home.Account)}
	if q.Account == "" {
		others := slices.DeleteFunc(slices.Clone(s.Named), func(a fleet.AccountID) bool { return a == s.Home.Account })
		if len(others) > mostAccounts {
			f.Place.Unread = append(f.Place.Unread, Unread{fmt.Sprintf("%d other accounts of the policy", len(others)), "too many to search: give --account"})
			others = nil
		}
		accounts = append(accounts, others...)
	}
	first := fleet.Scope{Account: accounts[0], Region: cmp.Or(q.Region, s.Home.Region)}
	f.Ref = fleet.Ref{Scope: first, Kind: fleet.KindInstance, ID: q.ID}
	f.Listed = fleet.Unknown[fleet.Listing]("not found")
	for _, a := range accounts {
		account, err := s.In(ctx, a)
		if err != nil {
			f.Place.unread("account "+string(a), err)
			continue
		}
		if s.look(ctx, account, []fleet.Scope{{Account: a, Region: first.Region}}, f) {
			return
		}
		if s.look(ctx, account, s.regions(ctx, account, a, first.Region, f), f) {
			return
		}
	}
}

// regions are all regions of an account but one; where they cannot be listed, those of the policy.
func (s *Sources) regions(ctx context.Context, account Account, id fleet.AccountID, but fleet.Region, f *Facts) (out []fleet.Scope) {
	regions, err := account.Instances.Regions(ctx, s.Home.Region)
	if err != nil {
		f.Place.unread("the regions of account "+string(id), err)
		regions = s.Policy.Regions
	}
	for _, r := range regions {
		if r != but {
			out = append(out, fleet.Scope{Account: id, Region: r})
		}
	}
	return out
}

// look looks for the instance in places of one account, a few at a time.
func (s *Sources) look(ctx context.Context, account Account, places []fleet.Scope, f *Facts) bool {
	const atOnce = 8
	for part := range slices.Chunk(places, atOnce) {
		found, errs := make([]map[string]fleet.Listing, len(part)), make([]error, len(part))
		var group sync.WaitGroup
		for i, at := range part {
			group.Go(func() { found[i], errs[i] = account.Instances.Listings(ctx, at.Region, []string{f.ID}) })
		}
		group.Wait()
		for i, at := range part {
			f.Place.Looked = append(f.Place.Looked, at)
			if errs[i] != nil {
				f.Place.unread(at.String(), errs[i])
			}
			if l, ok := found[i][f.ID]; ok {
				f.Ref.Scope, f.Listed, f.Place.Found = at, fleet.See(l), true
			}
		}
		if f.Place.Found {
			f.Place.Unread = nil // it is known where it is
			return true
		}
	}
	return false
}

func (p *Place) unread(what string, err error) {
	p.Unread = append(p.Unread, Unread{what, err.Error()})
}
