package events_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

const rules = "../deploy/eventrules"

// The rule and the decoder know the same calls, and the rule has room for one more.
func TestTheRuleOfLaunchesNamesEachCallThatCreatesInstances(t *testing.T) {
	var rule struct {
		Source, Type []string
		Data         struct{ EventName []string }
	}
	if err := json.Unmarshal(read(t, filepath.Join(rules, "launches.json")), &rule); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range fleet.LaunchCalls() {
		want = append(want, c.Event)
	}
	if diff := cmp.Diff(want, rule.Data.EventName); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{fleet.LaunchSource}, rule.Source); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ecs:ActionTrail:ApiCall", "ecs:ActionTrail:ConsoleOperation", "ecs:ActionTrail:AliyunServiceEvent"}, rule.Type); diff != "" {
		t.Error(diff)
	}
}

// ruleOf is the rule that delivers the events of a kind.
var ruleOf = map[fleet.EventKind]string{
	fleet.EventLaunch: "launches", fleet.EventImageShare: "image-shares",
	fleet.EventResourceShare: "resource-shares", fleet.EventShareStatus: "resource-shares",
	fleet.EventStateChange: "instance-running", fleet.EventFirstHeartbeat: "first-heartbeat", fleet.EventTaskCompleted: "command-completed",
}

// A sample that names something is delivered by the rule of its kind, and no rule
// delivers what the decoder does not know.
func TestEverySampleIsDeliveredByTheRuleOfItsKindAlone(t *testing.T) {
	patterns := map[string]*eventbridge.Pattern{}
	for _, name := range ruleOf {
		p, err := eventbridge.ParsePattern(read(t, filepath.Join(rules, name+".json")))
		if err != nil {
			t.Fatal(err)
		}
		patterns[name] = p
	}
	if files, err := filepath.Glob(rules + "/*.json"); err != nil || len(files) != len(patterns) {
		t.Errorf("%d rules and patterns of %d: %v", len(files), len(patterns), err)
	}
	matched := map[string]int{}
	for name, payload := range payloads(t, "samples") {
		evs, _ := all(string(payload))
		if len(evs) != 1 || !strings.Contains(string(payload[:min(len(payload), 400)]), `"specversion"`) || payload[0] != '{' || strings.Contains(string(payload), "mns:Queue") {
			continue
		}
		ev := evs[0]
		for rule, p := range patterns {
			got := p.Match(payload)
			want := len(ev.Refs) > 0 && ruleOf[ev.Kind] == rule && (ev.Kind != fleet.EventStateChange || strings.Contains(string(payload), `"state": "Running"`))
			if got && ruleOf[ev.Kind] != rule || want && !got {
				t.Errorf("%s, of kind %s: rule %s matches: %v", name, ev.Kind, rule, got)
			}
			if got {
				matched[rule]++
			}
		}
	}
	for rule := range patterns {
		if matched[rule] == 0 {
			t.Errorf("no sample is delivered by %s", rule)
		}
	}
}

// The samples that the doctor has EventBridge try are delivered by their rules.
func TestEachRuleHasASampleThatItDelivers(t *testing.T) {
	tried := map[string]int{}
	for _, s := range events.Samples() {
		p, err := eventbridge.ParsePattern(read(t, filepath.Join(rules, s.Rule+".json")))
		if err != nil || !p.Match([]byte(s.Text)) {
			t.Errorf("%s is not delivered by %s: %v", s.Name, s.Rule, err)
		}
		tried[s.Rule]++
	}
	for _, name := range ruleOf {
		if tried[name] == 0 {
			t.Errorf("there is no sample for %s", name)
		}
	}
}

// A function handles all events that the bus of a region delivers to it, and so do replay and
// redrive. Beside them it handles its timer, its inbox, and shares, which watch-shares passes on.
func TestEachFunctionHandlesTheKindsThatTheRulesDeliver(t *testing.T) {
	const region = "cn-hangzhou"
	m, err := manifest.Load("../s.yaml", manifest.Options{Account: "1000000000000001", Env: func(string) (string, bool) { return region, true }})
	if err != nil {
		t.Fatal(err)
	}
	queues, err := manifest.Queues("../deploy", region, region)
	if err != nil {
		t.Fatal(err)
	}
	delivered := map[string][]fleet.EventKind{}
	add := func(function, rule string) {
		for kind, of := range ruleOf {
			if of == rule && !slices.Contains(delivered[function], kind) {
				delivered[function] = append(delivered[function], kind)
			}
		}
	}
	for _, q := range queues {
		function, _ := fleet.FunctionOf(q.Name)
		for _, rule := range slices.Concat(q.EventRules, q.MemberRules) {
			add(function, rule)
		}
	}
	for function, r := range m.Resources {
		for _, tr := range r.Props.Triggers {
			for _, rule := range ruleOf {
				if tr.EventBridge != nil && tr.EventBridge.EventRuleFilterPattern == string(read(t, filepath.Join(rules, rule+".json"))) {
					add(function, rule)
				}
			}
		}
	}
	for _, f := range fleet.Functions() {
		want := slices.DeleteFunc(slices.Clone(f.Events), func(k fleet.EventKind) bool {
			return k == fleet.EventTimer || k == fleet.EventMessage
		})
		if f.Name == fleet.FunctionSetupShareRole {
			want = []fleet.EventKind{fleet.EventImageShare}
		}
		slices.Sort(want)
		slices.Sort(delivered[f.Name])
		if !slices.Equal(want, delivered[f.Name]) {
			t.Errorf("%s handles %v, and the rules deliver %v", f.Name, want, delivered[f.Name])
		}
	}
}
