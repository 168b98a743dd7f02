package fcrun

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// severities, from least to most urgent. Findings without one, such as a pass, are
// never copied.
func severities() []fleet.Severity {
	return []fleet.Severity{fleet.Info, fleet.Low, fleet.Medium, fleet.High, fleet.Critical}
}

// findings copies what is severe enough to the queue that the policy names, as it comes, so
// that it holds no more of them than one call takes. The log has them all: that a copy
// could not be sent is said there, and fails nothing.
type findings struct {
	sinks policy.Sinks
	write func(fleet.Record) error // to the log
	// send sends to that queue while there is time.
	send func([]mns.Message) (stored int, err error)

	pending    []mns.Message
	sent, seen int
	failed     error // the first
	fruitless  int   // calls in a row that stored nothing
}

// maxFruitless is how many calls in a row may store nothing before no further one is made:
// a queue that is not there, or may not be written to, costs no more.
const maxFruitless = 3

// record writes a record and copies a finding that is severe enough.
func (f *findings) record(r fleet.Record) error {
	if err := f.write(r); err != nil {
		return err
	}
	if f.sinks.Findings == "" || r.Finding == nil || r.Finding.Severity == "" ||
		slices.Index(severities(), r.Finding.Severity) < slices.Index(severities(), f.sinks.Least) {
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

// copyOf is the text of a copy. One that is too long for a queue goes without its evidence.
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

// end sends what is left, and says which copies could not be sent.
func (f *findings) end() error {
	f.flush()
	if f.sent == f.seen {
		return nil
	}
	return fmt.Errorf("copying findings to queue %s: %d of %d sent: %w", f.sinks.Findings, f.sent, f.seen, f.failed)
}

// notify sends one message about findings that are kept elsewhere.
func (f *findings) notify(text []byte) error {
	if f.sinks.Findings == "" {
		return nil
	}
	if _, err := f.send([]mns.Message{{Body: string(text)}}); err != nil {
		return fmt.Errorf("sending to queue %s: %w", f.sinks.Findings, err)
	}
	return nil
}

// closing is how long before the deadline no further copies are sent: the pass's own
// record has to be written.
const closing = 5 * time.Second

// errLate: the next pass has the time.
var errLate = late{}

type late struct{}

func (late) Error() string      { return "the deadline is near" }
func (late) Class() fleet.Class { return fleet.Canceled }

// copies returns the way to the queue of findings, in the home region. Its calls are not
// those of the pass: they take nothing of its budget, which has to last for what is put
// back.
func (r *runner) copies(ctx context.Context, call *Call) *findings {
	session := r.session()
	return &findings{sinks: r.policy.Sinks, write: call.Log, send: func(messages []mns.Message) (int, error) {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= closing {
			return 0, errLate
		}
		queues, err := r.open.queues(r.cloud, call.HomeOf(""))
		if err != nil {
			return 0, err
		}
		return queues.Client(session).Send(ctx, r.policy.Sinks.Findings, messages)
	}}
}
