package conformance_test

import (
	"strings"
	"testing"
	"time"

	v1bridge "github.com/aliyun/alibaba-cloud-sdk-go/services/eventbridge"

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
