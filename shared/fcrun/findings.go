package fcrun

import (
	"context"
	"encoding/json"
	"errors"
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

// findings copies what is worth telling to the queue that the policy names. It keeps
// them until the end of the pass, and sends them together.
type findings struct {
	sinks  policy.Sinks
	write  func(fleet.Record) error // to the log
	copies []mns.Message
}

// record writes a record and keeps a copy of a finding that is severe enough.
func (f *findings) record(r fleet.Record) error {
	if err := f.write(r); err != nil {
		return err
	}
	if f.sinks.Findings == "" || r.Finding == nil || r.Finding.Severity == "" ||
		slices.Index(severities(), r.Finding.Severity) < slices.Index(severities(), f.sinks.Least) {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("copying a finding: %w", err)
	}
	f.copies = append(f.copies, mns.Message{Body: string(text)})
	return nil
}

// sender sends to the queues of the region that holds the findings.
type sender interface {
	Send(ctx context.Context, queue string, messages []mns.Message) (stored int, err error)
}

// closing is how long before the deadline no further copies are sent: the pass's own
// record has to be written.
const closing = 5 * time.Second

var errLate = errors.New("the deadline is near")

// flush sends the copies while there is time. The log has them all: that a copy could not
// be sent is told there, and fails nothing.
func (f *findings) flush(ctx context.Context, to sender) error {
	sent := 0
	for part := range slices.Chunk(f.copies, mns.MaxBatch) {
		n, err := 0, errLate
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > closing {
			n, err = to.Send(ctx, f.sinks.Findings, part)
		}
		if sent += n; err != nil {
			return fmt.Errorf("copying findings to queue %s: %d of %d sent: %w", f.sinks.Findings, sent, len(f.copies), err)
		}
	}
	return nil
}
