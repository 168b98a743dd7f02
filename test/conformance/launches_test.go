package conformance_test

import (
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

// Each way to launch that the local cloud serves is recorded as a call of the product's
// table, delivered by its rule and decoded to the instances that came of it. What the
// table has beyond that is an assumption, and nothing else.
func TestEachWayToLaunchIsACallOfTheTable(t *testing.T) {
	text, err := os.ReadFile("../../deploy/eventrules/launches.json")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := eventbridge.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	request := map[string]string{
		"RegionId": server.Home, "InstanceType": "ecs.g7t.large", "ImageId": "aliyun_3_x64_20G_uefi_alibase_20230727.vhd", "VSwitchId": "vsw-local", "SecurityGroupId": "sg-local",
	}
	page := func(name string) map[string]*string { return map[string]*string{"x-sim-console": &name} }
	seen := map[string]bool{}
	for what, x := range map[string]struct {
		action  string
		headers map[string]*string
		event   string
	}{
		"RunInstances":   {"RunInstances", nil, "RunInstances"},
		"in the console": {"RunInstances", page("true"), "RunInstances"},
		"on a buy page":  {"RunInstances", page("buy-page"), "Create"},
		"CreateInstance": {"CreateInstance", nil, "CreateInstance"},
	} {
		c := newCloud(t, server.Options{})
		answer, err := c.rpcWith(sharerAdmin, "2014-05-26", x.action, request, x.headers)
		c.ok(err)
		c.pass(time.Minute)
		c.mu.Lock()
		var got []string
		for _, e := range c.events {
			body, err := eventbridge.Wrap(e, eventbridge.DefaultBus, c.World.Clock.Now())
			c.ok(err)
			for ev, err := range events.Decode(body) {
				if err != nil || ev.Kind != fleet.EventLaunch {
					continue
				}
				if !rule.Match(body) || ev.Name != x.event {
					t.Errorf("%s: the rule of launches does not deliver %s", what, ev.Name)
				}
				seen[ev.Name] = true
				for _, r := range ev.Refs {
					if r.Scope != (fleet.Scope{Account: server.Sharer, Region: server.Home}) {
						t.Errorf("%s: %v", what, r)
					}
					got = append(got, r.ID)
				}
			}
		}
		c.mu.Unlock()
		if diff := cmp.Diff(idsIn(answer), got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	want := map[string]bool{}
	for _, call := range fleet.LaunchCalls() {
		if !call.Assumed {
			want[call.Event] = true
		}
	}
	if !maps.Equal(want, seen) {
		t.Errorf("launched by %v, the table has %v", seen, want)
	}
}

// idsIn are the instances that an answer names.
func idsIn(answer map[string]any) (ids []string) {
	if id, ok := answer["InstanceId"]; ok {
		return []string{fmt.Sprint(id)}
	}
	for _, id := range answer["InstanceIdSets"].(map[string]any)["InstanceIdSet"].([]any) {
		ids = append(ids, fmt.Sprint(id))
	}
	return ids
}
