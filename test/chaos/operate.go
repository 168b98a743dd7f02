package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/test/simcloud/server"
)

// patience is how long, in real time, a command of the operator's may take.
const patience = 2 * time.Minute

// backfill runs a command of the operator's tool.
func (p *player) backfill(ctx context.Context, args ...string) (lines []map[string]any, ok bool, err error) {
	return p.terminal(ctx, "backfill", args...)
}

// terminal runs a function as the operator types it, while the cloud's time goes on, and
// returns its lines of JSON and whether it ended well.
func (p *player) terminal(ctx context.Context, function string, args ...string) (lines []map[string]any, ok bool, err error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, function, "main"), args...)
	cmd.Env = append(os.Environ(), "ALIBABA_CLOUD_ENDPOINT_URL="+p.Server.URL(),
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+stage.Operator.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+stage.Operator.Secret,
		"FLEETWARDEN_LEDGER=oss://"+stack.Bucket+"/ledger?region="+server.Home, "FLEETWARDEN_POLICY="+filepath.Join(p.dir, "policy.yaml"))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	following, halt := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Server.World.Clock.Follow(following, 600)
	}()
	err = cmd.Run()
	halt()
	<-done
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, false, fmt.Errorf("%s %q did not end within %s: %s", function, args, patience, said.String())
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return nil, false, fmt.Errorf("%s %q: %s", function, args, said.String())
	case err != nil && !errors.As(err, &exit):
		return nil, false, fmt.Errorf("%s %q: %w", function, args, err)
	}
	for d := json.NewDecoder(&out); ; {
		var x map[string]any
		if d.Decode(&x) != nil {
			return lines, err == nil, nil
		}
		lines = append(lines, x)
	}
}

// operate plans control instance-role and applies the plan; then, if the step says so, undoes
// what was applied. What the tool says was done has to be so.
func (p *player) operate(ctx context.Context, s Step) error {
	lines, _, err := p.backfill(ctx, "plan", "--control", "instance-role", "--account", server.Sharer, "--json")
	if err != nil || len(lines) == 0 {
		return err
	}
	plan := fmt.Sprint(lines[0]["id"])
	if items, _ := lines[0]["items"].([]any); len(items) == 0 {
		return nil
	}
	if s.Do == DryRun {
		before := len(p.diary.of(func(d deed) bool { return d.function == "backfill" }))
		_, _, err := p.backfill(ctx, "apply", "--plan", plan, "--dry-run", "--json")
		if n := len(p.diary.of(func(d deed) bool { return d.function == "backfill" })); n != before {
			p.wrong("a dry run made %d writes", n-before)
		}
		return err
	}
	lines, ok, err := p.backfill(ctx, "apply", "--plan", plan, "--json")
	if err != nil {
		return err
	}
	run, done := "", map[string]bool{}
	for _, x := range lines {
		if r, is := x["run"].(string); is {
			run = r
		}
		if x["state"] == "done" && x["kind"] == "instance" {
			done[fmt.Sprint(x["id"])] = true
		}
	}
	for _, i := range p.m.instances {
		if done[i.id] && !p.fit(p.roleOf(i)) && !p.m.faulty {
			p.wrong("apply said that %s is done, but its role is %q", i.id, p.roleOf(i))
		}
	}
	if !ok || !s.Undo || run == "" {
		return nil
	}
	return p.undo(ctx, run)
}

// undo undoes a run. What it says was done, the operator has decided.
func (p *player) undo(ctx context.Context, run string) error {
	lines, _, err := p.backfill(ctx, "undo", "--run", run, "--apply", "--json")
	for _, x := range lines {
		change, _ := x["change"].(map[string]any)
		i := p.m.byID(fmt.Sprint(change["id"]))
		if i == nil || change["state"] != "done" {
			continue
		}
		i.edits++
		if got := p.roleOf(i); got != i.role && !p.m.faulty {
			p.wrong("undo said that %s is done, but its role is %q, not %q as before", i.id, got, i.role)
		}
	}
	return err
}

// redrive redrives the dead letters.
func (p *player) redrive(ctx context.Context) {
	for _, region := range p.h.World.Regions {
		if _, _, err := p.backfill(ctx, "redrive", "--apply", "--region", region, "--json"); err != nil {
			p.wrong("redriving: %v", err)
		}
	}
}

// dry sweeps in a terminal. Where all is at rest, nothing may be changed by that.
func (p *player) dry(ctx context.Context) error {
	quiet, err := p.quiet(ctx, time.Hour)
	if err != nil {
		return err
	}
	before := len(p.diary.of(func(deed) bool { return true }))
	if _, _, err := p.terminal(ctx, "sweep", "--json"); err != nil {
		return err
	}
	if _, err := p.quiet(ctx, 30*time.Minute); err != nil {
		return err
	}
	sweeps := len(p.sweeps())
	all := p.diary.of(func(deed) bool { return true })
	if len(all) > before && quiet && !p.m.faulty && sweeps == 0 {
		p.wrong("a sweep in a terminal, without --apply, led to %d writes, first %s %s", len(all)-before, all[before].action, all[before].id)
	}
	return nil
}

// replay has what ActionTrail recorded since the beginning looked at again.
func (p *player) replay(ctx context.Context) error {
	for _, region := range p.h.World.Regions {
		lines, ok, err := p.backfill(ctx, "replay", "--since", "2026-01-04T00:00:00Z", "--region", region, "--apply", "--json")
		if err != nil {
			return err
		}
		if !ok {
			p.wrong("a replay in %s failed: %v", region, lines)
		}
	}
	return nil
}
