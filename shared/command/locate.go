package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/sweep"
)

// present reports instances that are not where a person said, and says where they are.
func present(ctx context.Context, inv *invocation.Invocation, at fleet.Scope, ids []string) error {
	_, missing, looked := locate(ctx, inv, at.Account, []fleet.Region{at.Region}, ids)
	if looked == nil && len(missing) == 0 {
		return nil
	}
	regions, err := all.Regions(inv)(ctx, at.Account)
	switch {
	case looked != nil && err == nil && !slices.Contains(regions, at.Region):
		return Wrong("account %s has no region %s that the policy guards, only %v", at.Account, at.Region, regions)
	case looked != nil || err != nil:
		return cmp.Or(looked, err)
	}
	found, missing, err := locate(ctx, inv, at.Account, regions, missing)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		for _, r := range regions {
			if slices.Contains(found[r], id) {
				errs = append(errs, fmt.Errorf("%s is in %s, not in %s: add --region %s", id, r, at.Region, r))
			}
		}
		if slices.Contains(missing, id) {
			errs = append(errs, fmt.Errorf("%s is in no region of account %s that the policy guards", id, at.Account))
		}
	}
	return errors.Join(errs...)
}

// locate looks for instances in regions, one after the other, until it has found all.
func locate(ctx context.Context, inv *invocation.Invocation, account fleet.AccountID, regions []fleet.Region, ids []string) (found map[fleet.Region][]string, missing []string, err error) {
	session, err := inv.In(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	found, missing = map[fleet.Region][]string{}, ids
	for _, r := range regions {
		if len(missing) == 0 {
			break
		}
		there, err := ecs.New(session).Listings(ctx, r, missing)
		if err != nil {
			return nil, nil, fmt.Errorf("looking for the instances in %s: %w", r, err)
		}
		found[r] = slices.Sorted(maps.Keys(there))
		missing = slices.DeleteFunc(slices.Clone(missing), func(id string) bool { _, ok := there[id]; return ok })
	}
	return found, missing, nil
}

// driftOf checks the instances that a plan is to be about, wherever they are.
func (c *Call) driftOf(ctx context.Context, inv *invocation.Invocation, s scope) (sweep.Result, iter.Seq2[sweep.Drifted, error], error) {
	inv.Options.Policy = s.policy(inv.Options.Policy)
	k, missing := newChecking(c, inv), s.IDs
	where, err := c.where(ctx, inv, s.Filter)
	if err != nil {
		return sweep.Result{}, nil, err
	}
	var unread []error
	for _, account := range where.Accounts {
		if len(missing) == 0 {
			break
		}
		regions, err := where.Regions(ctx, account)
		var found map[fleet.Region][]string
		rest := missing
		if err == nil {
			found, rest, err = locate(ctx, inv, account, regions, missing)
		}
		if err != nil { // it may be in another account
			unread = append(unread, err)
			continue
		}
		for _, r := range regions {
			at := fleet.Scope{Account: account, Region: r}
			if err := k.run(ctx, named(at, found[r]), func(any) error { return nil }); err != nil {
				return sweep.Result{}, nil, err
			}
			if err := k.found(""); err != nil {
				k.faults[at] = err.Error()
			}
		}
		missing = rest
	}
	if len(missing) > 0 {
		err := fmt.Errorf("%s in none of these accounts and regions of the policy: %s", Plural(len(missing), "instance is", "instances are"), strings.Join(missing, ", "))
		return sweep.Result{}, nil, errors.Join(append([]error{err}, unread...)...)
	}
	found, drift := k.result()
	return found, drift, nil
}
