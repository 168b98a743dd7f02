package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fleetwarden/shared/aliyun/sls"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/operate/why"
)

// newestSweep is what the newest sweep came to in a place.
func newestSweep(ctx context.Context, inv *invocation.Invocation, at fleet.Scope) (why.Sweep, error) {
	sum, err := sweep.Newest(ctx, inv.Store, inv.Session.Now())
	if err != nil {
		return why.Sweep{}, err
	}
	out := why.Sweep{Run: sum.Run, At: sum.Started, Policy: sum.Policy}
	for _, shard := range sum.Shards {
		if shard.Scope == at {
			out.Swept, out.Held, out.Fault = true, shard.Held, shard.Fault
		}
	}
	return out, nil
}

// newestDeployment is the newest record of a deployment in a region; zero where the ledger has
// none of any region, as one of an older program.
func newestDeployment(ctx context.Context, store ledger.Store, region fleet.Region) (why.Deployed, error) {
	newest, err := deployment.Newest(ctx, store)
	if err != nil || newest[region] == "" {
		return why.Deployed{Missing: len(newest) > 0}, err
	}
	r, err := deployment.Load(ctx, store, newest[region])
	if err != nil {
		return why.Deployed{}, err
	}
	if r.Removed() {
		return why.Deployed{Missing: true, Removed: r.At}, nil
	}
	return why.Deployed{At: r.At, Policy: r.Policy, Build: r.Build}, nil
}

// mostRecords is how many records of a function are read, the newest.
const mostRecords = 100

// passes are the records of a function that name an id, also those of passes that changed nothing;
// findings about another resource, which may name it as well, are left out.
func passes(ctx context.Context, logs *sls.Client, function string, of fleet.Ref, id string, since, now time.Time) (out []why.Record, more bool, err error) {
	found, err := logs.Search(ctx, sls.Query{Search: fmt.Sprintf("functionName: %q and %q", fleet.CloudName(function), id), From: since, To: now.Add(time.Minute), Limit: mostRecords, Newest: true})
	if err != nil {
		return nil, false, fmt.Errorf("searching the log store: %w", err)
	}
	for _, line := range found.Lines {
		if r, ok := recordOf(line.Fields["message"], of, id); ok {
			out = append(out, r)
		}
	}
	if !found.Complete {
		return nil, false, fleet.WithClass(fleet.Unavailable, errors.New("the log store was not searched to its end: ask again"))
	}
	return out, len(found.Lines) == mostRecords, nil
}

// accountOf is the account that a record is about; empty for a pass.
func accountOf(r fleet.Record) fleet.AccountID {
	switch {
	case r.Finding != nil:
		return r.Finding.Account
	case r.Change != nil:
		return r.Change.Account
	}
	return ""
}

// recordOf reads the record in a line of a function's log; ok is false for any other line, and for
// a finding about another resource. An instance's id is its own in all accounts.
func recordOf(message string, of fleet.Ref, id string) (out why.Record, ok bool) {
	var r fleet.Record
	if json.Unmarshal([]byte(message), &r) != nil {
		return out, false
	}
	out = why.Record{Time: r.Time, Function: r.Function, Run: r.Run}
	switch f := r.Finding; {
	case f != nil && f.ID != id && (f.Kind != of.Kind || f.ID != of.ID), of.ID == "" && accountOf(r) != of.Scope.Account:
		return out, false
	case f != nil:
		out.Rule, out.State, out.Why = r.Finding.Control+"/"+r.Finding.Rule, string(r.Finding.Outcome), r.Finding.Reason
	case r.Change != nil:
		out.Kind, out.State, out.Why = r.Change.Kind, string(r.Change.State), r.Change.Why
	default:
		return out, false
	}
	return out, true
}
