package invocation

import (
	"cmp"
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/pause"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// Function is one deployed unit, as its main assembles it.
type Function struct {
	// Name is the name in Function Compute, such as attach-role.
	Name string
	// Unbounded gives an invocation no budget of calls: an operator waits for it.
	Unbounded bool
	// Handle serves one invocation. After an error the same payload is tried again.
	Handle func(ctx context.Context, call *Invocation) (fleet.Pass, error)
}

// Invocation is one call of a function, under Function Compute or in a terminal.
type Invocation struct {
	// Payload is the invocation's payload.
	Payload []byte
	// Home is where the function runs.
	Home fleet.Scope
	// Caller is the ARN of the operator in a terminal; empty in a function.
	Caller string
	// Session counts and sends this pass's API calls, with the keys of Home's account.
	// Those for another account are sent by the session that [Invocation.In] returns.
	Session *aliyun.Session
	// Members has the keys of roles in other accounts.
	Members *Members
	// Store has the ledger's objects; nil when there is none.
	Store ledger.Store
	// File is the policy as it was read: Options.Policy names the home account, too. It is nil
	// without a policy.
	File *policy.Policy
	// Place is where the ledger is.
	Place LedgerPlace
	// Log writes a record to the function's log only, whereas Options.Record also copies a
	// finding to the queue of the policy's sinks; nil in a terminal.
	Log func(fleet.Record) error
	// Notify sends one message to that queue; nil in a terminal.
	Notify func(text []byte) error
	// Options are those of the pass: policy, inbox, records, dry run.
	Options reconcile.Options

	process *Process
}

// Process is what the invocations of one process share.
type Process struct {
	// Ledger is where the ledger is. LedgerRegion is the region of a bucket whose place names
	// none; empty for that of each invocation.
	Ledger       LedgerPlace
	LedgerRegion fleet.Region

	watch   ledger.Watch
	pauses  pause.Watch
	members Members
	open    connections
}

// Open returns an invocation at home, of the function and request that a pass of the ledger
// names. Without a policy nothing may be done in it. The inbox, the records and what limits it
// are the caller's to set.
func (p *Process) Open(home fleet.Scope, s *aliyun.Session, pol *policy.Policy, pass ledger.Pass) *Invocation {
	region := cmp.Or(p.LedgerRegion, home.Region)
	inv := &Invocation{
		Payload: pass.Payload, Home: home, Session: s, Members: &p.members, File: pol, Place: p.Ledger, Store: p.Ledger.Store(s, region), process: p,
		Options: reconcile.Options{
			Meter: s, Ledger: p.Ledger.Open(s, region, pass, &p.watch),
			Stamp: fleet.Record{V: fleet.RecordVersion, Run: pass.Request, Function: pass.Function},
		},
	}
	if inv.Store != nil {
		inv.Options.Pauses = pause.Reader{Store: inv.Store, Watch: &p.pauses}
	}
	if pol != nil {
		inv.Options.Policy, inv.Options.Stamp.Policy = pol.WithHome(home.Account), pol.Digest
	}
	return inv
}

// Role returns the name of the RAM role that a function runs as.
func Role(function string) string { return fleet.CloudName(function) }
