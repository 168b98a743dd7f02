package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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

// newestDeployment is the newest record of a deployment in a region; zero without any.
func newestDeployment(ctx context.Context, store ledger.Store, region fleet.Region) (why.Deployed, error) {
	newest, err := deployment.Newest(ctx, store)
	if err != nil || newest[region] == "" {
		return why.Deployed{}, err
	}
	r, err := deployment.Load(ctx, store, newest[region])
	if err != nil || r.Removed() {
		return why.Deployed{}, err
	}
	return why.Deployed{At: r.At, Policy: r.Policy, Build: r.Build}, nil
}

// mostRecords is how many records of functions are read, the newest.
const mostRecords = 200

// passes are the records of functions that name an id: also those of passes that changed nothing.
func passes(ctx context.Context, logs *sls.Client, id string, since, now time.Time) (out []why.Record, err error) {
	found, err := logs.Search(ctx, sls.Query{Search: strconv.Quote(id), From: since, To: now.Add(time.Minute), Limit: mostRecords, Newest: true})
	if err != nil {
		return nil, fmt.Errorf("searching the log store: %w", err)
	}
	for _, line := range found.Lines {
		if r, ok := recordOf(line.Fields["message"]); ok {
			out = append(out, r)
		}
	}
	if !found.Complete {
		return nil, fleet.WithClass(fleet.Unavailable, errors.New("the log store was not searched to its end: ask again"))
	}
	return out, nil
}

// recordOf reads the record in a line of a function's log; ok is false for any other line.
func recordOf(message string) (out why.Record, ok bool) {
	var r fleet.Record
	if json.Unmarshal([]byte(message), &r) != nil {
		return out, false
	}
	out = why.Record{Time: r.Time, Function: r.Function, Run: r.Run}
	switch {
	case r.Finding != nil:
		out.Rule, out.State, out.Why = r.Finding.Control+"/"+r.Finding.Rule, string(r.Finding.Outcome), r.Finding.Reason
	case r.Change != nil:
		out.Kind, out.State, out.Why = r.Change.Kind, string(r.Change.State), r.Change.Why
	default:
		return out, false
	}
	return out, true
}
