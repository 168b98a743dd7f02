package terminal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
)

// Open returns a call with the operator's own keys, for a command of more than one check:
// with the policy of a file, or of the environment if policyFile is empty; with the ledger
// of the environment; and without a budget, since the operator waits for it. It works in
// the policy's home region. The caller names the run.
func Open(ctx context.Context, name, policyFile string, env Env) (*invocation.Invocation, error) {
	fl := flags{policy: policyFile, region: region(env)}
	p, err := loadPolicy(fl, env)
	if err != nil {
		return nil, err
	}
	if p.HomeRegion != "" {
		fl.region = string(p.HomeRegion)
	}
	cloud, err := connect(env)
	if err != nil {
		return nil, err
	}
	s := cloud.NewSession(math.MaxInt32)
	home, err := whereAmI(ctx, s, fl)
	if err != nil {
		return nil, err
	}
	place, err := invocation.ParseLedger(env.Getenv(invocation.LedgerVariable))
	if err != nil {
		return nil, err
	}
	process := &invocation.Process{Ledger: place}
	inv := process.Open(home, s, p, ledger.Pass{Function: name})
	inv.Options.Inbox, inv.Options.Record = none{}, func(fleet.Record) error { return nil }
	inv.Options.Ledger = place.Open(s, home.Region, ledger.Pass{Function: name}, nil) // it settles nothing that others left open
	return inv, nil
}

// none is the inbox of a command that has none.
type none struct{}

var errNoInbox = errors.New("a command in a terminal has no inbox")

func (none) Again(_ context.Context, refs []fleet.Ref, _ time.Duration) error {
	return fmt.Errorf("re-queuing %d checks: %w", len(refs), errNoInbox)
}

func (none) Forward(_ context.Context, cs []fleet.Change) error {
	return fmt.Errorf("forwarding %d changes: %w", len(cs), errNoInbox)
}
