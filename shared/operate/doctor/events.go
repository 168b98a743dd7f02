package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

// wantedRules are the event rules of the records in the deployed regions.
func (x *examination) wantedRules(ctx context.Context) (out []deployment.Rule, problems []Problem) {
	regions, err := x.regions(ctx)
	all, _ := x.deployments(ctx) // its error is that of regions
	for _, region := range regions {
		r, ok := all[region]
		if !ok && err == nil {
			problems = append(problems, uncompared("what fills the queues of "+string(region), region, "rules"))
		}
		out = append(out, r.Rules...)
	}
	return out, append(problems, x.unknown(err)...)
}

func eventRules(ctx context.Context, x *examination) answer {
	all, problems := x.wantedRules(ctx)
	return answer{says: fmt.Sprintf("%d of them", len(all)), problems: append(problems, each(all, func(w deployment.Rule) (out []Problem) {
		have, err := x.rule(ctx, w)
		switch {
		case err != nil:
			return one(unread(w.String(), w.Region, w.Name, err))
		case have == nil:
			return one(Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: w.String() + " does not exist", Mend: x.deploy(w.Region)})
		}
		if have.Status != w.Status {
			out = append(out, Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: fmt.Sprintf("%s has status %s, not %s", w, have.Status, w.Status),
				Mend: fmt.Sprintf("aliyun eventbridge EnableRule --EventBusName %s --RuleName %s --region %s", w.Bus, w.Name, w.Region)})
			have = new(*have)
			have.Status = w.Status
		}
		for _, says := range w.Differences(*have) {
			out = append(out, Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: cut(says), Mend: x.deploy(w.Region)})
		}
		return out
	})...)}
}

// trial is a pattern, and a sample that it is there for.
type trial struct {
	region                        fleet.Region
	whose, pattern, sample, event string
}

// eventPatterns tries the existing patterns of home, on the bus of the account itself: those
// of other regions are the same if event-rules and triggers are well.
func eventPatterns(ctx context.Context, x *examination) answer {
	trials, problems := x.trials(ctx)
	if len(trials) == 0 && len(problems) == 0 {
		return answer{problems: one(Problem{Result: Unread, Says: "not tried: no deployment is recorded", Mend: "see deployment-recorded"})}
	}
	problems = append(problems, each(trials, func(t trial) []Problem {
		ok, err := read(ctx, x, func(ctx context.Context) (bool, error) { return x.Rules(t.region).Matches(ctx, t.event, t.pattern) })
		switch {
		case err != nil:
			return one(unread("what "+t.whose+" delivers", t.region, t.whose, err))
		case !ok:
			return one(Problem{Result: Fail, Region: t.region, ID: t.whose, Says: fmt.Sprintf("%s does not deliver the sample %s", t.whose, t.sample), Mend: x.deploy(t.region)})
		}
		return nil
	})...)
	return answer{says: fmt.Sprintf("%d samples", len(trials)), problems: problems}
}

func (x *examination) trials(ctx context.Context) (out []trial, problems []Problem) {
	add := func(region fleet.Region, whose, rule, pattern string) {
		for _, sample := range x.Files.Delivered[rule] {
			out = append(out, trial{region, whose, pattern, sample, x.Files.Samples[sample]})
		}
	}
	seen := map[string]bool{} // several rules have one pattern
	rules, problems := x.wantedRules(ctx)
	for _, w := range rules {
		if w.Region != x.Home || w.Bus != fleet.DefaultBus {
			continue
		}
		have, err := x.rule(ctx, w)
		switch {
		case err != nil:
			problems = append(problems, unread(w.String(), w.Region, w.Name, err))
		case have != nil && !seen[have.Pattern]:
			seen[have.Pattern] = true
			rule, _, _ := strings.Cut(strings.TrimPrefix(w.Name, fleet.Prefix), "-to-")
			add(w.Region, "event rule "+w.Name, rule, have.Pattern)
		}
	}
	functions, _ := x.wanted(ctx) // its problem is that of the rules
	for _, w := range functions {
		if w.Region != x.Home {
			continue
		}
		have, err := x.function(ctx, w)
		if err != nil {
			problems = append(problems, unread(w.String(), w.Region, w.Name, err))
		}
		if err != nil || have == nil {
			continue
		}
		for name, t := range have.Triggers {
			if pattern := patternOf(t); pattern != "" && !seen[name+pattern] {
				seen[name+pattern] = true
				add(w.Region, "trigger "+name+" of "+w.Name, name, pattern)
			}
		}
	}
	slices.SortFunc(out, func(a, b trial) int { return strings.Compare(a.whose+a.sample, b.whose+b.sample) })
	return out, problems
}

// patternOf is the event pattern of a trigger; empty if it has none.
func patternOf(t deployment.Trigger) string {
	var config struct {
		Pattern string `json:"eventRuleFilterPattern"`
	}
	if json.Unmarshal([]byte(t.Config), &config) != nil {
		return ""
	}
	return config.Pattern
}
