// Command notify is the function notify: it sends cards of what passes found, and a digest of
// each sweep, to the channels of the policy. It changes nothing in the cloud: it may read
// secrets, keep what it sent in the ledger, and write to its own inbox and to the dead letters.
package main

import (
	"context"
	"fmt"

	"fleetwarden/events"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/notify/clients"
)

func main() { fcrun.Start(invocation.Function{Name: fleet.FunctionNotify, Handle: handle}) }

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	if inv.Store == nil {
		return fleet.Pass{}, fmt.Errorf("what is to be sent is in the ledger: set %s to oss://BUCKET/PREFIX or file:///FOLDER", invocation.LedgerVariable)
	}
	d, err := clients.Delivery(inv)
	if err != nil {
		return fleet.Pass{}, err
	}
	return d.Run(ctx, events.Batches(events.Decode(inv.Payload), ours{inv}, fleet.FunctionNamed(fleet.FunctionNotify)))
}

// ours takes messages about the home account, also where its region is not guarded.
type ours struct{ *invocation.Invocation }

func (o ours) Knows(a fleet.AccountID) bool        { return a == o.Home.Account }
func (o ours) Reaches(a fleet.AccountID) bool      { return a == o.Home.Account }
func (ours) Guards(fleet.Scope) bool               { return true }
func (ours) RoleIn(fleet.AccountID) (string, bool) { return "", false }
