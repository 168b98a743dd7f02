package sweep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/reconcile"
)

// progress is how far a shard has come.
type progress struct {
	start   Start
	scope   fleet.Scope
	attempt int // from 1
	parts   int // of this attempt
	at      fleet.Cursor
	page    []string // ids of the page before at
	read    bool     // to its end
	ended   bool     // there is nothing left to do
	since   time.Time
	totals  totals
	past    string // the sweep whose memory is carried on
	// compared says that this memory has what failed in the sweep before.
	compared bool

	// tries is how many passes made no progress, as the message says; tired means that this
	// pass is the last one. wrote is set when it makes progress.
	tries        int
	tired, wrote bool
	// before are the API calls of earlier passes, spent those of this invocation before
	// it came to this shard.
	before, spent calls
}

// errNoShard says that a message is about no shard.
type errNoShard struct{ why string }

func (e *errNoShard) Error() string { return e.why }

// find returns the shard that a message names, at its beginning. Nothing else of a message
// counts: a name that did not come from the start object never becomes the name of an object.
func find(ctx context.Context, store ledger.Store, ref fleet.Ref) (progress, error) {
	run := ref.Try.Run
	if !fleet.Plain(run) {
		return progress{}, &errNoShard{"the message names no sweep"}
	}
	start, err := readStart(ctx, store, run)
	switch {
	case fleet.ClassOf(err) == fleet.NotFound:
		return progress{}, &errNoShard{"there is no sweep " + run}
	case err != nil:
		return progress{}, err
	case !slices.Contains(start.Shards, ref.Scope):
		return progress{}, &errNoShard{fmt.Sprintf("sweep %s has no such shard", run)}
	}
	return progress{start: start, scope: ref.Scope, attempt: 1, at: begin, since: start.At, tries: max(ref.Try.N, 0)}, nil
}

// resume reads the progress of the shard from the store.
func (p *progress) resume(ctx context.Context, store ledger.Store) error {
	for name, err := range list(ctx, store, shardPrefix(p.start.Run, p.scope), "") {
		if err != nil {
			return err
		}
		if name == endObject(p.start.Run, p.scope) {
			p.ended = true
			return nil
		}
		// Names sort by attempt, then by number: the last one counts.
		if attempt, n, ok := p.partNumber(name); ok {
			p.attempt, p.parts = attempt, n
		}
	}
	if p.parts == 0 {
		return nil
	}
	last, err := p.part(ctx, store, p.parts)
	if err != nil {
		p.parts = 0 // if it ends like this, nothing is known of it
		return err
	}
	p.at, p.page, p.read, p.since = last.Next, last.Page, last.Next == "", last.At
	p.totals, p.before, p.past = last.Totals, last.Totals.Calls, last.Past
	p.compared = last.Compared
	return nil
}

// part reads part n of the attempt. What is not there, or is none, is a [*fleet.BadInput].
func (p *progress) part(ctx context.Context, store ledger.Store, n int) (part, error) {
	x, ok, err := get[part](ctx, store, p.partObject(n))
	switch {
	case err != nil:
		return part{}, err
	case !ok:
		return part{}, &fleet.BadInput{Where: p.partObject(n), What: "it is not there any more"}
	case x.N != n:
		return part{}, &fleet.BadInput{Where: p.partObject(n), What: "it is another part"}
	}
	return x, nil
}

// again begins a new attempt: what was found so far is left where it is. The calls that
// it took stay counted.
func (p *progress) again() {
	p.attempt, p.parts, p.at, p.page, p.read, p.totals = p.attempt+1, 0, begin, nil, false, totals{}
}

// calls are those of the shard until now, without those of passes that died.
func (p *progress) calls(m reconcile.Meter) calls {
	return p.before.plus(calls(m.Calls()).since(p.spent))
}

// unread says why the shard cannot be read at all; "" when it can.
func (p *progress) unread() string {
	if p.scope.Region != fleet.UnlistedRegions {
		return ""
	}
	return "finding the account's regions: " + p.start.Unread[p.scope.Account]
}

// partObject is the name of part n of the attempt, both from 1.
func (p *progress) partObject(n int) string {
	return fmt.Sprintf("%s%02d-%06d%s", shardPrefix(p.start.Run, p.scope), p.attempt, n, suffix)
}

// partNumber reads a part's name; ok is false for what is none.
func (p *progress) partNumber(name string) (attempt, n int, ok bool) {
	if _, err := fmt.Sscanf(name[len(shardPrefix(p.start.Run, p.scope)):], "%02d-%06d", &attempt, &n); err != nil || attempt < 1 || n < 1 {
		return 0, 0, false
	}
	at := progress{start: p.start, scope: p.scope, attempt: attempt}
	return attempt, n, at.partObject(n) == name
}
