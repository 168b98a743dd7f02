package doctor

import (
	"context"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
)

// deadLetterQueue takes what could not be delivered or done.
const deadLetterQueue = fleet.Prefix + "dead-letters"

// place is a queue of a region.
type place struct {
	region fleet.Region
	name   string
	inbox  bool
}

// wantedQueues are the inboxes of the deployed functions, and the dead letters of each region.
func (x *examination) wantedQueues(ctx context.Context) (out []place, problems []Problem) {
	regions, err := x.regions(ctx)
	for _, region := range regions {
		out = append(out, place{region, deadLetterQueue, false})
		for _, f := range fleet.Functions() {
			if f.HasInbox() && (!f.Home || region == x.Home) {
				out = append(out, place{region, fleet.CloudName(f.Name), true})
			}
		}
	}
	if x.Policy.Findings != "" {
		out = append(out, place{x.Home, x.Policy.Findings, false})
	}
	return out, x.unknown(err)
}

func queuesExist(ctx context.Context, x *examination) answer {
	all, problems := x.wantedQueues(ctx)
	return answer{says: fmt.Sprintf("%d of them", len(all)), problems: append(problems, each(all, func(p place) []Problem {
		q, err := read(ctx, x, func(ctx context.Context) (Queue, error) { return x.Queues(p.region).Queue(ctx, p.name) })
		switch {
		case fleet.ClassOf(err) == fleet.NotFound:
			return one(Problem{Result: Fail, Region: p.region, ID: p.name, Says: fmt.Sprintf("queue %s does not exist in %s", p.name, p.region), Mend: x.deploy(p.region)})
		case err != nil:
			return one(unread("queue "+p.name, p.region, p.name, err))
		case p.inbox && q.DeadLetters != deadLetterQueue:
			return one(Problem{Result: Fail, Region: p.region, ID: p.name, Says: fmt.Sprintf("queue %s in %s has its dead letters in %q, not in %s", p.name, p.region, q.DeadLetters, deadLetterQueue), Mend: x.deploy(p.region)})
		}
		return nil
	})...)}
}

// depth is how full a queue was some minutes ago. CloudMonitor says so: MNS's own counters are
// announced to be 0 whatever is in a queue. known is false for a queue without samples.
func (x *examination) depth(ctx context.Context, p place) (d Depth, known bool, err error) {
	all, err := x.depths.get(p.region, func() (map[string]Depth, error) {
		var names []string
		all, _ := x.wantedQueues(ctx) // those of this region are known
		for _, q := range all {
			if q.region == p.region {
				names = append(names, q.name)
			}
		}
		return read(ctx, x, func(ctx context.Context) (map[string]Depth, error) { return x.Depths(p.region).Depths(ctx, names) })
	})
	d, known = all[p.name]
	return d, known, err
}

// seen is how many messages one peek shows at most. There is no way to see those after them.
const seen = 16

// peek shows visible messages of a queue, and when the oldest of them was sent. That it is not
// empty is then proven, and nothing is taken from it. A queue that does not exist has none:
// queues-exist reports it.
func (x *examination) peek(ctx context.Context, p place) (n int, oldest time.Time, err error) {
	found, err := x.letters.get(p, func() ([]Letter, error) {
		return read(ctx, x, func(ctx context.Context) ([]Letter, error) { return x.Queues(p.region).Peek(ctx, p.name, seen) })
	})
	if fleet.ClassOf(err) == fleet.NotFound {
		return 0, oldest, nil
	}
	for _, l := range found {
		if oldest.IsZero() || l.Enqueued.Before(oldest) {
			oldest = l.Enqueued.UTC()
		}
	}
	return len(found), oldest, err
}

const (
	longest = time.Hour // that a message may wait for its function
	deepest = 1000      // messages
)

// queuesDrained: a stream takes what it delivers out of the visible ones at once, so that
// those which stay visible are not delivered.
func queuesDrained(ctx context.Context, x *examination) answer {
	var inboxes []place
	all, problems := x.wantedQueues(ctx)
	for _, p := range all {
		if p.inbox {
			inboxes = append(inboxes, p)
		}
	}
	problems = append(problems, each(inboxes, func(p place) (out []Problem) {
		mend := "see functions-enabled and triggers; if both are well, the function needs more reserved instances"
		n, oldest, err := x.peek(ctx, p)
		switch {
		case err != nil:
			out = append(out, unread("what waits in queue "+p.name, p.region, p.name, err))
		case n > 0 && x.now().Sub(oldest) > longest:
			out = append(out, Problem{Result: Warn, Region: p.region, ID: p.name, Mend: mend,
				Says: fmt.Sprintf("a message waits in queue %s in %s since %s", p.name, p.region, oldest.Format(time.DateTime))})
		}
		d, known, err := x.depth(ctx, p)
		switch {
		case err != nil:
			out = append(out, unread("how full queue "+p.name+" is", p.region, p.name, err))
		case !known && n == seen: // there may be any number
			out = append(out, Problem{Result: Unread, Region: p.region, ID: p.name, Mend: "run it again in 10 minutes: CloudMonitor has no number for it yet",
				Says: fmt.Sprintf("how full queue %s in %s is, is not known: at least %d messages wait", p.name, p.region, n)})
		case d.Visible+d.Invisible > deepest: // those that are delivered and not done are invisible
			out = append(out, Problem{Result: Warn, Region: p.region, ID: p.name, Mend: mend,
				Says: fmt.Sprintf("queue %s in %s had %d messages waiting and %d being delivered at %s", p.name, p.region, d.Visible, d.Invisible, d.At.UTC().Format(time.DateTime))})
		}
		return out
	})...)
	return answer{says: fmt.Sprintf("%d of them%s", len(inboxes), x.uncounted(ctx, inboxes)), problems: problems}
}

// uncounted says of how many queues CloudMonitor has no number, as of those to which nothing was
// sent for long: what a peek does not show is not known of them. Empty where it has all numbers.
func (x *examination) uncounted(ctx context.Context, queues []place) string {
	n := 0
	for _, p := range queues {
		if _, known, err := x.depth(ctx, p); !known && err == nil {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; CloudMonitor has no number for %d of %d queues, of which only what a peek shows is known", n, len(queues))
}

// deadLetters peeks: that a queue is not empty is then proven, and nothing is taken from it.
// CloudMonitor has the number, which is some minutes old.
func deadLetters(ctx context.Context, x *examination) answer {
	problems := inRegions(ctx, x, func(region fleet.Region) (out []Problem) {
		p := place{region, deadLetterQueue, false}
		n, oldest, err := x.peek(ctx, p)
		if err != nil {
			out = append(out, unread("the dead letters of "+string(region), region, p.name, err))
		}
		d, _, derr := x.depth(ctx, p)
		if derr != nil {
			out = append(out, unread("how many dead letters "+string(region)+" has", region, p.name, derr))
		}
		mend := "fleetwarden redrive --region " + string(region) + " # shows them; then add --apply"
		switch {
		case n > 0:
			out = append(out, Problem{Result: Fail, Region: region, ID: p.name, Mend: mend,
				Says: fmt.Sprintf("%s in %s; the oldest that was seen is of %s", waiting(n, d.Visible), region, oldest.Format(time.DateTime))})
		case err == nil && d.Visible+d.Invisible+d.Delayed > 0:
			out = append(out, Problem{Result: Warn, Region: region, ID: p.name, Mend: mend,
				Says: fmt.Sprintf("CloudMonitor counted %d dead letters in %s at %s, and none is visible now: they were taken meanwhile, or are being read", d.Visible+d.Invisible+d.Delayed, region, d.At.UTC().Format(time.DateTime))})
		}
		return out
	})
	var all []place
	regions, _ := x.regions(ctx) // its error is among the problems
	for _, region := range regions {
		all = append(all, place{region, deadLetterQueue, false})
	}
	return answer{says: "none in any region" + x.uncounted(ctx, all), problems: problems}
}

// waiting says how many dead letters there are: those that were seen, and what was counted.
func waiting(n, counted int) string {
	switch {
	case counted > n:
		return fmt.Sprintf("about %d dead letters wait (%d of them were seen)", counted, n)
	case n == seen:
		return fmt.Sprintf("at least %d dead letters wait", n)
	case n == 1:
		return "1 dead letter waits"
	}
	return fmt.Sprintf("%d dead letters wait", n)
}
