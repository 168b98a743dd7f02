package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// end lets faults end and the world come to rest, has what failed asked for again, lets
// nights pass, and checks.
func (p *player) end(ctx context.Context) error {
	if err := inTurn(ctx, p.late, p.calm, p.rest); err != nil {
		return err
	}
	if p.h.World.Versioning != nil {
		p.checkUntouched()
		return nil
	}
	if err := inTurn(ctx, p.redriveAll, p.replayLost); err != nil {
		return err
	}
	p.checkLive()
	for range p.h.World.Nights {
		if err := inTurn(ctx, p.askAgain, p.night, p.rest); err != nil {
			return err
		}
	}
	if err := p.askAgain(ctx); err != nil {
		return err
	}
	quiet, err := p.quiet(ctx, 3*day)
	if err != nil {
		return err
	}
	if !quiet {
		p.wrong("the world does not come to rest within three days")
	}
	p.settleRaces()
	p.check()
	return nil
}

// inTurn does one after the other, until one fails.
func inTurn(ctx context.Context, all ...func(context.Context) error) error {
	for _, do := range all {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// late lets one more night pass before the faults end, where the world has it so.
func (p *player) late(ctx context.Context) error {
	if !p.h.World.Late {
		return nil
	}
	return p.night(ctx)
}

// calm ends all that goes wrong. Timers are not waited for by a world that rests: that of
// watch-shares is the live path of snapshots, and what failed before is still tried again.
func (p *player) calm(ctx context.Context) error {
	p.m.ends(p.now())
	p.Stack.Spare()
	p.cut.arm(nil)
	for f := range p.long {
		p.Stack.Lengthen(f, 0)
	}
	if err := p.Server.Faults.Set(0, nil, simcloud.EventFaults{}); err != nil {
		return err
	}
	p.m.calm = p.now()
	return p.pass(ctx, 20*time.Minute)
}

// redriveAll redrives the dead letters, and some times those that come of that.
func (p *player) redriveAll(ctx context.Context) error {
	for range 3 {
		if p.letters() == 0 {
			break
		}
		if err := inTurn(ctx, p.redrive, p.rest); err != nil {
			return err
		}
	}
	return nil
}

// replayLost replays, if events may have been lost.
func (p *player) replayLost(ctx context.Context) error {
	if !p.m.lost {
		return nil
	}
	return inTurn(ctx, p.replay, p.rest)
}

// askAgain asks for each share again, as a person does whom the first time was refused, and
// once more when the role has had its time to be seen.
func (p *player) askAgain(ctx context.Context) error {
	for range 2 {
		for _, x := range p.m.shares {
			if x.wanted {
				p.ask(x)
			}
		}
		p.accept()
		if err := p.pass(ctx, 15*time.Minute); err != nil {
			return err
		}
	}
	return nil
}

// rest lets the world come to rest, or some hours pass: a grace is waited for by a message
// that lies in its queue for a day.
func (p *player) rest(ctx context.Context) error {
	_, err := p.quiet(ctx, 6*time.Hour)
	return err
}

// quiet lets time pass until nothing is on its way, or until so much has passed.
func (p *player) quiet(ctx context.Context, most time.Duration) (bool, error) {
	ctx, stop := context.WithTimeout(ctx, settling)
	defer stop()
	quiet, err := p.Server.World.Clock.Quiet(ctx, most)
	if err != nil {
		return false, fmt.Errorf("the world does not come to rest in %s of real time: %w", settling, err)
	}
	return quiet, nil
}

// letters is how many dead letters there are that can be used. Those of a region that the policy
// guards no more are kept.
func (p *player) letters() (n int) {
	for arn, bodies := range p.messages() {
		guarded := slices.ContainsFunc(p.h.World.Regions, func(region string) bool { return strings.Contains(arn, ":"+region+":") })
		for _, body := range bodies {
			if guarded && strings.HasSuffix(arn, "/fleetwarden-dead-letters") && !strings.Contains(body, notAMessage) && !strings.Contains(body, newerMessage) {
				n++
			}
		}
	}
	return n
}

// day is the time between two sweeps.
const day = 24 * time.Hour
