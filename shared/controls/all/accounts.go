// Package all is every control, with the clients of an account, for sweep, plan and
// operators. It links the SDK of each product that a control reads; a function that owns
// one control does not import it.
package all

import (
	"context"
	"fmt"
	"slices"

	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

// Accounts are the policy's accounts: its own list and, where it names a role for all
// members, those of the resource directory. Unreachable members are included, so that they
// are reported.
func Accounts(ctx context.Context, inv *invocation.Invocation) ([]fleet.AccountID, error) {
	var out []fleet.AccountID
	for _, a := range inv.Options.Policy.Accounts {
		out = append(out, a.ID)
	}
	if inv.Options.Policy.Directory.Role != "" {
		members, err := directory.New(inv.Session).Accounts(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the accounts of the resource directory: %w", err)
		}
		for _, m := range members {
			out = append(out, m.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Regions returns the regions of an account that the policy guards.
func Regions(inv *invocation.Invocation) func(context.Context, fleet.AccountID) ([]fleet.Region, error) {
	return func(ctx context.Context, account fleet.AccountID) ([]fleet.Region, error) {
		if listed := inv.Options.Policy.Regions; len(listed) > 0 {
			return listed, nil
		}
		session, err := inv.In(ctx, account)
		if err != nil {
			return nil, err
		}
		return ecs.New(session).Regions(ctx, inv.Home.Region)
	}
}
