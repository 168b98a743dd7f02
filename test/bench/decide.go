package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// said is what was decided about one instance: by rule, the outcome and the kinds of
// changes after it.
type said map[string]string

// decider is another engine with the same rules written for it. It takes what facts
// made of an instance.
type decider func(instance any) (said, error)

// decide measures both controls on a batch of 100, and lets OPA and CEL decide the
// same. All have to agree on random worlds, in which everything occurs.
func (s *summary) decide(ctx context.Context, n sizes) error {
	opa, err := newOPA(ctx)
	if err != nil {
		return err
	}
	cel, err := newCEL()
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n.worlds {
		sc := randomScene(r)
		if err := sc.agree(map[string]engine{"OPA": opa, "CEL": cel}); err != nil {
			return err
		}
		s.DecideCompared += len(sc.world.Instances)
	}
	return s.timeDeciders(typicalScene(), opa, cel, n)
}

// engine makes a decider's own form of the facts, which takes no part in the
// measured time, and decides.
type engine struct {
	prepare func(facts map[string]any) (any, error)
	decide  decider
}

func (s *summary) timeDeciders(sc scene, opa, cel engine, n sizes) error {
	jobs := []job{func() error {
		instances.Role(sc.world, sc.policy)
		instances.TrustedInstance(sc.world, sc.policy)
		return nil
	}}
	for _, e := range []engine{opa, cel} {
		var prepared []any
		for i := range sc.world.Instances {
			x, err := e.prepare(sc.facts(&sc.world.Instances[i]))
			if err != nil {
				return err
			}
			prepared = append(prepared, x)
		}
		jobs = append(jobs, func() error {
			for _, x := range prepared {
				if _, err := e.decide(x); err != nil {
					return err
				}
			}
			return nil
		})
	}
	times, ratios, err := beside(n.rounds, 4, jobs...)
	if err != nil {
		return err
	}
	each := time.Duration(len(sc.world.Instances))
	s.DecideNS = float64(times[0] / each)
	s.DecidePeers["opa"] = decidePeer{float64(times[1] / each), 1 / ratios[1]}
	s.DecidePeers["cel"] = decidePeer{float64(times[2] / each), 1 / ratios[2]}
	return nil
}

func ours(sc scene) []fleet.Verdict {
	return append(instances.Role(sc.world, sc.policy), instances.TrustedInstance(sc.world, sc.policy)...)
}

// agree compares what all engines say about each instance of a scene.
func (sc scene) agree(engines map[string]engine) error {
	want := map[string]said{}
	for _, v := range ours(sc) {
		name := v.Rule
		if name == policy.RuleInstance {
			name = v.Control + "/" + name // each control has one of that name
		}
		text := string(v.Outcome)
		for _, c := range v.Changes {
			text += " " + string(c.Kind)
		}
		if want[v.Ref.ID] == nil {
			want[v.Ref.ID] = said{}
		}
		want[v.Ref.ID][name] = text
	}
	for i := range sc.world.Instances {
		facts := sc.facts(&sc.world.Instances[i])
		for name, e := range engines {
			x, err := e.prepare(facts)
			if err != nil {
				return err
			}
			got, err := e.decide(x)
			if err != nil {
				return fmt.Errorf("deciding with %s: %w", name, err)
			}
			if id := sc.world.Instances[i].Ref.ID; !maps.Equal(got, want[id]) {
				return fmt.Errorf("%s says %v, we say %v, of %v", name, got, want[id], facts)
			}
		}
	}
	return nil
}

// facts are what the engines decide from: plain maps. A role is judged already,
// which spares them the RAM documents; our own time has them in it.
func (sc scene) facts(i *fleet.Instance) map[string]any {
	l, p := i.Listed.V, sc.policy
	first := i.Ref.Try.FirstSeen
	if first.IsZero() {
		first = sc.world.At
	}
	tags := map[string]any{}
	for k, v := range l.Tags {
		tags[k] = v
	}
	families := make([]any, len(p.TrustedInstance.Families))
	for k, f := range p.TrustedInstance.Families {
		families[k] = f.Name
	}
	return map[string]any{
		"i": map[string]any{
			"gone": i.Gone.Seen() && i.Gone.V, "listed": i.Listed.Seen(), "sinceFirst": seconds(sc.world.At.Sub(first)), "age": seconds(sc.world.At.Sub(l.Created)),
			"family": strings.TrimPrefix(l.Family, "ecs."), "tags": tags, "vpc": l.VPC, "classic": l.Classic, "tokens": l.HTTPTokens,
			"role":  map[string]any{"known": i.RoleName.Seen(), "name": i.RoleName.V, "is": sc.roles[i.RoleName.V].facts()},
			"disk":  map[string]any{"known": i.SystemDisk.Seen(), "category": i.SystemDisk.V},
			"image": map[string]any{"known": i.Image.Seen(), "gone": i.Image.V.Gone, "id": i.Image.V.ID, "owner": i.Image.V.Owner, "boot": i.Image.V.BootMode},
			"call":  callFacts(i.Ref.Call),
		},
		"p": map[string]any{
			"require": p.TrustedInstance.Require, "families": families, "disks": []any{p.TrustedInstance.SystemDisk[0]},
			"conflict": p.InstanceRole.Conflict, "attachAfter": seconds(p.InstanceRole.AttachAfter), "role": p.InstanceRole.Role,
		},
		"own": sc.roles[policy.SystrustRole].facts(),
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// callFacts are the facts of a launch. The rules ask for nothing of another call, which counts
// as not "there".
func callFacts(c *fleet.Call) map[string]any {
	if c == nil || c.Launch == nil {
		c = &fleet.Call{}
	}
	l := c.Launch
	if l == nil {
		l = &fleet.Launch{}
	}
	return map[string]any{
		"there": c.Launch != nil, "mode": l.TrustedSystemMode, "confidential": l.ConfidentialComputingMode,
		"category": l.SystemDiskCategory, "hardening": l.SecurityEnhancementStrategy, "template": l.FromTemplate(),
	}
}
