// Package replay has our functions check what happened in a window of the past: it reads
// ActionTrail's records of the calls that they watch, and puts the refs in them into the
// inboxes of the functions that would have received the live events. A ref only says what
// to check, so a call that was handled before, or is read twice, does no harm.
//
// It saves its progress in the ledger after each page, and resumes from there. The trail
// allows two calls a second for all its readers together, including a console or a SIEM:
// throttles of many seconds are normal, and waited out. It decodes no record and has no
// queue: the caller provides both.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/time/rate"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/queue"
)

// Trail looks up one page of the records of a region, oldest first.
type Trail interface {
	Lookup(ctx context.Context, region fleet.Region, q trail.Query) (records []trail.Record, next string, err error)
}

// Inboxes puts refs, all of one region, into a function's inbox.
type Inboxes interface {
	Enqueue(ctx context.Context, function string, refs []fleet.Ref) error
}

// Replay reads windows of the trail. Seen may be nil; for a dry run, so may Store and Inboxes.
type Replay struct {
	Trail   Trail
	Inboxes Inboxes
	// Store keeps the progress, below "replays/".
	Store ledger.Store
	// Decode turns a JSON list of trail records into batches of refs. A
	// [*fleet.Ignored] means that no function handles a record; any other error, that it
	// could not be decoded. Neither stops the replay.
	Decode func(records []byte) iter.Seq2[fleet.Batch, error]
	// Seen is called after each page.
	Seen func(Step)
	// DryRun sends nothing and saves nothing.
	DryRun bool
	// Patience is how long a page is retried while the trail or an inbox is throttled; zero:
	// not at all. Waiting, which may be nil, is called before each pause.
	Patience time.Duration
	Waiting  func(Wait)

	// CloudNow is the cloud's time, with which windows are compared.
	CloudNow func() time.Time
	// Now and Sleep are the clock by which calls are paced. Retries by the trail's client are
	// not paced.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// Job is what to replay.
type Job struct {
	// Run is the id of the run: up to 64 letters, digits, hyphens and underscores. The refs
	// carry it, and [Replay.Resume] takes it.
	Run    string       `json:"run"`
	Region fleet.Region `json:"region"`
	Window Window       `json:"window"`
}

// Start replays a job from the beginning. The sum says what was done, also with an error;
// after an [*Interrupted] error, [Replay.Resume] continues. Starting a run that was started
// before is an error.
func (r *Replay) Start(ctx context.Context, job Job) (Sum, error) {
	now := r.CloudNow()
	if err := cmp.Or(job.check(now), job.Window.Check(now)); err != nil {
		return Sum{}, err
	}
	p := begin(job)
	if err := r.save(ctx, p); err != nil {
		return Sum{}, err
	}
	sum, err := r.run(ctx, p)
	return sum, r.interrupted(p.Run, err)
}

// Resume continues a run after the last page that it saved. A page that was being sent is
// sent again.
func (r *Replay) Resume(ctx context.Context, run string) (Sum, error) {
	p, err := r.load(ctx, run)
	if err != nil {
		return Sum{}, err
	}
	if p.Done {
		return p.Sum, nil
	}
	if err := p.Job.check(r.CloudNow()); err != nil {
		return p.Sum, err
	}
	sum, err := r.run(ctx, p)
	return sum, r.interrupted(p.Run, err)
}

func (r *Replay) run(ctx context.Context, p progress) (Sum, error) {
	pace := rate.NewLimiter(trail.PerSecond, 1)
	for !p.Done {
		next, step, err := r.page(ctx, pace, p)
		if err != nil {
			return p.Sum, fmt.Errorf("replaying %s at %s: %w", p.Call, p.at().Format(time.RFC3339), err)
		}
		p = next
		if r.Seen != nil && step != nil {
			r.Seen(*step)
		}
	}
	return p.Sum, nil
}

func (r *Replay) wait(ctx context.Context, pace *rate.Limiter) error {
	now := r.Now()
	if d := pace.ReserveN(now, 1).DelayFrom(now); d > 0 {
		return r.Sleep(ctx, d)
	}
	return ctx.Err()
}

// page reads one page, sends its refs and then saves the progress. The step is nil if the trail
// refused the token of the page.
func (r *Replay) page(ctx context.Context, pace *rate.Limiter, p progress) (progress, *Step, error) {
	p = p.kept(r.CloudNow())
	var records []trail.Record
	var token string
	err := r.patiently(ctx, func() (err error) {
		if err := r.wait(ctx, pace); err != nil {
			return err
		}
		records, token, err = r.Trail.Lookup(ctx, p.Region, p.query())
		return err
	})
	if p.Token != "" && refused(err) {
		p, err = p.restart(err)
		return p, nil, err
	}
	if err != nil {
		return p, nil, err
	}
	step := r.read(p, records)
	if err := r.send(ctx, step.Deliveries); err != nil {
		return p, nil, err
	}
	p = p.after(step, records, token)
	if err := r.save(ctx, p); err != nil {
		return p, nil, err
	}
	step.At, step.Fraction, step.Sum = p.at(), p.fraction(), p.Sum
	return p, step, nil
}

// refused reports whether the trail refused the call, most likely because of its token: the
// error code for that is not published.
func refused(err error) bool {
	switch fleet.ClassOf(err) {
	case fleet.Invalid:
		return true
	case fleet.NotFound, fleet.Unclassified:
		return fleet.CodeOf(err) != ""
	}
	return false
}

// read decodes a page, and sorts its refs by the functions that take them.
func (r *Replay) read(p progress, records []trail.Record) *Step {
	step := &Step{Call: p.Call, Records: len(records)}
	var refs []fleet.Ref
	for batch, err := range r.Decode(list(records)) {
		if err != nil {
			step.Errors = append(step.Errors, err)
			continue
		}
		for _, ref := range batch.Refs {
			ref.Try = fleet.Try{Run: p.Run}
			refs = append(refs, ref)
		}
	}
	step.Deliveries = queue.Sort(queue.Watchers(p.Call), refs)
	return step
}

func list(records []trail.Record) []byte {
	out := []byte{'['}
	for i, rec := range records {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, rec.Body...)
	}
	return append(out, ']')
}

func (r *Replay) send(ctx context.Context, deliveries []queue.Delivery) error {
	if r.DryRun {
		return nil
	}
	for _, t := range deliveries {
		if err := r.patiently(ctx, func() error { return r.Inboxes.Enqueue(ctx, t.Function, t.Refs) }); err != nil {
			return err
		}
	}
	return nil
}

var errRefused = errors.New("the trail refuses to continue, also from the beginning of that second")
