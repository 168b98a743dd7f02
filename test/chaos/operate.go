package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// patience is how long, in real time, a command of the operator's may take.
const patience = 2 * time.Minute

// fleetwarden types a command of the operator's tool, and again if it was cut off.
func (p *player) fleetwarden(ctx context.Context, args ...string) (lines []map[string]any, ok bool, err error) {
	lines, ok, err = p.typed(ctx, "backfill", args...)
	if err != nil {
		return lines, ok, err
	}
	if cut, interrupted := p.cut.took(); cut {
		if interrupted {
			p.checkBare("backfill")
		}
		return p.typed(ctx, "backfill", args...)
	}
	return lines, ok, err
}

// typed runs the operator's tool with the rights of a function, while the cloud's time passes,
// and returns its lines of JSON and whether it ended well.
func (p *player) typed(ctx context.Context, function string, args ...string) (lines []map[string]any, ok bool, err error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	keys, err := p.KeysOf(function)
	if err != nil {
		return nil, false, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, stack.Tool), args...)
	cmd.Env = append(os.Environ(), "ALIBABA_CLOUD_ENDPOINT_URL="+p.Server.URL(),
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+keys.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+keys.Secret, "ALIBABA_CLOUD_SECURITY_TOKEN="+keys.Token,
		"FLEETWARDEN_LEDGER=oss://"+stack.Bucket+"/ledger?region="+server.Home, "FLEETWARDEN_POLICY="+p.policy)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	began := p.now()
	defer func() { p.m.hurried = append(p.m.hurried, span{from: began, to: p.now()}) }()
	following, halt := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Server.World.Clock.Follow(following, cmp.Or(p.pace, 600))
	}()
	if err = cmd.Start(); err == nil {
		p.cut.begin(cmd.Process)
		err = cmd.Wait()
	}
	halt()
	<-done
	p.stderr = said.String()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, false, fmt.Errorf("%q did not end within %s: %s", args, patience, said.String())
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return nil, false, fmt.Errorf("%q: %s", args, said.String())
	case err != nil && !errors.As(err, &exit):
		return nil, false, fmt.Errorf("%q: %w", args, err)
	}
	for d := json.NewDecoder(&out); ; {
		var x map[string]any
		if d.Decode(&x) != nil {
			return lines, err == nil, nil
		}
		lines = append(lines, x)
	}
}

// draft is a plan of the operator's that may be applied.
type draft struct {
	id, control string
	began       time.Time
	roles       map[string]bool // instances whose role it changes
}

// operate plans a control, applies the last plan, or does both; then, if the step says so, it
// undoes what was applied.
func (p *player) operate(ctx context.Context, s Step) error {
	if s.Do != Apply {
		if err := p.plan(ctx, s); err != nil || s.Do == Draft {
			return err
		}
	}
	if p.draft.id == "" {
		return nil
	}
	if s.Do == DryRun {
		return p.applyDry(ctx)
	}
	run, ok, err := p.apply(ctx)
	if err != nil || !ok || !s.Undone || run == "" || p.draft.control != "instance-role" {
		return err
	}
	return p.undo(ctx, run)
}

// plan plans a control. A plan of nothing is no draft.
func (p *player) plan(ctx context.Context, s Step) error {
	p.draft = draft{control: cmp.Or(s.Kind, "instance-role"), began: p.now()}
	lines, _, err := p.fleetwarden(ctx, "plan", "--control", p.draft.control, "--account", s.account(), "--json")
	if err != nil || len(lines) == 0 {
		return err
	}
	text, err := json.Marshal(lines[0]["items"])
	var items []struct {
		ID      string
		Changes []struct{ Kind string }
	}
	if err != nil || json.Unmarshal(text, &items) != nil || len(items) == 0 {
		return err
	}
	p.draft.id, p.draft.roles = fmt.Sprint(lines[0]["id"]), map[string]bool{}
	for _, i := range items {
		for _, c := range i.Changes {
			p.draft.roles[i.ID] = p.draft.roles[i.ID] || c.Kind == "attach-role" || c.Kind == "replace-role"
		}
	}
	return nil
}

func (p *player) applyDry(ctx context.Context) error {
	before := len(p.diary.of(func(d deed) bool { return d.function == "backfill" }))
	_, _, err := p.fleetwarden(ctx, "apply", "--plan", p.draft.id, "--dry-run", "--json")
	if n := len(p.diary.of(func(d deed) bool { return d.function == "backfill" })); n != before {
		p.wrong("a dry run made %d writes", n-before)
	}
	return err
}

// apply applies the plan, and returns its run. What the tool says has to be so.
func (p *player) apply(ctx context.Context) (run string, ok bool, err error) {
	wait := "20s"
	if p.draft.control == "agent" { // what it says is held against how things stand then
		wait, p.pace = "1s", 1
		defer func() { p.pace = 0 }()
	}
	lines, ok, err := p.fleetwarden(ctx, "apply", "--plan", p.draft.id, "--wait", wait, "--json")
	if err != nil {
		return "", false, err
	}
	for _, x := range lines {
		if r, is := x["run"].(string); is {
			run = r
		}
		i := p.m.byID(fmt.Sprint(x["id"]))
		if i == nil || x["kind"] != "instance" {
			continue
		}
		p.checkApplied(p.draft.control, fmt.Sprint(x["state"]), i, p.draft.began)
	}
	return run, ok, nil
}

// checkApplied: where nothing is to do any more, all is right, or a limit holds what follows.
// A plan that has to make the role first may say nothing of the instances' roles.
func (p *player) checkApplied(control, state string, i *instance, began time.Time) {
	now, there := p.Server.ECS.Instance(i.account, i.region, i.id)
	status, sub, _ := p.Server.SAS.Agent(i.account, i.id)
	switch {
	case !there || p.m.faulty:
	case control == "instance-role" && state == "done" && p.draft.roles[i.id] && !p.fit(i.account, now.Role) && !p.limited(i.account, control, began):
		p.wrong("apply said %s of %s, but its role is %q", state, i.id, now.Role)
	case control == "agent" && state == "nothing-to-do" && now.Status == "Running" && status != "online" && sub != "offline" && i.kind != "sixth" && i.kind != "scaled":
		p.wrong("apply said %s of %s, but its agent is %q", state, i.id, status)
	}
}

// redrive redrives the dead letters. Those of the home region may be about any region, and a
// region that is named filters them.
func (p *player) redrive(ctx context.Context) error {
	for _, region := range p.regions {
		args := []string{"redrive", "--apply", "--json"}
		if region != server.Home {
			args = append(args, "--region", region)
		}
		if _, _, err := p.fleetwarden(ctx, args...); err != nil {
			p.wrong("redriving: %v", err)
		}
	}
	return nil
}

// dry sweeps by hand. Where all is at rest, nothing may be changed by that.
func (p *player) dry(ctx context.Context) error {
	quiet, err := p.quiet(ctx, time.Hour)
	if err != nil {
		return err
	}
	before := len(p.diary.of(func(deed) bool { return true }))
	lines, _, err := p.typed(ctx, "sweep", "sweep", "--json")
	if err != nil {
		return err
	}
	if len(lines) == 0 && quiet && !p.m.faulty { // it ends badly, too, where a check has no result
		p.wrong("a sweep by hand found nothing, with nothing in its way: %s", p.stderr)
	}
	if _, err := p.quiet(ctx, 30*time.Minute); err != nil {
		return err
	}
	sweeps := len(p.sweeps())
	all := p.diary.of(func(deed) bool { return true })
	if len(all) > before && quiet && !p.m.faulty && sweeps == 0 {
		p.wrong("a sweep by hand, without --apply, led to %d writes, first %s %s", len(all)-before, all[before].action, all[before].id)
	}
	return nil
}

// replay has what ActionTrail recorded since the beginning looked at again. The first try
// ends early: by the seed, it cannot send after a while, and is resumed, or it is cut off, and
// typed again.
func (p *player) replay(ctx context.Context) error {
	for _, region := range p.regions {
		args := []string{"replay", "--since", "2026-01-04T00:00:00Z", "--region", region, "--apply", "--json"}
		if p.h.Seed%2 == 0 {
			resume, err := p.deniedReplay(ctx, args)
			if err != nil {
				return err
			}
			if args = resume; args == nil {
				continue
			}
		} else {
			p.cut.arm(&Step{Action: "BatchSendMessage", Call: 1 + int(p.h.Seed/2%4), After: p.h.Seed/8%2 == 0})
		}
		lines, ok, err := p.fleetwarden(ctx, args...)
		p.cut.arm(nil)
		if err != nil {
			return err
		}
		if !ok {
			p.wrong("a replay in %s failed, with nothing in its way: %v", region, lines)
		}
	}
	return nil
}

// deniedReplay replays, and may not send after a while. It returns how to resume; nil if the
// replay ended before.
func (p *player) deniedReplay(ctx context.Context, args []string) (resume []string, err error) {
	fault := simcloud.Fault{Role: "fleetwarden-backfill", Product: "mns", Kind: simcloud.Deny, Skip: int(p.h.Seed % 5)}
	if err := p.Server.Faults.Set(0, []simcloud.Fault{fault}, simcloud.EventFaults{}); err != nil {
		return nil, err
	}
	_, ok, err := p.fleetwarden(ctx, args...)
	if e := p.Server.Faults.Set(0, nil, simcloud.EventFaults{}); ok || err != nil || e != nil {
		return nil, errors.Join(err, e)
	}
	if m := resumes.FindStringSubmatch(p.stderr); m != nil {
		return []string{"replay", "--resume", m[1], "--apply", "--json"}, nil
	}
	return args, nil
}

// resumes is how a command says how to resume it.
var resumes = regexp.MustCompile(`--resume ([a-z]+-[0-9TZa-z-]+)`)
