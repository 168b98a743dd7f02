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
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
)

// Accounts are the policy's accounts: its own list and, where it names a role for all
// members, those of the resource directory. Unreachable members are included, so that they
// are reported.
func Accounts(ctx context.Context, call *fcrun.Call) ([]fleet.AccountID, error) {
	var out []fleet.AccountID
	for _, a := range call.Options.Policy.Accounts {
		out = append(out, a.ID)
	}
	if call.Options.Policy.Directory.Role != "" {
		members, err := directory.New(call.Session).Accounts(ctx)
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
func Regions(call *fcrun.Call) func(context.Context, fleet.AccountID) ([]fleet.Region, error) {
	return func(ctx context.Context, account fleet.AccountID) ([]fleet.Region, error) {
		if listed := call.Options.Policy.Regions; len(listed) > 0 {
			return listed, nil
		}
		session, err := call.In(ctx, account)
		if err != nil {
			return nil, err
		}
		return ecs.New(session).Regions(ctx, call.Home.Region)
	}
}
