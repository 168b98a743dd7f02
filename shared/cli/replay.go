package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/replay"
)

const replayUsage = `backfill replay: have the functions check what happened in a window of the past

Usage:
  backfill replay --since TIME --until TIME [flags]
  backfill replay --resume RUN [flags]

It reads ActionTrail's records of launches and shares, and puts the refs in them into the
inboxes of the functions that would have received the live events. They check the current
state; a record that was handled before does no harm. ActionTrail keeps records for 90 days,
shows a record some ten minutes after its call, and allows two calls a second for all its
readers, so 50 records take half a second or, with other readers, longer: a throttle is
waited out for up to a quarter of an hour. Progress is saved after each page: --resume
continues a run that ended early.

Flags:
  --since TIME    the beginning, such as 2026-01-05T08:00:00Z, or 36h for so long ago
  --until TIME    the end (default: now)
  --region ID     whose trail to read (default: the home region)
  --resume RUN    continue a run
  --apply         put the refs into the inboxes; without it, only say how many
  --json          one "page" and one "wait" each, and the "sum"
  --policy FILE   the policy file (default: $FLEETWARDEN_POLICY; without one, audit)
`

// Replay has the functions check what ActionTrail recorded.
func Replay() Command {
	return Command{"replay", "have the functions check what happened in a window of the past", (*job).replay}
}

func (j *job) replay(ctx context.Context, args []string) error {
	var since, until, region, resume string
	var apply bool
	set := j.flags("replay")
	set.StringVar(&since, "since", "", "")
	set.StringVar(&until, "until", "", "")
	set.StringVar(&region, "region", "", "")
	set.StringVar(&resume, "resume", "", "")
	set.BoolVar(&apply, "apply", false, "")
	if _, err := j.parse(set, args, replayUsage, 0); err != nil {
		return err
	}
	switch {
	case resume != "" && (since != "" || until != "" || region != ""):
		return wrongUsage{errors.New("--resume knows its time and region; see backfill replay --help")}
	case resume == "" && since == "":
		return wrongUsage{errors.New("give --since TIME, or --resume RUN; see backfill replay --help")}
	case resume != "" && !apply:
		return wrongUsage{errors.New("--resume sends refs: give --apply, too")}
	}
	inv, err := j.start(ctx, "replay")
	if err != nil {
		return err
	}
	now := inv.Session.Now()
	w, err := window(since, until, now)
	if err != nil && resume == "" {
		return wrongUsage{err}
	}
	at := inv.Home.Region
	if region != "" {
		at = fleet.Region(region)
	}
	bar := j.percent("replaying")
	defer bar.end()
	r := j.replayer(inv, !apply, func(s replay.Step) { bar.to(int(s.Fraction * 100)) })
	r.Waiting = j.waiting(bar)
	if !j.inside {
		r.Patience = patience
	}
	run := inv.Options.Stamp.Run
	var sum replay.Sum
	if resume != "" {
		run = resume
		sum, err = r.Resume(ctx, run)
	} else {
		if w.Late(now) {
			j.note("records of the last ten minutes may still be missing")
		}
		sum, err = r.Start(ctx, replay.Job{Run: run, Region: at, Window: w})
	}
	bar.end()
	if errors.As(err, new(*replay.Interrupted)) {
		err = fmt.Errorf("%w\n  continue with: backfill replay --resume %s --apply", err, run)
	}
	if err != nil && sum.Pages == 0 {
		return err
	}
	return errors.Join(j.replayed(run, sum, apply), err)
}

// patience is how long one page is retried while the trail is throttled.
const patience = 15 * time.Minute

// waiting reports a pause of a replay.
func (j *job) waiting(bar *progress) func(replay.Wait) {
	return func(w replay.Wait) {
		switch why := fleet.ClassOf(w.Err).String(); {
		case j.json:
			_ = j.line(map[string]any{"type": "wait", "seconds": w.For.Seconds(), "why": why})
		case j.live:
			bar.say("waiting " + w.For.String() + ": " + why)
		default:
			j.note("waiting %s: %v", w.For, w.Err)
		}
	}
}

// window reads the two times; a length of time counts back from now.
func window(since, until string, now time.Time) (replay.Window, error) {
	var w replay.Window
	var err error
	if w.Since, err = moment("--since", since, now); err != nil {
		return w, err
	}
	if w.Until, err = moment("--until", until, now); err != nil {
		return w, err
	}
	return w, w.Check(now)
}

func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d).Truncate(time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%s: %q is neither a time such as 2026-01-05T08:00:00Z nor a length of time such as 36h", flag, text)
	}
	return t.UTC(), nil
}

func (j *job) replayer(inv *invocation.Invocation, dry bool, seen func(replay.Step)) *replay.Replay {
	return &replay.Replay{
		Trail: trail.New(inv.Session), Inboxes: inboxes{inv}, Store: inv.Store, DryRun: dry,
		Decode: func(records []byte) iter.Seq2[fleet.Batch, error] {
			return events.Batches(events.DecodeTrail(records, inv.Home.Account), inv, fleet.Functions()...)
		},
		Seen: func(s replay.Step) {
			seen(s)
			if j.json {
				_ = j.line(map[string]any{"type": "page", "call": s.Call, "records": s.Records, "at": s.At, "fraction": s.Fraction})
			}
		},
		CloudNow: inv.Session.Now, Now: time.Now, Sleep: inv.Session.Cloud().Wait,
	}
}

// inboxes are those of all functions.
type inboxes struct{ inv *invocation.Invocation }

// Enqueue implements replay.Inboxes and redrive.Inboxes.
func (i inboxes) Enqueue(ctx context.Context, function string, refs []fleet.Ref) error {
	region := refs[0].Scope.Region
	if fleet.FunctionNamed(function).Home {
		region = ""
	}
	return i.inv.Enqueue(ctx, function, region, refs)
}

func (j *job) replayed(run string, sum replay.Sum, apply bool) error {
	if j.json {
		return j.line(map[string]any{"type": "sum", "run": run, "dryRun": !apply, "sum": sum})
	}
	if err := j.print("read %d records in %d pages: %d not for us, %d could not be decoded\n", sum.Records, sum.Pages, sum.Ignored, sum.Unread); err != nil {
		return err
	}
	if sum.Expired > 0 {
		if err := j.print("ActionTrail no longer kept records of the first %s of the window\n", time.Duration(sum.Expired)*time.Second); err != nil {
			return err
		}
	}
	word := "refs queued"
	if !apply {
		word = "refs that would be queued"
	}
	for _, function := range slices.Sorted(maps.Keys(sum.Refs)) {
		if err := j.print("%s: %s: %d\n", function, word, sum.Refs[function]); err != nil {
			return err
		}
	}
	if !apply {
		return j.print("dry run: nothing was queued; --apply queues the refs\n")
	}
	return j.print("run %s\n", run)
}
