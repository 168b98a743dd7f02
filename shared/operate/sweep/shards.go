package sweep

import (
	"context"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// Shards is one pass: it continues with the shards that a source names, as long as there is
// time and budget for another one. The others are woken again.
func (s *Sweep) Shards(ctx context.Context, src reconcile.Source) (fleet.Pass, error) {
	p := &pass{Sweep: s, recorder: reconcile.NewRecorder(s.Options)}
	err := p.all(ctx, src)
	sum := p.recorder.Sum()
	if n := len(p.why); n == 1 {
		sum.Stopped = p.why[0]
	} else if n > 1 {
		sum.Stopped = fmt.Sprintf("%s; and %d more", p.why[0], n-1)
	}
	return sum, err
}

// pass is one pass over shards.
type pass struct {
	*Sweep
	recorder *reconcile.Recorder
	// why says of shards that did not end what stopped them.
	why []string
}

func (p *pass) all(ctx context.Context, src reconcile.Source) error {
	for b, err := range src {
		if err != nil { // then the batch is empty
			err = p.recorder.Element(err)
		}
		for _, ref := range b.Refs {
			if err == nil {
				err = p.shard(ctx, ref)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) shard(ctx context.Context, ref fleet.Ref) error {
	if p.spent(ctx) {
		return p.Wake(ctx, []fleet.Ref{ref}, time.Second)
	}
	sum, err := p.Shard(ctx, ref)
	p.recorder.Add(sum)
	if sum.Stopped != "" {
		p.why = append(p.why, sum.Stopped)
	}
	return err
}

// spent says that this pass should begin no other shard.
func (p *pass) spent(ctx context.Context) bool {
	o := p.Options
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < o.Margin || p.recorder.Sum().Refs > 0 && o.Meter.Left() < o.CallsPerBatch
}
