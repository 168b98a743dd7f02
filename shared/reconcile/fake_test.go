package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

var (
	here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

// kinds of change of the control under test.
const (
	mend  = fleet.AttachRole
	first = fleet.EnsureRole
	other = fleet.StopInstance // no step carries it out
)

// failure is an error with a class, as the cloud's clients return them.
type failure struct {
	class fleet.Class
	after time.Duration
}

func (f failure) Error() string             { return f.class.String() }
func (f failure) Class() fleet.Class        { return f.class }
func (f failure) RetryAfter() time.Duration { return f.after }

func ref(id string) fleet.Ref { return fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id} }

func refs(ids ...string) []fleet.Ref {
	out := make([]fleet.Ref, len(ids))
	for i, id := range ids {
		out[i] = ref(id)
	}
	return out
}

func batch(ids ...string) fleet.Batch { return fleet.Batch{Scope: here, Refs: refs(ids...)} }

// broken is the verdict of an instance that wants mending.
func broken(id string, changes ...fleet.Change) fleet.Verdict {
	if len(changes) == 0 {
		changes = []fleet.Change{{Kind: mend, Ref: ref(id), Want: "right", Reason: id + " is broken"}}
	}
	return fleet.Verdict{Ref: ref(id), Control: policy.ControlInstanceRole, Rule: "rule", Outcome: fleet.Violation, Changes: changes}
}

// requeued is one call of Inbox.Again.
type requeued struct {
	Refs  []fleet.Ref
	After time.Duration
}

// bench is a pass with everything around it faked. Its world is the refs of the
// batch; verdicts come from Decide.
type bench struct {
	inPlace bool // each change, when it is looked for
	// verdicts by instance id; an id without any passes.
	verdicts map[string][]fleet.Verdict
	// wholes are said of the account with each batch.
	wholes []fleet.Verdict
	// observe fails for the batch that holds this id.
	observe map[string]error
	// reach fails for these accounts; reached counts how often they were asked for.
	reach   map[fleet.AccountID]error
	reached map[fleet.AccountID]int
	// results answers acts; an id without any is done.
	results map[string]fleet.Result
	left    int
	excess  bool

	inboxErr, forwardErr error
	recordErr            func(fleet.Record) error

	o         reconcile.Options
	steps     []reconcile.Step
	acted     [][]string // ids by call, "kind" first
	again     []requeued
	forwarded []fleet.Change
	records   []fleet.Record
	observed  int
}

func newBench(mode policy.Mode) *bench {
	p := policy.Default()
	p.InstanceRole.Mode = mode
	b := &bench{
		verdicts: map[string][]fleet.Verdict{}, observe: map[string]error{}, results: map[string]fleet.Result{}, left: 1000,
		reach: map[fleet.AccountID]error{}, reached: map[fleet.AccountID]int{},
	}
	b.steps = []reconcile.Step{{Kind: first, Act: b.act}, {Kind: mend, Act: b.act}}
	b.o = reconcile.Options{
		Policy: p, Meter: b, Inbox: b, Record: b.record, CallsPerBatch: 50,
		Stamp: fleet.Record{Run: "run-1", Function: "test", Policy: "digest"},
		Clock: func() time.Time { return noon },
	}
	return b
}

func (b *bench) Now() time.Time { return noon }
func (b *bench) Left() int      { return b.left }

func (b *bench) Excess(allowed bool) { b.excess = allowed }

func (b *bench) Calls() map[string]map[string]int {
	return map[string]map[string]int{"x:Put": {"ok": len(b.again)}}
}

func (b *bench) Again(_ context.Context, rs []fleet.Ref, after time.Duration) error {
	if b.inboxErr != nil {
		return b.inboxErr
	}
	b.again = append(b.again, requeued{rs, after})
	return nil
}

func (b *bench) Forward(_ context.Context, cs []fleet.Change) error {
	if b.forwardErr != nil {
		return b.forwardErr
	}
	b.forwarded = append(b.forwarded, cs...)
	return nil
}

func (b *bench) record(r fleet.Record) error {
	if b.recordErr != nil {
		if err := b.recordErr(r); err != nil {
			return err
		}
	}
	b.records = append(b.records, r)
	return nil
}

func (b *bench) act(_ context.Context, _ fleet.Scope, cs []fleet.Change) []fleet.Result {
	call := []string{string(cs[0].Kind)}
	out := make([]fleet.Result, len(cs))
	for i, c := range cs {
		call = append(call, c.Ref.ID)
		out[i] = fleet.Result{State: fleet.Done, After: c.Want}
		if r, ok := b.results[c.Ref.ID]; ok {
			out[i] = r
		}
		out[i].Change = c
	}
	b.acted = append(b.acted, call)
	return out
}

// item is what a source yields.
type item struct {
	batch fleet.Batch
	err   error
}

func (b *bench) run(ctx context.Context, items ...item) (fleet.Pass, fleet.Cursor, error) {
	control := reconcile.Control[[]fleet.Ref]{
		Observe: func(_ context.Context, in fleet.Batch) ([]fleet.Ref, error) {
			b.observed++
			for _, r := range in.Refs {
				if err := b.observe[r.ID]; err != nil && !(b.excess && fleet.ClassOf(err) == fleet.OutOfBudget) {
					return nil, fmt.Errorf("observing: %w", err)
				}
			}
			return in.Refs, nil
		},
		Decide: func(w []fleet.Ref, _ *policy.Policy) []fleet.Verdict {
			var out []fleet.Verdict
			for _, r := range w {
				vs, ok := b.verdicts[r.ID]
				if !ok {
					vs = []fleet.Verdict{{Control: policy.ControlInstanceRole, Rule: "rule", Outcome: fleet.Passes}}
				}
				for _, v := range vs {
					v.Ref = r
					out = append(out, v)
				}
			}
			for _, v := range b.wholes {
				v.Ref = fleet.Ref{Scope: here, Kind: fleet.KindAccount}
				out = append(out, v)
			}
			return out
		},
		InPlace: func([]fleet.Ref, fleet.Change) bool { return b.inPlace },
		Steps:   b.steps,
	}
	source := func(yield func(fleet.Batch, error) bool) {
		for _, it := range items {
			if !yield(it.batch, it.err) {
				return
			}
		}
	}
	of := func(_ context.Context, account fleet.AccountID) (reconcile.Control[[]fleet.Ref], error) {
		b.reached[account]++
		return control, b.reach[account]
	}
	return reconcile.Run(ctx, of, source, b.o)
}

// ran runs one batch and expects no error.
func (b *bench) ran(t *testing.T, in ...fleet.Batch) fleet.Pass {
	t.Helper()
	items := make([]item, len(in))
	for i := range in {
		items[i].batch = in[i]
	}
	sum, cursor, err := b.run(t.Context(), items...)
	if err != nil || cursor != "" {
		t.Fatalf("cursor %q, error %v; want neither", cursor, err)
	}
	b.agrees(t, sum)
	return sum
}

// agrees compares the sum of a pass with the records it left.
func (b *bench) agrees(t *testing.T, sum fleet.Pass) {
	t.Helper()
	outcomes, states := map[fleet.Outcome]int{}, map[fleet.State]int{}
	for _, r := range b.records {
		switch r.Type {
		case "finding":
			outcomes[r.Finding.Outcome]++
		case "change":
			states[r.Change.State]++
		default:
			t.Errorf("a record of type %q", r.Type)
		}
	}
	if !maps.Equal(outcomes, sum.Outcomes) {
		t.Errorf("the sum counts outcomes %v, the records hold %v", sum.Outcomes, outcomes)
	}
	if !maps.Equal(states, sum.States) {
		t.Errorf("the sum counts states %v, the records hold %v", sum.States, states)
	}
	put := 0
	for _, a := range b.again {
		put += len(a.Refs)
	}
	if put != sum.Again {
		t.Errorf("the sum counts %d refs put back, the inbox got %d", sum.Again, put)
	}
}

func (b *bench) changes() []fleet.ChangeRecord {
	var out []fleet.ChangeRecord
	for _, r := range b.records {
		if r.Change != nil {
			out = append(out, *r.Change)
		}
	}
	return out
}

func (b *bench) states() map[string]fleet.State {
	out := map[string]fleet.State{}
	for _, c := range b.changes() {
		out[string(c.Kind)+" "+c.ID] = c.State
	}
	return out
}

var errInbox = errors.New("no such queue")
