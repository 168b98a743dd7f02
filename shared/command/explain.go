package command

import (
	"cmp"
	"context"
	"fmt"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

// PolicyExplained is how the policy decides on a resource for one control.
type PolicyExplained struct {
	Type    string          `json:"type"` // explained
	Account fleet.AccountID `json:"account"`
	Region  fleet.Region    `json:"region,omitempty"`
	ID      string          `json:"id,omitempty"`
	policy.Explained
}

// explained is what policy explain is about, if it is about no file.
type explained struct {
	id      string
	account fleet.AccountID
	region  fleet.Region
}

// resource reports whether an argument is an instance, or an account.
func (e *explained) resource(args []string) bool {
	return len(args) == 1 && (fleet.ValidInstanceID(args[0]) || fleet.AccountID(args[0]).Valid())
}

func (c *Call) explainResource(ctx context.Context, e explained) error {
	if err := known(nil, given(e.account), given(e.region), nil); err != nil {
		return err
	}
	instance := fleet.ValidInstanceID(e.id)
	if !instance && (e.account != "" || e.region != "") {
		return Wrong("--account and --region are for an instance; %s is an account", e.id)
	}
	inv, err := c.Open(ctx)
	if err != nil {
		return err
	}
	account := cmp.Or(e.account, inv.Home.Account)
	ref := fleet.Ref{Scope: fleet.Scope{Account: account, Region: e.region}, Kind: fleet.KindInstance, ID: e.id}
	listed := fleet.Unknown[fleet.Listing]("an account")
	if instance {
		ref, listed, err = find(ctx, inv, ref)
	} else {
		ref = fleet.Ref{Scope: fleet.Scope{Account: fleet.AccountID(e.id)}, Kind: fleet.KindAccount}
	}
	if err != nil {
		return err
	}
	for _, x := range inv.Options.Policy.Explain(ref, listed, inv.Session.Now()) {
		if err := c.Show(PolicyExplained{"explained", ref.Scope.Account, ref.Scope.Region, ref.ID, x}); err != nil {
			return err
		}
	}
	if instance && !listed.Seen() {
		return fmt.Errorf("what the selectors need of %s could not be read: %s", ref, listed.Why)
	}
	return nil
}

// find reads an instance, in the region that is given or in the policy's, one after the other.
// What cannot be read there is no error if it is given: the explanation says what is unknown.
func find(ctx context.Context, inv *invocation.Invocation, ref fleet.Ref) (fleet.Ref, fleet.Fact[fleet.Listing], error) {
	var none fleet.Fact[fleet.Listing]
	session, err := inv.In(ctx, ref.Scope.Account)
	if err != nil {
		return ref, none, err
	}
	regions := given(ref.Scope.Region)
	if len(regions) == 0 {
		if regions, err = all.Regions(inv)(ctx, ref.Scope.Account); err != nil {
			return ref, none, err
		}
	}
	for _, r := range regions {
		there, err := ecs.New(session).Listings(ctx, r, []string{ref.ID})
		if err != nil && ref.Scope.Region != "" {
			return ref, fleet.FactOf(fleet.Listing{}, err), nil
		}
		if err != nil {
			return ref, none, fmt.Errorf("looking for %s in %s: %w", ref.ID, r, err)
		}
		if l, ok := there[ref.ID]; ok {
			ref.Scope.Region = r
			return ref, fleet.See(l), nil
		}
	}
	return ref, none, fmt.Errorf("there is no instance %s of account %s in %v; see --account and --region", ref.ID, ref.Scope.Account, regions)
}
