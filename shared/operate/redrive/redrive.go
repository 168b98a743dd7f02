// Package redrive has our functions look again at what dead letters are about. It tells
// which function a letter was for, sends the refs in it to that function's inbox, never
// the letter itself, and only then deletes it. A timer's event is only deleted, since
// the next one does the same work. What it cannot tell stays in the queue
// and is reported by its digest: a letter may hold user data and passwords, and no text
// of it gets out.
//
// It decodes no event and knows no cloud: both are handed in.
package redrive

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// Queue reads the dead letters.
type Queue interface {
	Peek(ctx context.Context, queue string, n int) ([]mns.Received, error)
	Receive(ctx context.Context, queue string, n int) ([]mns.Received, error)
	Delete(ctx context.Context, queue string, handles []string) []error
}

// Inboxes puts refs, all of one region, into a function's inbox.
type Inboxes interface {
	Enqueue(ctx context.Context, function string, refs []fleet.Ref) error
}

// DefaultMax is how many letters a redrive takes unless told.
const DefaultMax = 1000

// Redrive takes dead letters. Seen may be nil, and Inboxes for a dry run.
type Redrive struct {
	Queue   Queue
	Inboxes Inboxes
	// Decode turns an event, or one of our own messages, into batches of refs. A
	// [*fleet.Ignored] is one that nobody has to look at, and that may be deleted with
	// its neighbours; any other error one that could not be read. A message of a newer
	// version is of the latter: nobody puts it back but the queue.
	Decode func(body []byte) iter.Seq2[fleet.Batch, error]
	// Seen is told of each letter when it is done.
	Seen func(Letter)

	Filter Filter
	// Run names the run. It is that of refs that belong to none.
	Run string
	// Max is how many letters are taken at most; 0 means [DefaultMax].
	Max int
	// DryRun takes nothing: it peeks. A queue shows [mns.MaxBatch] letters at most to
	// one who peeks, and never those behind them.
	DryRun bool
}

// Sum is what a redrive did, or would do.
type Sum struct {
	// Letters counts letters by what became of them.
	Letters map[State]int `json:"letters"`
	// Refs counts what was told, by function.
	Refs map[string]int `json:"refs,omitempty"`
	// More says that letters may be left that nobody looked at.
	More bool `json:"more,omitempty"`
}

// Do redrives until the queue shows nothing new, or until the maximum. The sum is what
// was done, also beside an error. Letters that were left come back into sight after the
// queue's visibility timeout.
func (r *Redrive) Do(ctx context.Context) (Sum, error) {
	p := &pass{Redrive: r, sum: Sum{Letters: map[State]int{}, Refs: map[string]int{}}, known: map[string]bool{}}
	limit := cmp.Or(max(r.Max, 0), DefaultMax)
	if r.DryRun {
		err := p.peek(ctx, min(limit, mns.MaxBatch))
		return p.sum, err
	}
	err := p.receive(ctx, limit)
	return p.sum, err
}

type pass struct {
	*Redrive
	sum   Sum
	known map[string]bool // ids of letters that were looked at
}

func (p *pass) peek(ctx context.Context, n int) error {
	got, err := p.Queue.Peek(ctx, queue.DeadLetters, n)
	if err != nil {
		return err
	}
	for _, m := range got {
		p.report(p.look(m))
	}
	p.sum.More = len(got) == n
	return nil
}

// receive ends at the first answer without a new letter: what was left is coming round
// again.
func (p *pass) receive(ctx context.Context, limit int) error {
	for taken := 0; taken < limit; {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := p.Queue.Receive(ctx, queue.DeadLetters, min(mns.MaxBatch, limit-taken))
		if err != nil {
			return err
		}
		taken += len(got)
		fresh := p.fresh(got)
		if len(fresh) == 0 {
			return nil
		}
		if err := p.redrive(ctx, fresh); err != nil {
			return err
		}
	}
	p.sum.More = true
	return nil
}

func (p *pass) fresh(got []mns.Received) (out []mns.Received) {
	for _, m := range got {
		if !p.known[m.ID] {
			p.known[m.ID] = true
			out = append(out, m)
		}
	}
	return out
}

// redrive sends what a batch of letters is about, a message or more for each function,
// then deletes the letters of which everything was sent.
func (p *pass) redrive(ctx context.Context, got []mns.Received) error {
	letters := make([]Letter, len(got))
	var all []queue.Delivery
	for i, m := range got {
		if letters[i] = p.look(m); letters[i].State == Planned {
			all = append(all, letters[i].sent...)
		}
	}
	failed := map[queue.Address]error{}
	for _, t := range queue.Join(all) {
		if err := p.Inboxes.Enqueue(ctx, t.Function, t.Refs); err != nil {
			failed[t.Address()] = err
		}
	}
	p.settle(ctx, letters, failed)
	return errors.Join(slices.Collect(maps.Values(failed))...)
}
