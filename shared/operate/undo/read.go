package undo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// Order says what to undo.
type Order struct {
	Run string
	// Functions are all that write to the ledger, including backfill: any of them may have
	// worked for the run, or changed the same resources since.
	Functions []string
	// From is no later than the run's first batch; zero reads the whole ledger.
	From time.Time
	// Policy says which role may be detached, and which accounts may be trusted again.
	Policy *policy.Policy
}

// Read makes the plan for a run from the ledger, with one item for each slot that the run
// changed. It reads the batches of the run, and then all later than its first one: two
// objects for each.
//
// An object that cannot be decoded is in [Plan.Unread], and the rest is planned. Any other
// failure is an error: without a part of the ledger it is unknown what is stale.
func Read(ctx context.Context, store ledger.Store, o Order) (*Plan, error) {
	var made []Made
	unread := map[string]error{}
	batches := ledger.Across(ctx, store, o.Functions, ledger.Query{Run: o.Run, From: o.From})
	err := each(batches, unread, func(m Made) {
		if m.Run == o.Run {
			made = append(made, m)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading run %s: %w", o.Run, err)
	}
	p := New(o.Run, made, o.Policy)
	if len(p.Items) > 0 {
		later := ledger.Across(ctx, store, o.Functions, ledger.Query{From: p.Oldest()})
		if err := each(later, unread, p.Later); err != nil {
			return nil, fmt.Errorf("reading the changes after run %s: %w", o.Run, err)
		}
	}
	p.Unread = slices.SortedFunc(maps.Values(unread), func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return p, nil
}

// each calls to with the changes of batches, and collects the errors of objects that are
// missing or cannot be decoded.
func each(batches iter.Seq2[ledger.Batch, error], unread map[string]error, to func(Made)) error {
	for a, err := range batches {
		var bad *fleet.BadInput
		switch {
		case errors.As(err, &bad):
			unread[err.Error()] = err
		case err != nil:
			return err
		default:
			for _, m := range Changes(a) {
				to(m)
			}
		}
	}
	return nil
}
