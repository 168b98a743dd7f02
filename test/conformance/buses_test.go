package conformance_test

import (
	"strings"
	"testing"
	"time"

	v1bridge "github.com/aliyun/alibaba-cloud-sdk-go/services/eventbridge"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

const membersBus = "fleetwarden-members"

func busOf(more map[string]any) map[string]any {
	out := map[string]any{"EventBusName": membersBus}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func withBus(c *cloud) {
	plane{c, sharerAdmin, bridge}.must("CreateEventBus", busOf(map[string]any{"Description": "one", "ClientToken": "t"}),
		`"EventBusARN":"acs:eventbridge:cn-hangzhou:1000000000000001:eventbus/fleetwarden-members"`)
}

func TestABusIsMadeShownChangedAndDeleted(t *testing.T) {
	c := newCloud(t, server.Options{})
	p := plane{c, sharerAdmin, bridge}
	p.must("GetEventBus", busOf(nil), `"Success":false`, `"Code":"EventBusNotExist"`)
	withBus(c)
	p.must("CreateEventBus", busOf(nil), `"Code":"EventBusExisted"`)
	p.must("CreateEventBus", map[string]any{"EventBusName": "default"}, `"Code":"EventBusExisted"`)
	p.must("CreateEventBus", map[string]any{"EventBusName": strings.Repeat("a", 128)}, `"Code":"InvalidArgument"`)
	p.must("UpdateEventBus", busOf(map[string]any{"Description": "two"}), `"Success":true`)
	api, err := v1bridge.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	c.ok(err)
	q := v1bridge.CreateGetEventBusRequest()
	q.Domain, q.EventBusName = c.host(), membersBus
	got, err := api.GetEventBus(q)
	c.ok(err)
	if d := got.Data; d.Description != "two" || d.EventBusName != membersBus || d.CreateTimestamp != c.World.Clock.Now().UnixMilli() {
		t.Errorf("got %+v", d)
	}
	onBus := map[string]any{"EventBusName": membersBus, "RuleName": "r", "FilterPattern": "{}"}
	p.must("CreateRule", onBus, `"RuleARN":"acs:eventbridge:cn-hangzhou:1000000000000001:eventbus/fleetwarden-members/rule/r"`)
	p.must("ListRules", busOf(nil), `"Total":1`, `"EventBusName":"fleetwarden-members"`)
	p.must("ListRules", map[string]any{"EventBusName": "default"}, `"Total":0`)
	p.must("DeleteEventBus", busOf(map[string]any{"ClientToken": "t"}), `"Success":true`)
	p.must("ListRules", busOf(nil), `"Code":"EventBusNotExist"`)
	p.must("DeleteEventBus", busOf(nil), `"Code":"EventBusNotExist"`)
	withBus(c)
	p.must("ListRules", busOf(nil), `"Total":0`)
}

// toHome is a target as the Terraform provider sends it.
const toHome = `[{"Id":"fleetwarden-members","Type":"acs.eventbridge","Endpoint":"acs:eventbridge:cn-hangzhou:1000000000000001:eventbus/fleetwarden-members",` +
	`"PushRetryStrategy":"BACKOFF_RETRY","ParamList":[{"ResourceKey":"RegionId","Form":"CONSTANT","Value":"cn-hangzhou"},` +
	`{"ResourceKey":"AccountType","Form":"CONSTANT","Value":"AnotherAccount"},{"ResourceKey":"AccountId","Form":"CONSTANT","Value":"1000000000000001"},` +
	`{"ResourceKey":"EventBusName","Form":"CONSTANT","Value":"fleetwarden-members"},{"ResourceKey":"RAMRoleName","Form":"CONSTANT","Value":"fleetwarden-members"},` +
	`{"ResourceKey":"Body","Form":"ORIGINAL"}]}]`

// membersCloud has the bus, with a rule that fills a queue, and a member that sends there.
func membersCloud(t *testing.T, trust, document string) (c *cloud, arrives func() []mns.Message) {
	c = newCloud(t, server.Options{})
	_, err := c.MNS.Create(inbox(), mns.Defaults())
	c.ok(err)
	withBus(c)
	home, member := plane{c, sharerAdmin, bridge}, plane{c, memberAdmin, bridge}
	home.must("CreateRule", map[string]any{
		"EventBusName": membersBus, "RuleName": "fills", "EventTargets": toInbox,
		"FilterPattern": `{"type":["ecs:ActionTrail:ApiCall"],"aliyunoriginalaccountid":["` + server.Member + `"]}`,
	}, `"Success":true`)
	if trust != "" {
		c.ok(c.RAM.AddRole(server.Sharer, membersBus, trust, map[string]string{membersBus: document}))
	}
	member.must("CreateRule", map[string]any{"EventBusName": "default", "RuleName": "home", "FilterPattern": `{"source":["acs.ecs"]}`, "EventTargets": toHome}, `"Success":true`)
	return c, func() []mns.Message {
		t.Helper()
		c.World.Publish(simcloud.Event{Account: server.Member, Region: server.Home, Source: "acs.ecs", Type: "ecs:ActionTrail:ApiCall"})
		c.pass(5 * time.Minute)
		if c.MNS.Visible(inbox()) == 0 {
			return nil
		}
		got, err := c.MNS.Receive(inbox(), 16)
		c.ok(err)
		return got
	}
}

const (
	letsMemberIn = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["` + server.Member + `@eventbridge.aliyuncs.com"]}}]}`
	letsOthersIn = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["` + server.Sharee + `@eventbridge.aliyuncs.com"]}}]}`
	mayPut       = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"eventbridge:PutEvents","Resource":"acs:eventbridge:*:1000000000000001:eventbus/fleetwarden-members"}]}`
	mayPutElse   = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"eventbridge:PutEvents","Resource":"acs:eventbridge:*:1000000000000001:eventbus/another"}]}`
)

func TestAnotherAccountsEventsComeOntoABus(t *testing.T) {
	_, arrives := membersCloud(t, letsMemberIn, mayPut)
	got := arrives()
	if len(got) != 1 {
		t.Fatalf("%d events arrived", len(got))
	}
	for _, part := range []string{`"aliyunoriginalaccountid":"1000000000000003"`, `"aliyunaccountid":"1000000000000001"`, `"aliyuneventbusname":"fleetwarden-members"`, `"source":"acs.ecs"`} {
		if !strings.Contains(got[0].Body, part) {
			t.Errorf("no %s in %s", part, got[0].Body)
		}
	}
}

func TestABusTakesNothingThatItsAccountDoesNotAllow(t *testing.T) {
	for name, x := range map[string]struct{ trust, document string }{
		"no role":                         {"", ""},
		"a role that trusts others":       {letsOthersIn, mayPut},
		"a role for another bus":          {letsMemberIn, mayPutElse},
		"a role that trusts the function": {`{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`, mayPut},
	} {
		t.Run(name, func(t *testing.T) {
			c, arrives := membersCloud(t, x.trust, x.document)
			if got := arrives(); len(got) > 0 {
				t.Errorf("it took %s", got[0].Body)
			}
			if lost := c.EventBridge.Lost(); len(lost) != 1 || lost[0].Rule != "home" {
				t.Errorf("lost: %+v", lost)
			}
		})
	}
	c, arrives := membersCloud(t, letsMemberIn, mayPut)
	plane{c, sharerAdmin, bridge}.must("DeleteEventBus", busOf(nil))
	if got := arrives(); len(got) > 0 {
		t.Error("a bus that is gone took an event")
	}
}

func TestATargetBusIsAnotherAccountsCustomBus(t *testing.T) {
	c := newCloud(t, server.Options{})
	p := plane{c, memberAdmin, bridge}
	for name, change := range map[string][2]string{
		"the default bus":       {":eventbus/fleetwarden-members", ":eventbus/default"},
		"one's own bus":         {"1000000000000001:eventbus", "1000000000000003:eventbus"},
		"another region":        {"acs:eventbridge:cn-hangzhou", "acs:eventbridge:cn-shanghai"},
		"no ARN":                {"acs:eventbridge:", "acs:mns:"},
		"another account's id":  {`"Value":"1000000000000001"`, `"Value":"1000000000000002"`},
		"no role":               {`{"ResourceKey":"RAMRoleName","Form":"CONSTANT","Value":"fleetwarden-members"},`, ""},
		"a part of the event":   {"ORIGINAL", "JSONPATH"},
		"an unknown parameter":  {"AccountType", "Moon"},
		"not another's account": {"AnotherAccount", "SameAccount"},
	} {
		t.Run(name, func(t *testing.T) {
			p.must("CreateRule", map[string]any{"EventBusName": "default", "RuleName": "r", "FilterPattern": "{}", "EventTargets": strings.Replace(toHome, change[0], change[1], 1)},
				`"Success":false`, `"Code":"InvalidArgument"`)
		})
	}
}

func TestBusesNeedTheirRights(t *testing.T) {
	const bus = "acs:eventbridge:*:*:eventbus/fleetwarden-members"
	needsRights(t, bridge, withBus, "acs:eventbridge:*:*:eventbus/*", map[string]map[string]any{"eventbridge:CreateEventBus": {"EventBusName": "new"}}, "")
	needsRights(t, bridge, withBus, bus, map[string]map[string]any{
		"eventbridge:GetEventBus":    busOf(nil),
		"eventbridge:UpdateEventBus": busOf(map[string]any{"Description": "x"}),
		"eventbridge:DeleteEventBus": busOf(nil),
	}, "")
	needsRights(t, bridge, withBus, bus+"/rule/*", map[string]map[string]any{
		"eventbridge:CreateRule": busOf(map[string]any{"RuleName": "r", "FilterPattern": "{}"}),
		"eventbridge:ListRules":  busOf(nil),
	}, "")
}
