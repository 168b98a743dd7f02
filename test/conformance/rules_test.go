package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	v1bridge "github.com/aliyun/alibaba-cloud-sdk-go/services/eventbridge"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

const bridge = "2020-04-01"

func inbox() mns.Queue {
	return mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-inbox"}
}

// toInbox is a target as the Terraform provider sends it.
const toInbox = `[{"Id":"fleetwarden-inbox","Type":"acs.mns.queue","Endpoint":"acs:mns:cn-hangzhou:1000000000000001:queues/fleetwarden-inbox",` +
	`"PushRetryStrategy":"EXPONENTIAL_DECAY_RETRY","DeadLetterQueue":{"Arn":"acs:mns:cn-hangzhou:1000000000000001:/queues/fleetwarden-inbox"},` +
	`"ParamList":[{"ResourceKey":"queue","Form":"CONSTANT","Value":"fleetwarden-inbox"},{"ResourceKey":"Body","Form":"ORIGINAL"}]}]`

func ruleOf(more map[string]any) map[string]any {
	out := map[string]any{"EventBusName": "default", "RuleName": "fleetwarden-running"}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// bridgeCloud has a queue and a rule that fills it.
func bridgeCloud(t *testing.T) plane {
	c := newCloud(t, server.Options{})
	withRule(c)
	return plane{c, sharerAdmin, bridge}
}

func withRule(c *cloud) {
	_, err := c.MNS.Create(inbox(), mns.Defaults())
	c.ok(err)
	plane{c, sharerAdmin, bridge}.must("CreateRule", ruleOf(map[string]any{"FilterPattern": `{"type":["test:Running"]}`, "EventTargets": toInbox}),
		`"Code":"Success"`, `acs:eventbridge:cn-hangzhou:1000000000000001:eventbus/default/rule/fleetwarden-running`)
}

// arrives reports whether an event comes into the queue.
func (p plane) arrives(kind string) bool {
	p.t.Helper()
	before := p.MNS.Visible(inbox())
	p.World.Publish(simcloud.Event{Account: server.Sharer, Region: server.Home, Source: "acs.test", Type: kind})
	p.pass(5 * time.Second)
	return p.MNS.Visible(inbox()) > before
}

func TestARuleDeliversWhileItIsEnabled(t *testing.T) {
	p := bridgeCloud(t)
	steps := []struct {
		action string
		more   map[string]any
		want   bool
	}{
		{"GetRule", nil, true},
		{"DisableRule", nil, false},
		{"EnableRule", nil, true},
		{"UpdateRule", map[string]any{"FilterPattern": `{"type":["test:Other"]}`}, false},
		{"UpdateRule", map[string]any{"FilterPattern": `{"type":["test:Running"]}`, "Status": "DISABLE"}, false},
		{"UpdateRule", map[string]any{"FilterPattern": `{"type":["test:Running"]}`, "Status": "ENABLE"}, true},
		{"PutTargets", map[string]any{"Targets": toInbox}, true},
		{"DeleteRule", nil, false},
	}
	for _, s := range steps {
		p.must(s.action, ruleOf(s.more), `"Success":true`)
		if got := p.arrives("test:Running"); got != s.want {
			t.Errorf("after %s %v: an event arrives: %v, want %v", s.action, s.more, got, s.want)
		}
	}
	p.must("GetRule", ruleOf(nil), `"Code":"EventRuleNotExisted"`, `"Success":false`)
}

func TestARuleShowsAsItWasMade(t *testing.T) {
	p := bridgeCloud(t)
	api, err := v1bridge.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	p.ok(err)
	q := v1bridge.CreateListRulesRequest()
	q.Domain, q.EventBusName, q.RuleNamePrefix = p.host(), "default", "fleetwarden-"
	list, err := api.ListRules(q)
	p.ok(err)
	r := list.Data.Rules[0]
	x := r.Targets[0]
	if list.Data.Total != 1 || r.Status != "ENABLE" || r.FilterPattern != `{"type":["test:Running"]}` || x.Id != "fleetwarden-inbox" || x.Type != "acs.mns.queue" ||
		x.DeadLetterQueue.Arn == "" || x.PushRetryStrategy != "EXPONENTIAL_DECAY_RETRY" || len(x.ParamList) != 2 {
		t.Errorf("got %+v", r)
	}
	p.must("ListTargets", ruleOf(nil), `"Endpoint":"acs:mns:cn-hangzhou:1000000000000001:queues/fleetwarden-inbox"`, `"Total":1`)
	p.must("ListTargets", map[string]any{"Arn": "acs:mns:cn-hangzhou:1000000000000001:queues/other"}, `"Total":0`)
}

func TestRulesAreListedInPages(t *testing.T) {
	p := bridgeCloud(t)
	p.must("CreateRule", map[string]any{"EventBusName": "default", "RuleName": "a", "FilterPattern": "{}"})
	first := p.must("ListRules", map[string]any{"EventBusName": "default", "Limit": 1}, `"RuleName":"a"`, `"NextToken":"a"`, `"Total":2`)
	if strings.Contains(first, "fleetwarden-running") {
		t.Errorf("two on a page of one: %s", first)
	}
	p.must("ListRules", map[string]any{"EventBusName": "default", "Limit": 1, "NextToken": "a"}, "fleetwarden-running")
}

func TestWhatARuleCannotBeIsRefused(t *testing.T) {
	p := bridgeCloud(t)
	target := func(old, new string) map[string]any {
		return ruleOf(map[string]any{"Targets": strings.Replace(toInbox, old, new, 1)})
	}
	for name, x := range map[string]struct {
		action string
		params map[string]any
		code   string
	}{
		"a rule twice":         {"CreateRule", ruleOf(map[string]any{"FilterPattern": "{}"}), "EventRuleExisted"},
		"another bus":          {"GetRule", map[string]any{"EventBusName": "mine", "RuleName": "r"}, "EventBusNotExist"},
		"no such rule":         {"EnableRule", map[string]any{"EventBusName": "default", "RuleName": "r"}, "EventRuleNotExisted"},
		"a bad pattern":        {"UpdateRule", ruleOf(map[string]any{"FilterPattern": `{"type":"x"}`}), "InvalidArgument"},
		"a bad status":         {"UpdateRule", ruleOf(map[string]any{"FilterPattern": `{}`, "Status": "ON"}), "InvalidArgument"},
		"a limit of 101":       {"ListRules", map[string]any{"EventBusName": "default", "Limit": 101}, "InvalidArgument"},
		"another type":         {"PutTargets", target("acs.mns.queue", "http"), "InvalidArgument"},
		"an unknown member":    {"PutTargets", target(`"Id"`, `"Moon":1,"Id"`), "InvalidArgument"},
		"another's queue":      {"PutTargets", target("1000000000000001:queues", "1000000000000002:queues"), "InvalidArgument"},
		"a part of the event":  {"PutTargets", target("ORIGINAL", "JSONPATH"), "InvalidArgument"},
		"a strategy unknown":   {"PutTargets", target("EXPONENTIAL_DECAY_RETRY", "NEVER"), "InvalidArgument"},
		"six targets":          {"PutTargets", ruleOf(map[string]any{"Targets": many(6)}), "EventRuleTargetsCountExceedLimit"},
		"a product unknown":    {"CheckServiceLinkedRoleForProduct", map[string]any{"ProductName": "moon"}, "InvalidArgument"},
		"a pattern unreadable": {"TestEventPattern", map[string]any{"Event": "{}", "EventPattern": "["}, "InvalidArgument"},
	} {
		t.Run(name, func(t *testing.T) {
			p.must(x.action, x.params, `"Code":"`+x.code+`"`, `"Success":false`)
		})
	}
	p.refused("GetRule", ruleOf(map[string]any{"Moon": "1"}), 400, "InvalidParameter")
	p.refused("GetRule", map[string]any{"EventBusName": "default"}, 400, "MissingParameter")
}

func many(n int) string {
	one := strings.TrimSuffix(strings.TrimPrefix(toInbox, "["), "]")
	var all []string
	for i := range n {
		all = append(all, strings.Replace(one, `"Id":"fleetwarden-inbox"`, `"Id":"t`+string(rune('0'+i))+`"`, 1))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func TestAPatternIsTestedAgainstAnEvent(t *testing.T) {
	p := bridgeCloud(t)
	event := `{"source":"acs.ecs","type":"ecs:Instance:StateChange"}`
	p.must("TestEventPattern", map[string]any{"Event": event, "EventPattern": `{"source":["acs.ecs"]}`}, `"Result":true`)
	p.must("TestEventPattern", map[string]any{"Event": event, "EventPattern": `{"source":["acs.oss"]}`}, `"Result":false`)
}

// TestARuleWithoutItsServiceLinkedRoleDeliversNothing is why a deployment makes them.
func TestARuleWithoutItsServiceLinkedRoleDeliversNothing(t *testing.T) {
	for role, x := range map[string]struct {
		kind   string
		needed bool
	}{
		eventbridge.RoleToQueue:    {"test:Running", true},
		eventbridge.RoleFromTrail:  {"ecs:ActionTrail:ApiCall", true},
		eventbridge.RoleToFunction: {"test:Running", false},
	} {
		t.Run(role, func(t *testing.T) {
			p := bridgeCloud(t)
			p.must("UpdateRule", ruleOf(map[string]any{"FilterPattern": "{}"}))
			p.must("CheckServiceLinkedRoleForProduct", map[string]any{"ProductName": role}, `"CheckPass":true`)
			p.ServiceRoles.Remove(server.Sharer, role)
			p.must("CheckServiceLinkedRoleForProduct", map[string]any{"ProductName": role}, `"CheckPass":false`)
			if got := p.arrives(x.kind); got == x.needed {
				t.Errorf("without the role an event arrives: %v", got)
			}
			p.ok(p.ServiceRoles.Ensure(server.Sharer, role))
			if !p.arrives(x.kind) {
				t.Error("with the role again no event arrives")
			}
		})
	}
}

// traced are the events of arrives on a bus, and what became of each, as the older SDK reads them.
func (p plane) traced(bus string, from, to time.Time, rule string) (events []v1bridge.EventsItem, steps func(id string) []v1bridge.DataItem) {
	p.t.Helper()
	api, err := v1bridge.NewClientWithOptions(server.Home, older(), credentialOf(p.who))
	p.ok(err)
	q := v1bridge.CreateQueryTracedEventsRequest()
	q.Domain, q.EventBusName, q.EventSource, q.MatchedRule = p.host(), bus, "acs.test", rule
	q.StartTime, q.EndTime = requests.NewInteger64(from.UnixMilli()), requests.NewInteger64(to.UnixMilli())
	list, err := api.QueryTracedEvents(q)
	p.ok(err)
	return list.Data.Events, func(id string) []v1bridge.DataItem {
		p.t.Helper()
		q := v1bridge.CreateQueryEventTracesRequest()
		q.Domain, q.EventBusName, q.EventId = p.host(), bus, id
		got, err := api.QueryEventTraces(q)
		p.ok(err)
		return got.Data
	}
}

func TestTheBusTracesWhatBecameOfAnEvent(t *testing.T) {
	p := bridgeCloud(t)
	began := p.World.Clock.Now()
	if !p.arrives("test:Running") || p.arrives("test:Other") {
		t.Fatal("the rule does not deliver what it should")
	}
	now := p.World.Clock.Now()
	all, _ := p.traced("default", began, now, "")
	fit, steps := p.traced("default", began, now, "fleetwarden-running")
	if len(all) != 2 || len(fit) != 1 || fit[0] != all[0] {
		t.Fatalf("all %+v, of the rule %+v", all, fit)
	}
	received := began.Add(time.Second).UnixMilli()
	if e := fit[0]; e.EventSource != "acs.test" || e.EventType != "test:Running" || e.EventBusName != "default" || e.EventReceivedTime != received {
		t.Errorf("got %+v", e)
	}
	var got []string
	for _, x := range steps(fit[0].EventId) {
		got = append(got, fmt.Sprint(x.Action, " ", x.ActionTime-received, " ", x.RuleName, " ", x.Endpoint, " ", x.NotifyStatus, " ", x.NotifyLatency))
	}
	want := []string{"PutEvent 0    ", "FilterEvent 0 fleetwarden-running   ",
		"PushEvent 0 fleetwarden-running acs:mns:cn-hangzhou:1000000000000001:queues/fleetwarden-inbox [200]Ok 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(steps(all[1].EventId)) != 1 || len(steps("none")) != 0 {
		t.Errorf("no rule matched: %+v; unknown: %+v", steps(all[1].EventId), steps("none"))
	}
	if earlier, _ := p.traced("default", began, began, ""); len(earlier) != 0 {
		t.Errorf("before it came: %+v", earlier)
	}
}

func TestAFailedPushIsTracedWithEachTry(t *testing.T) {
	p := bridgeCloud(t)
	p.ok(p.MNS.Drop(inbox()))
	began := p.World.Clock.Now()
	p.arrives("test:Running")
	events, steps := p.traced("default", began, p.World.Clock.Now(), "fleetwarden-running")
	if len(events) != 1 {
		t.Fatalf("events %+v", events)
	}
	pushes := 0
	for _, x := range steps(events[0].EventId) {
		if x.Action == "PushEvent" {
			pushes++
			if !strings.HasPrefix(x.NotifyStatus, "[404]") || x.NotifyTime != x.ActionTime {
				t.Errorf("got %+v", x)
			}
		}
	}
	if pushes < 2 {
		t.Errorf("%d pushes in 5 s of doubling waits", pushes)
	}
	p.ServiceRoles.Remove(server.Sharer, eventbridge.RoleToQueue)
	p.arrives("test:Running")
	events, steps = p.traced("default", began, p.World.Clock.Now(), "")
	if last := steps(events[1].EventId); len(last) != 3 || !strings.HasPrefix(last[2].NotifyStatus, "[403]") {
		t.Errorf("without the role: %+v", last)
	}
	p.ServiceRoles.Remove(server.Sharer, eventbridge.RoleFromTrail)
	p.arrives("ecs:ActionTrail:ApiCall")
	if events, _ = p.traced("default", began, p.World.Clock.Now(), ""); len(events) != 2 {
		t.Errorf("an event of the trail came without the role: %+v", events)
	}
}

func TestTracedEventsComeInPages(t *testing.T) {
	p := bridgeCloud(t)
	for range 3 {
		p.arrives("test:Running")
	}
	page := map[string]any{"EventBusName": "default", "StartTime": 0, "EndTime": p.World.Clock.Now().UnixMilli(), "EventSource": "acs.test", "EventType": "test:Running", "Limit": 2}
	first := p.must("QueryTracedEvents", page, `"Total":3`)
	_, token, ok := strings.Cut(first, `"NextToken":"`)
	token, _, _ = strings.Cut(token, `"`)
	if strings.Count(first, `"EventId"`) != 2 || !ok {
		t.Fatalf("got %s", first)
	}
	page["NextToken"] = token
	if rest := p.must("QueryTracedEvents", page); strings.Count(rest, `"EventId"`) != 1 || strings.Contains(rest, "NextToken") {
		t.Errorf("got %s", rest)
	}
	for code, params := range map[string]map[string]any{
		"EventBusNotExist": {"EventBusName": "mine", "StartTime": 0, "EndTime": 1},
		"InvalidArgument":  {"EventBusName": "default", "StartTime": 2, "EndTime": 1},
	} {
		p.must("QueryTracedEvents", params, `"Code":"`+code+`"`, `"Success":false`)
	}
	p.must("QueryTracedEvents", map[string]any{"EventBusName": "default", "StartTime": 0, "EndTime": 1, "Limit": 101}, `"Code":"InvalidArgument"`)
	p.must("QueryEventTraces", map[string]any{"EventBusName": "mine", "EventId": "x"}, `"Code":"EventBusNotExist"`)
}

func TestTracesNeedTheirRights(t *testing.T) {
	needsRights(t, bridge, withRule, "acs:eventbridge:*:*:eventbus/default", map[string]map[string]any{
		"eventbridge:QueryTracedEvents": {"EventBusName": "default", "StartTime": 0, "EndTime": 1},
		"eventbridge:QueryEventTraces":  {"EventBusName": "default", "EventId": "x"},
	}, "")
}

func TestRulesNeedTheirRights(t *testing.T) {
	const rule = "acs:eventbridge:*:*:eventbus/default/rule/*"
	needsRights(t, bridge, withRule, rule, map[string]map[string]any{
		"eventbridge:ListRules":   {"EventBusName": "default"},
		"eventbridge:GetRule":     ruleOf(nil),
		"eventbridge:ListTargets": ruleOf(nil),
		"eventbridge:CreateRule":  {"EventBusName": "default", "RuleName": "new", "FilterPattern": "{}"},
		"eventbridge:UpdateRule":  ruleOf(map[string]any{"FilterPattern": "{}"}),
		"eventbridge:EnableRule":  ruleOf(nil),
		"eventbridge:DisableRule": ruleOf(nil),
		"eventbridge:DeleteRule":  ruleOf(nil),
		"eventbridge:PutTargets":  ruleOf(map[string]any{"Targets": toInbox}),
	}, "")
	needsRights(t, bridge, withRule, "*", map[string]map[string]any{
		"eventbridge:TestEventPattern":                 {"Event": "{}", "EventPattern": "{}"},
		"eventbridge:CheckServiceLinkedRoleForProduct": {"ProductName": eventbridge.RoleToQueue},
	}, "")
}
