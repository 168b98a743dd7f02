package terminal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/reconcile"
)

// Open returns a call with the operator's own keys, for a command of more than one check:
// with the policy of a file, or of the environment if policyFile is empty; with the ledger
// of the environment; and without a budget, since the operator waits for it. It works in
// the policy's home region. The caller names the run.
func Open(ctx context.Context, name, policyFile string, env Env) (*fcrun.Call, error) {
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
	place, err := fcrun.ParseLedger(env.Getenv(fcrun.LedgerVariable))
	if err != nil {
		return nil, err
	}
	stamp := fleet.Record{V: fleet.RecordVersion, Function: name, Policy: p.Digest}
	return &fcrun.Call{
		Home: home, Session: s, Members: &fcrun.Members{}, Place: place, Store: place.Store(s, home.Region),
		Options: reconcile.Options{
			Policy: p.WithHome(home.Account), Meter: s, Inbox: none{}, Record: func(fleet.Record) error { return nil }, Stamp: stamp,
			Ledger: place.Open(s, home.Region, ledger.Pass{Function: name}, nil),
		},
	}, nil
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
