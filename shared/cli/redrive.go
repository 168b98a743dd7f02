package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/queue"
)

const redriveUsage = `backfill redrive: have the functions check again what dead letters are about

Usage:
  backfill redrive [flags]

It reads the queue fleetwarden-dead-letters, determines which function each letter was for,
puts the refs in the letter into that function's inbox, and then deletes the letter. A
letter whose function or refs cannot be determined stays, and is listed by its digest. A
timer's event is "superseded": the timer's next one does the same work, so the letter is
deleted without sending anything. No text of a letter is shown: it may hold user data.

Flags:
  --function NAME  only letters for this function, such as attach-role
  --account ID     only letters about this account
  --region ID      only letters about this region or the whole account, in this region's queue
                   (default: the home region's queue, and all regions)
  --id ID          only letters about this resource
  --older TIME     only letters that have been there this long, as in 1h
  --max N          how many letters to take (default 1000)
  --apply          send and delete; without it, show what would be done with the first 16
  --json           one "letter" each, and the "sum"
  --policy FILE    the policy file (default: $FLEETWARDEN_POLICY; without one, audit)
`

// Redrive sends dead letters to their functions again.
func Redrive() Command {
	return Command{"redrive", "have the functions check again what dead letters are about", (*job).redrive}
}

func (j *job) redrive(ctx context.Context, args []string) error {
	var r redrive.Redrive
	var older time.Duration
	var apply bool
	set := j.flags("redrive")
	set.StringVar(&r.Filter.Function, "function", "", "")
	set.StringVar((*string)(&r.Filter.Account), "account", "", "")
	set.StringVar((*string)(&r.Filter.Region), "region", "", "")
	set.StringVar(&r.Filter.ID, "id", "", "")
	set.DurationVar(&older, "older", 0, "")
	set.IntVar(&r.Max, "max", redrive.DefaultMax, "")
	set.BoolVar(&apply, "apply", false, "")
	if _, err := j.parse(set, args, redriveUsage, 0); err != nil {
		return err
	}
	if r.Max < 1 || older < 0 {
		return wrongUsage{errors.New("--max has to be at least 1, --older not negative")}
	}
	inv, err := j.start(ctx, "redrive")
	if err != nil {
		return err
	}
	queues, err := inv.QueuesIn(r.Filter.Region)
	if err != nil {
		return wrongUsage{err}
	}
	if older > 0 {
		r.Filter.Until = inv.Session.Now().Add(-older)
	}
	var letters []redrive.Letter
	bar := j.progress("redriving", 0)
	r.Queue, r.Inboxes, r.Run, r.DryRun = queues, inboxes{inv}, inv.Options.Stamp.Run, !apply
	r.Decode = func(body []byte) iter.Seq2[fleet.Batch, error] {
		return events.Batches(events.Decode(body), inv, fleet.Functions()...)
	}
	r.Seen = func(l redrive.Letter) {
		bar.add(1)
		letters = append(letters, l)
	}
	sum, err := r.Do(ctx)
	bar.end()
	if err != nil && len(letters) == 0 {
		return err
	}
	return errors.Join(j.redriven(r.Run, letters, sum, apply), err)
}

func (j *job) redriven(run string, letters []redrive.Letter, sum redrive.Sum, apply bool) error {
	if j.json {
		for _, l := range letters {
			if err := j.line(struct {
				Type string `json:"type"`
				redrive.Letter
			}{"letter", l}); err != nil {
				return err
			}
		}
		return j.line(map[string]any{"type": "sum", "run": run, "dryRun": !apply, "sum": sum})
	}
	if err := j.letterTable(letters); err != nil {
		return err
	}
	for _, state := range slices.Sorted(maps.Keys(sum.Letters)) {
		if err := j.print("%s: %s\n", many(sum.Letters[state], "letter", "letters"), state); err != nil {
			return err
		}
	}
	if len(letters) == 0 {
		if err := j.print("no dead letters\n"); err != nil {
			return err
		}
	}
	if sum.More {
		if err := j.print("there may be more: run it again\n"); err != nil {
			return err
		}
	}
	if !apply {
		return j.print("dry run: nothing was sent or deleted; --apply does\n")
	}
	return nil
}

func (j *job) letterTable(letters []redrive.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SINCE\tSHAPE\tSTATE\tFOR\tABOUT\tDIGEST")
	for _, l := range letters {
		to := l.Queued
		if len(to) == 0 {
			to = []queue.Delivery{{Function: "-"}}
		}
		for _, t := range to { // a launch is for two
			cells(w, "%s\t%s\t%s\t%s\t%s\t%.12s\n", l.Enqueued.UTC().Format(time.DateTime), l.Shape, l.State, t.Function, letterAbout(l, t), l.Digest)
		}
	}
	return w.Flush()
}

// letterAbout lists the refs of a letter for one function; without refs, it is the reason.
func letterAbout(l redrive.Letter, t queue.Delivery) string {
	switch n := len(t.Refs); n {
	case 0:
		return l.Reason
	case 1:
		return t.Refs[0].String()
	default:
		return fmt.Sprintf("%s and %d more", t.Refs[0], n-1)
	}
}
