package replay

import (
	"context"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
)

// firstPause and maxPause are the first and the longest pause between retries.
const (
	firstPause = 2 * time.Second
	maxPause   = time.Minute
)

// unavailable is the longest wait for the end of an outage: unlike a throttle, it may not end
// by itself.
const unavailable = 2 * time.Minute

// Wait is one pause of a replay.
type Wait struct {
	For time.Duration
	// Err is the error after which it waits.
	Err error
}

// Interrupted is the error of a replay that ended early. Its progress is saved:
// [Replay.Resume] continues from there.
type Interrupted struct {
	Run string
	Err error
}

func (e *Interrupted) Error() string { return e.Err.Error() }
func (e *Interrupted) Unwrap() error { return e.Err }

// interrupted adds the run that can be resumed; a dry run saves no progress.
func (r *Replay) interrupted(run string, err error) error {
	if err == nil || r.DryRun {
		return err
	}
	return &Interrupted{run, err}
}

// patiently retries while try is throttled or unavailable, after growing pauses, which are at
// most the patience in total.
func (r *Replay) patiently(ctx context.Context, try func() error) error {
	var waited time.Duration
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := try()
		patience := r.Patience
		switch fleet.ClassOf(err) {
		case fleet.Throttled:
		case fleet.Unavailable:
			patience = min(patience, unavailable)
		default:
			return err
		}
		wait := max(pause, fleet.RetryAfter(err))
		if patience == 0 {
			return err
		}
		if waited += wait; waited > patience {
			return fmt.Errorf("%w, still after %s", err, waited-wait)
		}
		if r.Waiting != nil {
			r.Waiting(Wait{wait, err})
		}
		if stopped := r.Sleep(ctx, wait); stopped != nil {
			return fmt.Errorf("%w (stopped waiting: %w)", err, stopped)
		}
	}
}
