package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// everyNight is what the sweep's timer sends.
const everyNight = `{"triggerTime":"2026-01-05T19:30:00Z","triggerName":"every-night","payload":""}`

// settling bounds how long, in real time, the world may take to come to rest after a step.
const settling = 3 * time.Minute

// player plays one history.
type player struct {
	*stage.Stage
	h      History
	m      model
	diary  *diary
	bin    string // <function>/main
	dir    string // the history's own folder
	policy string // the path of the policy file
	found  []string
	// regions have a deployment; the policy of the world may guard fewer by now.
	regions []string
	long    map[string]time.Duration // how long passes of functions last
	cut     cut
	stderr  string // what the last command of an operator's said to its terminal
	draft   draft
	pace    float64           // how fast the clock runs while a command does; 0 for the usual
	back    map[string]string // the roles that the undo of now has to give back, by instance
	won     sync.Map          // roles by the ids of instances that others gave them first
	deaths  sync.Map          // functions by the time at which a process of theirs died
}

// Play plays a history and returns what was wrong. An error is one of the driver's own.
func Play(ctx context.Context, h History, o options) (found []string, err error) {
	if o.keep == "" {
		if o.keep, err = os.MkdirTemp("", "fleetwarden-chaos-"); err != nil {
			return nil, fmt.Errorf("playing a history: %w", err)
		}
		defer os.RemoveAll(o.keep)
	}
	dir := o.keep
	policy := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(policy, []byte(h.World.policy()), 0o600); err != nil {
		return nil, fmt.Errorf("playing a history: %w", err)
	}
	s, err := stage.Open(ctx, stage.Options{
		Root: o.root, BinDir: o.bin, LogDir: filepath.Join(dir, "log"), Policy: policy,
		Without: append(h.idle(), o.without...), World: []string{server.Home, server.Another}, Optional: h.World.grants(), Regions: h.World.Regions, Members: h.World.Members, Propagation: time.Duration(h.World.Propagation),
	})
	if err != nil {
		return nil, fmt.Errorf("playing a history: %w", err)
	}
	p := &player{Stage: s, h: h, bin: o.bin, dir: dir, policy: policy, regions: h.World.Regions, long: map[string]time.Duration{}}
	defer func() { err = errors.Join(err, s.Close()) }()
	p.diary = keep(s.Server)
	next := s.Server.Witness()
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		drop := next.Drops(c, after) // the diary sees all
		return p.cut.see(c, after) || drop
	})
	if err := p.furnish(); err != nil {
		return nil, err
	}
	for n, step := range h.Steps {
		if err := p.do(ctx, step); err != nil {
			return nil, fmt.Errorf("step %d, %s: %w", n+1, step, err)
		}
		p.settleRaces()
	}
	err = p.end(ctx)
	return p.found, err
}

// wrong notes something that must not be.
func (p *player) wrong(format string, args ...any) {
	const most = 40
	if len(p.found) < most {
		p.found = append(p.found, fmt.Sprintf(format, args...))
	}
}

// keysOf are those of an account's administrator.
func keysOf(account string) stage.Keys {
	return map[string]stage.Keys{server.Sharer: stage.Operator, server.Sharee: stage.Sharee, server.Member: stage.Member}[account]
}

// call calls an API as the administrator of an account.
func (p *player) call(account, version, action, region string, params map[string]string) (map[string]any, error) {
	if region != "" {
		params["RegionId"] = region
	}
	return p.Call(context.Background(), keysOf(account), version, action, params)
}

// do does a step.
func (p *player) do(ctx context.Context, s Step) error {
	do, ok := actions()[s.Do]
	if !ok {
		return fmt.Errorf("no such step")
	}
	return do(p, ctx, s)
}

// actions are what steps do.
func actions() map[Do]func(*player, context.Context, Step) error {
	return map[Do]func(*player, context.Context, Step) error{
		Launch: (*player).launch, Seed: (*player).seed, Stop: (*player).power, Start: (*player).power, Release: (*player).power,
		Detach: (*player).edit, Attach: (*player).edit, Strip: (*player).strip, Agent: (*player).agents, Tokens: (*player).tokens,
		Share: (*player).share, Unshare: (*player).unshare, Race: (*player).race,
		Forge: (*player).forge, Garbage: (*player).garbage, Claim: (*player).claim, Again: (*player).again,
		Kill: (*player).kill, Jump: (*player).jump, Long: (*player).lengthen, Faults: (*player).fail,
		Plan: (*player).operate, Draft: (*player).operate, Apply: (*player).operate, DryRun: (*player).operate,
		Ask:     func(p *player, ctx context.Context, _ Step) error { return p.askAgain(ctx) },
		Undo:    func(p *player, ctx context.Context, _ Step) error { return p.undoOften(ctx) },
		Dry:     func(p *player, ctx context.Context, _ Step) error { return p.dry(ctx) },
		Redrive: func(p *player, ctx context.Context, _ Step) error { return p.redrive(ctx) },
		Narrow:  func(p *player, ctx context.Context, _ Step) error { return p.narrow(ctx) },
		Night:   func(p *player, ctx context.Context, _ Step) error { return p.night(ctx) },
		Beside:  func(p *player, ctx context.Context, _ Step) error { return p.beside(ctx) },
		Pass:    func(p *player, ctx context.Context, s Step) error { return p.pass(ctx, time.Duration(s.For)) },
	}
}

// fail has calls and events go wrong.
func (p *player) fail(_ context.Context, s Step) error {
	p.m.expect(s, p.now())
	return p.Server.Faults.Set(p.h.Seed, s.Faults, s.Events)
}

// lengthen has passes of a function last.
func (p *player) lengthen(_ context.Context, s Step) error {
	p.long[s.Function] = time.Duration(s.For)
	p.Stack.Lengthen(s.Function, time.Duration(s.For))
	return nil
}

// kinds are what an instance is launched as, by word.
var kinds = map[string]stage.Launch{
	"trusted":  {Type: "ecs.g7t.large", Image: uefiImage, Trusted: "vTPM"},
	"tagged":   {Type: "ecs.g7.large", Image: uefiImage, Trusted: "vTPM"},
	"ordinary": {Type: "ecs.g7.large", Image: uefiImage},
	"sixth":    {Type: "ecs.g6t.large", Image: securedImage},
	"created":  {Type: "ecs.g7t.large", Image: uefiImage},
}

const (
	uefiImage    = "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	securedImage = "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd"
)

// launch launches a group: in calls of a hundred at most, as RunInstances takes them.
func (p *player) launch(ctx context.Context, s Step) error {
	l := kinds[s.Kind]
	if strings.HasPrefix(s.By, stack.Member) && p.m.memberFails() {
		s.By = "" // the faults are for the functions
	}
	var err error
	if l.As, err = p.keysBy(s.account(), s.By); err != nil {
		return err
	}
	l.Region, l.VSwitch, l.Role, l.Tags = s.Region, "vsw-local", called(s.account(), s.Role), tags(s.Tag)
	l.Category, l.Tokens = cmp.Or(s.Disk, "cloud_essd"), "required"
	for left := s.N; left > 0; left -= l.Amount {
		l.Amount = min(left, 100)
		do := p.Run
		if s.Kind == "created" {
			do = p.Create
		}
		ids, err := do(ctx, l)
		if err != nil {
			return err
		}
		p.note(s, ids, true)
	}
	return nil
}

func (p *player) note(s Step, ids []string, live bool) {
	for _, id := range ids {
		i := &instance{
			id: id, account: s.account(), region: s.Region, group: s.Group, kind: s.Kind, tag: s.Tag, live: live, disk: cmp.Or(s.Disk, "cloud_essd"),
			role: called(s.account(), s.Role), began: called(s.account(), s.Role), agent: s.Agent, agentAt: p.now(), assistant: s.Assistant, born: p.now(),
			outside: !slices.Contains(p.h.World.Regions, s.Region),
			left:    len(p.h.World.Regions) < len(p.regions) && s.Region != server.Home,
		}
		if i.judged() {
			if i.disk != "cloud_essd" && i.tag != "waived" && id != firstID {
				i.spans = append(i.spans, span{rule: "system-disk", from: p.now()})
			}
			if i.kind == "created" { // CreateInstance takes neither
				i.spans = append(i.spans, span{rule: "trusted-mode", from: p.now()}, span{rule: "imds", from: p.now()})
			}
		}
		p.m.instances = append(p.m.instances, i)
	}
}

func (p *player) seed(_ context.Context, s Step) error {
	f := ecs.FleetSpec{
		Account: s.account(), Count: s.N, Region: s.Region, InstanceType: kinds[s.Kind].Type, Image: kinds[s.Kind].Image, Role: cmp.Or(called(s.account(), s.Role), "-"), SystemDisk: s.Disk,
		Tags: tags(s.Tag), Agent: s.Agent, Assistant: s.Assistant, NoVTPM: s.Kind == "ordinary",
	}
	if s.Kind == "scaled" {
		f.InstanceType, f.Image = kinds["trusted"].Type, uefiImage
		f.Tags = map[string]string{"acs:autoscaling:scalingGroupId": "asg-1"}
		maps.Copy(f.Tags, tags(s.Tag))
	}
	fleet, err := p.Server.ECS.SeedFleet(f)
	if err != nil {
		return err
	}
	p.note(s, fleet.IDs, false)
	return nil
}

// policies are a role's policies with their types, none where there is no such role.
func (p *player) policies(account, role string) map[string]string {
	answer, err := p.call(account, "2015-05-01", "ListPoliciesForRole", "", map[string]string{"RoleName": role})
	if err != nil {
		return nil
	}
	out := map[string]string{}
	list, _ := answer["Policies"].(map[string]any)
	all, _ := list["Policy"].([]any)
	for _, x := range all {
		item, _ := x.(map[string]any)
		out[fmt.Sprint(item["PolicyName"])] = fmt.Sprint(item["PolicyType"])
	}
	return out
}
