package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/observe"
)

// asked adds to our invocations what Security Center was asked to install with one click.
// That carries no tag of ours and no API lists it, so the ledger is the memory: without
// one, what was asked for is not known. It costs a listing of the last hour and two
// objects for each batch in it.
type asked struct {
	observed observe.Assistants
	store    ledger.Store
	account  fleet.AccountID
}

// Assistants implements [observe.Assistants].
func (a asked) Assistants(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Assistant, error) {
	return a.observed.Assistants(ctx, region, ids)
}

var errNoMemory = errors.New("there is no ledger, which would remember what Security Center was asked to install")

// Invocations implements [observe.Assistants].
func (a asked) Invocations(ctx context.Context, region fleet.Region, since time.Time) (map[string][]fleet.Invocation, error) {
	runs, err := a.observed.Invocations(ctx, region, since)
	if err != nil {
		return nil, err
	}
	if a.store == nil {
		return nil, errNoMemory
	}
	for batch, err := range ledger.Batches(ctx, a.store, ledger.Query{Function: fleet.FunctionPushAgent, From: since}) {
		if err != nil {
			return nil, err
		}
		for id, run := range a.of(batch, region) {
			runs[id] = append(runs[id], run)
		}
	}
	for _, all := range runs {
		slices.SortStableFunc(all, func(x, y fleet.Invocation) int { return y.Created.Compare(x.Created) })
	}
	return runs, nil
}

// of is what Security Center was asked for in one batch, by instance.
func (a asked) of(batch ledger.Batch, region fleet.Region) map[string]fleet.Invocation {
	entry, runs := batch.Intent, map[string]fleet.Invocation{}
	if batch.Last != nil {
		entry = *batch.Last
	}
	for _, c := range entry.Changes {
		run := fleet.Invocation{ID: entry.Name, Command: fleet.CommandAgentLinux, Status: fleet.RunUnclear, Created: batch.Intent.Time}
		if c.Want == "windows" {
			run.Command = fleet.CommandAgentWindows
		}
		switch {
		case c.Kind != fleet.PushAgent || c.Account != a.account || c.Region != region:
			continue
		case c.State == fleet.Started || c.State == fleet.Done:
			run.Status = fleet.RunOneClick
		case c.State == fleet.Unclear || entry.Stage == fleet.StageIntent:
		default:
			continue // it was not asked for
		}
		runs[c.ID] = run
	}
	return runs
}
