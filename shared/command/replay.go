package command

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/replay"
)

// Page is one page of a trail that a replay has read, and Wait a pause of it.
type (
	Page struct {
		Type     string    `json:"type"` // page
		Call     string    `json:"call"`
		Records  int       `json:"records"`
		At       time.Time `json:"at"`
		Fraction float64   `json:"fraction"`
	}
	Wait struct {
		Type    string  `json:"type"` // wait
		Seconds float64 `json:"seconds"`
		Why     string  `json:"why"`
	}
)

// Replayed is what a replay came to.
type Replayed struct {
	Type   string     `json:"type"` // sum
	Run    string     `json:"run"`
	DryRun bool       `json:"dryRun"`
	Sum    replay.Sum `json:"sum"`
}

// Replay has the functions check what ActionTrail recorded.
func Replay() Command {
	return Command{Name: "replay", About: "have the functions check what happened in a window of the past", Long: `
It reads ActionTrail's records of launches and shares, and puts the refs in them into the
inboxes of the functions that would have received the live events. They check the current
state; a record that was handled before does no harm. ActionTrail keeps records for 90 days,
shows a record some ten minutes after its call, and allows two calls a second for all its
readers, so 50 records take half a second or, with other readers, longer: a throttle is
waited out for up to a quarter of an hour. Progress is saved after each page: --resume
continues a run that ended early.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		since := set.String("since", "", "the beginning, a `TIME` such as 2026-01-05T08:00:00Z, or 36h for so long ago")
		until := set.String("until", "", "the end, a `TIME` (default now)")
		region := set.String("region", "", "the `ID` of the region whose trail to read (default the home region)")
		resume := set.String("resume", "", "continue a `RUN`")
		apply := set.Bool("apply", false, "put the refs into the inboxes; without it, only say how many")
		return func(ctx context.Context, _ []string) error {
			switch {
			case *resume != "" && (*since != "" || *until != "" || *region != ""):
				return Wrong("--resume knows its time and region; see %s replay --help", Tool)
			case *resume == "" && *since == "":
				return Wrong("give --since TIME, or --resume RUN; see %s replay --help", Tool)
			case *resume != "" && !*apply:
				return Wrong("--resume sends refs: give --apply, too")
			}
			return c.replay(ctx, *since, *until, fleet.Region(*region), *resume, *apply)
		}
	}}
}

func (c *Call) replay(ctx context.Context, since, until string, region fleet.Region, resume string, apply bool) error {
	if err := known(nil, nil, given(region), nil); err != nil {
		return err
	}
	inv, err := c.start(ctx, "replay")
	if err != nil {
		return err
	}
	if apply {
		if err := c.owners(ctx); err != nil {
			return err
		}
	}
	now := inv.Session.Now()
	w, err := window(since, until, now)
	if err != nil && resume == "" {
		return err
	}
	bar := c.Progress("replaying", 100)
	defer bar.End()
	percent := 0
	r := c.replayer(inv, !apply, func(s replay.Step) {
		to := int(s.Fraction * 100)
		bar.Say("replaying")
		bar.Add(to - percent)
		percent = to
	})
	r.Waiting = func(w replay.Wait) {
		why := fleet.ClassOf(w.Err).String()
		bar.Say("waiting " + w.For.String() + ": " + why)
		_ = c.Line(Wait{"wait", w.For.Seconds(), why}) // a broken output shows at the next page
	}
	if !c.Inside {
		r.Patience = patience
	}
	sum, run := replay.Sum{}, inv.Options.Stamp.Run
	if resume != "" {
		run = resume
		sum, err = r.Resume(ctx, run)
	} else {
		if w.Late(now) {
			c.Note("records of the last ten minutes may still be missing")
		}
		sum, err = r.Start(ctx, replay.Job{Run: run, Region: cmp.Or(region, inv.Home.Region), Window: w})
	}
	bar.End()
	if errors.As(err, new(*replay.Interrupted)) {
		err = fmt.Errorf("%w\n  continue with: %s replay --resume %s --apply", err, Tool, run)
	}
	if err != nil && sum.Pages == 0 {
		return err
	}
	return errors.Join(c.Show(Replayed{"sum", run, !apply, sum}), err)
}

// patience is how long one page is retried while the trail is throttled.
const patience = 15 * time.Minute

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
	if err := w.Check(now); err != nil {
		return w, BadUsage{err}
	}
	return w, nil
}

func (c *Call) replayer(inv *invocation.Invocation, dry bool, seen func(replay.Step)) *replay.Replay {
	return &replay.Replay{
		Trail: trail.New(inv.Session), Inboxes: inboxes{inv}, Store: inv.Store, DryRun: dry,
		Decode: func(records []byte) iter.Seq2[fleet.Batch, error] {
			return events.Batches(events.DecodeTrail(records, inv.Home.Account), inv, fleet.Functions()...)
		},
		Seen: func(s replay.Step) {
			seen(s)
			_ = c.Line(Page{"page", s.Call, s.Records, s.At, s.Fraction}) // a broken output shows at the sum
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
