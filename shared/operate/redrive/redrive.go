// Package redrive has our functions check again the resources that dead letters name. It
// determines which function a letter was for, puts the refs in it into that function's inbox,
// never the letter itself, and then deletes it. A timer's event is only deleted, since the
// next one does the same work. A letter that it cannot decode stays in the queue and is
// reported by its digest: a letter may hold user data and passwords, so its text is never
// shown.
//
// It decodes no event and calls no cloud: the caller provides both.
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

// DefaultMax is how many letters a redrive takes by default.
const DefaultMax = 1000

// Redrive takes dead letters. Seen may be nil, and Inboxes for a dry run.
type Redrive struct {
	Queue   Queue
	Inboxes Inboxes
	// Decode turns an event, or one of our own messages, into batches of refs. A
	// [*fleet.Ignored] means that no function has to handle it, and that it may be deleted
	// with its neighbours; any other error means that it could not be decoded. For a
	// message of a newer version it is an error of the latter kind: the letter stays.
	Decode func(body []byte) iter.Seq2[fleet.Batch, error]
	// Seen is called with each letter when its final state is known.
	Seen func(Letter)

	Filter Filter
	// Run is the run of refs that have none.
	Run string
	// Max is how many letters are taken at most; 0 means [DefaultMax].
	Max int
	// DryRun only peeks. Peeking shows at most the first [mns.MaxBatch] letters of a queue.
	DryRun bool
}

// Sum is what a redrive did, or would do.
type Sum struct {
	// Letters counts letters by their state.
	Letters map[State]int `json:"letters"`
	// Refs counts the refs that were enqueued, by function.
	Refs map[string]int `json:"refs,omitempty"`
	// More says that the queue may hold letters that were not read.
	More bool `json:"more,omitempty"`
}

// Do redrives until the queue has no new letters, or until the maximum. The sum says what was
// done, also with an error. Letters that stay are visible again after the queue's visibility
// timeout.
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
	known map[string]bool // ids of letters that were read
}

func (p *pass) peek(ctx context.Context, n int) error {
	got, err := p.Queue.Peek(ctx, queue.DeadLetters, n)
	if err != nil {
		return err
	}
	for _, m := range got {
		p.report(p.classify(m))
	}
	p.sum.More = len(got) == n
	return nil
}

// receive ends at the first answer without a new letter: the letters that stay are being
// delivered again.
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

// redrive enqueues the refs of a batch of letters, in one message or more for each function,
// then deletes the letters of which all refs were enqueued.
func (p *pass) redrive(ctx context.Context, got []mns.Received) error {
	letters := make([]Letter, len(got))
	var all []queue.Delivery
	for i, m := range got {
		if letters[i] = p.classify(m); letters[i].State == Planned {
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
