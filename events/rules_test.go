package events_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
var ruleOf = map[events.Kind]string{
	events.KindLaunch: "launches", events.KindImageShare: "image-shares",
	events.KindResourceShare: "resource-shares", events.KindShareStatus: "resource-shares",
	events.KindStateChange: "instance-running", events.KindFirstHeartbeat: "first-heartbeat", events.KindTaskCompleted: "command-completed",
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
			want := len(ev.Refs) > 0 && ruleOf[ev.Kind] == rule && (ev.Kind != events.KindStateChange || ev.State == "Running")
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
