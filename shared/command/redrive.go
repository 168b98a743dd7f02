package command

import (
	"context"
	"errors"
	"flag"
	"iter"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
)

// Redriven is what became of dead letters.
type Redriven struct {
	Letters []redrive.Letter `json:"-"`

	Type   string      `json:"type"` // sum
	Run    string      `json:"run"`
	DryRun bool        `json:"dryRun"`
	Sum    redrive.Sum `json:"sum"`
}

// Lines are the letters, and the sum.
func (r Redriven) Lines() []any {
	type letter struct {
		Type string `json:"type"`
		redrive.Letter
	}
	type sum Redriven
	lines := make([]any, 0, len(r.Letters)+1)
	for _, l := range r.Letters {
		lines = append(lines, letter{"letter", l})
	}
	return append(lines, sum(r))
}

// Redrive sends dead letters to their functions again.
func Redrive() Command {
	return Command{Name: "redrive", About: "have the functions check again what dead letters are about", Long: `
It reads the queue fleetwarden-dead-letters, determines which function each letter was for,
puts the refs in the letter into that function's inbox, and then deletes the letter. A
letter whose function or refs cannot be determined stays, and is listed by its digest. A
timer's event is "superseded": the timer's next one does the same work, so the letter is
deleted without sending anything. No text of a letter is shown: it may hold user data.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		var r redrive.Redrive
		set.StringVar(&r.Filter.Function, "function", "", "only letters for this function, by its `NAME`, such as attach-role")
		set.StringVar((*string)(&r.Filter.Account), "account", "", "only letters about this account, by its `ID`")
		set.StringVar((*string)(&r.Filter.Region), "region", "", "only letters about this region, by its `ID`, or the whole account, in this region's queue (default the home region's queue, and all regions)")
		set.StringVar(&r.Filter.ID, "id", "", "only letters about this resource, by its `ID`")
		older := set.Duration("older", 0, "only letters that have been there for this `TIME`, such as 1h")
		set.IntVar(&r.Max, "max", redrive.DefaultMax, "the `NUMBER` of letters to take")
		apply := set.Bool("apply", false, "send and delete; without it, show what would be done with the first 16")
		return func(ctx context.Context, _ []string) error {
			if r.Max < 1 || *older < 0 {
				return Wrong("--max has to be at least 1, --older not negative")
			}
			if f := r.Filter.Function; f != "" && fleet.FunctionNamed(f).Name == "" {
				return Wrong("--function: there is no function %q", f)
			}
			if err := known(nil, given(r.Filter.Account), given(r.Filter.Region), nil); err != nil {
				return err
			}
			return c.redrive(ctx, r, *older, *apply)
		}
	}}
}

func (c *Call) redrive(ctx context.Context, r redrive.Redrive, older time.Duration, apply bool) error {
	inv, err := c.start(ctx, "redrive")
	if err != nil {
		return err
	}
	if apply {
		if err := c.owners(ctx); err != nil {
			return err
		}
	}
	queues, err := inv.QueuesIn(r.Filter.Region)
	if err != nil {
		return BadUsage{err}
	}
	if older > 0 {
		r.Filter.Until = inv.Session.Now().Add(-older)
	}
	done := Redriven{Type: "sum", Run: inv.Options.Stamp.Run, DryRun: !apply}
	bar := c.Progress("redriving", 0)
	r.Queue, r.Inboxes, r.Run, r.DryRun = queues, inboxes{inv}, done.Run, done.DryRun
	r.Decode = func(body []byte) iter.Seq2[fleet.Batch, error] {
		return events.Batches(events.Decode(body), inv, fleet.Functions()...)
	}
	r.Seen = func(l redrive.Letter) {
		bar.Add(1)
		done.Letters = append(done.Letters, l)
	}
	done.Sum, err = r.Do(ctx)
	bar.End()
	if err != nil && len(done.Letters) == 0 {
		return err
	}
	return errors.Join(c.Show(done), err)
}
