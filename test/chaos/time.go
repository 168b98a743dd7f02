package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
)

// How time passes, and what comes with it.

// pass lets time pass.
func (p *player) pass(ctx context.Context, d time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, settling)
	defer stop()
	return p.Advance(ctx, d)
}

// night lets time pass until the sweep's timer has gone off: it does so at 19:30 UTC.
func (p *player) night(ctx context.Context) error {
	now := p.now()
	next := time.Date(now.Year(), now.Month(), now.Day(), 19, 31, 0, 0, time.UTC)
	if !next.After(now) {
		next = next.AddDate(0, 0, 1)
	}
	return p.pass(ctx, next.Sub(now))
}

// narrow deploys a policy that guards the home region alone. What the functions did or left
// undone elsewhere stays as it is, and is not asked for any more.
func (p *player) narrow(ctx context.Context) error {
	if quiet, err := p.quiet(ctx, 6*time.Hour); err != nil || !quiet || len(p.h.World.Regions) == 1 {
		return err
	}
	p.h.World.Regions = p.regions[:1]
	for _, i := range p.m.instances {
		i.left = i.left || i.region != server.Home
	}
	for _, x := range p.m.shares {
		usable, _ := p.Server.Usable(x.with, x.region, x.id)
		x.kept = x.region != server.Home && usable
	}
	path := filepath.Join(p.dir, "narrow.yaml")
	if err := os.WriteFile(path, []byte(p.h.World.policy()), 0o600); err != nil {
		return fmt.Errorf("writing a policy: %w", err)
	}
	p.policy = path
	return p.Stack.UsePolicy(path)
}

// jump has the cloud's time leap while a function works, as it does for a process that is
// frozen between two calls.
func (p *player) jump(_ context.Context, s Step) error {
	var mu sync.Mutex
	left, next := max(s.Call, s.Writes, 1), p.Server.Witness()
	p.m.leaps++
	p.Server.SetWitness(func(c *wire.Call, after bool) bool {
		if function, _ := stack.FunctionOf(c.Caller); !after && function == s.Function && s.meets(c) {
			mu.Lock()
			if left--; left == 0 {
				p.Server.World.Clock.Leap(time.Duration(s.For))
			}
			mu.Unlock()
		}
		return next.Drops(c, after)
	})
	return nil
}

func (p *player) now() time.Time { return p.Server.World.Clock.Now() }

// beside has the sweep's timer go off now. Its pass does not last, however long others do:
// nothing moves the clock while it is waited for.
func (p *player) beside(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, settling)
	defer stop()
	p.Stack.Lengthen("sweep", 0)
	defer p.Stack.Lengthen("sweep", p.long["sweep"])
	_, err := p.Stack.Invoke(ctx, server.Home, "sweep", []byte(everyNight))
	return err
}
