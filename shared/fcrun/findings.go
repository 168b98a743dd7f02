package fcrun

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

// findings copies findings of sufficient severity to the queue of the policy, in batches of
// one call. The log has all findings: a copy that could not be sent is reported there, and
// is not an error of the pass.
type findings struct {
	sinks policy.Sinks
	write func(fleet.Record) error // to the log
	// send sends to that queue while there is time.
	send func([]mns.Message) (stored int, err error)

	pending    []mns.Message
	sent, seen int
	failed     error // the first error
	fruitless  int   // calls in a row that stored nothing
}

// maxFruitless is how many consecutive calls may store nothing before copying stops: a
// missing or forbidden queue costs no more.
const maxFruitless = 3

// record writes a record and copies a finding of sufficient severity. One without a severity,
// such as a pass, is never copied.
func (f *findings) record(r fleet.Record) error {
	if err := f.write(r); err != nil {
		return err
	}
	if f.sinks.Findings == "" || r.Finding == nil || r.Finding.Severity == "" || r.Finding.Severity.Rank() < f.sinks.Least.Rank() {
		return nil
	}
	text, err := copyOf(r)
	if err != nil {
		return err
	}
	f.seen++
	f.pending = append(f.pending, mns.Message{Body: string(text)})
	if len(f.pending) == mns.MaxBatch {
		f.flush()
	}
	return nil
}

// copyOf is the text of a copy. One that is too long for a queue is sent without its
// evidence.
func copyOf(r fleet.Record) ([]byte, error) {
	text, err := json.Marshal(r)
	if err == nil && len(text) > mns.MaxBytes {
		finding := *r.Finding
		finding.Evidence, r.Finding = nil, &finding
		text, err = json.Marshal(r)
	}
	if err != nil {
		return nil, fmt.Errorf("copying a finding: %w", err)
	}
	return text, nil
}

// flush sends what is pending.
func (f *findings) flush() {
	if len(f.pending) == 0 {
		return
	}
	if f.fruitless < maxFruitless {
		n, err := f.send(f.pending)
		f.sent += n
		if f.fruitless++; n > 0 {
			f.fruitless = 0
		}
		if f.failed == nil {
			f.failed = err
		}
	}
	f.pending = f.pending[:0]
}

// end sends the rest, and reports the number of copies that could not be sent.
func (f *findings) end() error {
	f.flush()
	if f.sent == f.seen {
		return nil
	}
	return fmt.Errorf("copying findings to queue %s: %d of %d sent: %w", f.sinks.Findings, f.sent, f.seen, f.failed)
}

// notify sends one message about findings that are stored elsewhere.
func (f *findings) notify(text []byte) error {
	if f.sinks.Findings == "" {
		return nil
	}
	if _, err := f.send([]mns.Message{{Body: string(text)}}); err != nil {
		return fmt.Errorf("sending to queue %s: %w", f.sinks.Findings, err)
	}
	return nil
}

// closing is how long before the deadline copying stops: the pass's own record has to be
// written.
const closing = 5 * time.Second

// errLate: the next pass has time.
var errLate = late{}

type late struct{}

func (late) Error() string      { return "the deadline is near" }
func (late) Class() fleet.Class { return fleet.Canceled }

// copies returns the client of the queue of findings, in the home region. Its calls do not
// use the pass's budget, which has to last for re-queuing.
func (r *runner) copies(ctx context.Context, inv *invocation.Invocation) *findings {
	session := r.session()
	sinks := r.policy.Sinks
	if !r.finds() {
		sinks = policy.Sinks{}
	}
	return &findings{sinks: sinks, write: inv.Log, send: func(messages []mns.Message) (int, error) {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= closing {
			return 0, errLate
		}
		queues, err := r.process.Queues(r.cloud, inv.HomeOf(""))
		if err != nil {
			return 0, err
		}
		return queues.Client(session).Send(ctx, r.policy.Sinks.Findings, messages)
	}}
}
