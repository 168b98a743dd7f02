package events_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

// defining are the members without which a payload is not what it was.
var defining = []string{
	"specversion", "type", "data", "data.eventName", "eventName", "Events", "event", "contents", "event.eventName",
	"TopicOwner", "Message", "body", "requestContext", "rawPath", "requestPayload", "responseContext", "v", "data.messageBody",
	"data.resourceType",       // of a share's status: what is shared
	"aliyunoriginalaccountid", // of an event that another account's bus delivered
}

// idsOnly are the members that make a purchase a launch.
var idsOnly = []string{"data.referencedResources", "data.referencedResources.ACS::ECS::Instance", "data.resourceName", "data.responseElements", "data.responseElements.LaunchResults"}

// A sender leaves members out, or sends null. What remains then still leads to the same
// place, or to an error; never to nothing, and never to another account.
func TestNoOptionalMemberCostsAnEventSilently(t *testing.T) {
	dropped := 0
	for name, payload := range payloads(t, "samples") {
		evs, errs := all(string(payload))
		if len(errs) > 0 || len(evs) != 1 || len(evs[0].Refs) == 0 || len(evs[0].Refs) > 9 || !json.Valid(payload) || payload[0] != '{' {
			continue
		}
		for _, change := range []string{"missing", "null", "empty"} {
			for _, path := range membersOf(t, payload) {
				if slices.Contains(defining, path) || slices.Contains(idsOnly, path) && strings.HasPrefix(name, "create-") {
					continue
				}
				dropped++
				got, errs := all(string(without(t, payload, path, change)))
				if len(errs) > 0 {
					continue
				}
				if refs := refsOf(got); len(refs) == 0 || !sameOwner(refs, refsOf(evs)) {
					t.Errorf("%s, %s %s: got %v, want %v or an error", name, path, change, refs, refsOf(evs))
				}
			}
		}
	}
	if dropped < 1000 {
		t.Errorf("only %d members were dropped", dropped)
	}
}

func refsOf(evs []events.Event) (refs []fleet.Ref) {
	for _, ev := range evs {
		refs = append(refs, ev.Refs...)
	}
	return refs
}

// sameOwner reports whether got leads to what want does, or to the account and region
// that it is in.
func sameOwner(got, want []fleet.Ref) bool {
	for _, g := range got {
		if !slices.ContainsFunc(want, func(w fleet.Ref) bool {
			return g.Scope == w.Scope && (g.Kind == w.Kind && g.ID == w.ID || g.Kind == fleet.KindAccount || g.Kind == fleet.KindCall)
		}) && g.Kind != fleet.KindImageShare && g.Kind != fleet.KindSnapshotShare {
			return false
		}
	}
	return true
}

// membersOf are the paths of an object's members, three levels deep.
func membersOf(t *testing.T, payload []byte) (paths []string) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(payload, &object); err != nil {
		t.Fatal(err)
	}
	var walk func(prefix string, object map[string]any, depth int)
	walk = func(prefix string, object map[string]any, depth int) {
		for name, v := range object {
			paths = append(paths, prefix+name)
			if inner, ok := v.(map[string]any); ok && depth < 3 {
				walk(prefix+name+".", inner, depth+1)
			}
		}
	}
	walk("", object, 1)
	slices.Sort(paths)
	return paths
}

// without is payload with the member at path changed: missing, null or empty.
func without(t *testing.T, payload []byte, path, change string) []byte {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(payload, &object); err != nil {
		t.Fatal(err)
	}
	at := object
	for _, name := range parents(object, path) {
		at = at[name].(map[string]any)
		path = path[len(name)+1:]
	}
	switch {
	case change == "missing":
		delete(at, path)
	case change == "null":
		at[path] = nil
	default:
		at[path] = map[bool]any{true: map[string]any{}, false: ""}[isObject(at[path])]
	}
	out, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

// parents are the members that path leads through; names may hold dots themselves.
func parents(object map[string]any, path string) (names []string) {
	if _, ok := object[path]; ok {
		return nil
	}
	for name, v := range object {
		if rest, ok := strings.CutPrefix(path, name+"."); ok && isObject(v) {
			return append([]string{name}, parents(v.(map[string]any), rest)...)
		}
	}
	return nil
}

// Ids of a launch come in many spellings, and from the first place that names any.
func TestIDsOfALaunchAreReadInEverySpelling(t *testing.T) {
	const record = `{"eventId":"E","eventName":"%s","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1"%s}`
	for rest, want := range map[string]string{
		`,"responseElements":{"InstanceIdSets":{"InstanceIdSet":["i-1","i-2"]}}`:                                             "i-1 i-2",
		`,"responseElements":"{\"InstanceIdSets\":{\"InstanceIdSet\":[\"i-1\",\"i-2\"]}}"`:                                   "i-1 i-2",
		`,"responseElements":{"InstanceIdSets":"{\"InstanceIdSet\":[\"i-1\"]}"},"referencedResources":{}`:                    "i-1",
		`,"responseElements":{"InstanceIdSets":{"InstanceIdSet":"[\"i-1\", \"i-2\"]"}}`:                                      "i-1 i-2",
		`,"responseElements":{"InstanceIdSets":{"InstanceIdSet":"i-1,i-2"}}`:                                                 "i-1 i-2",
		`,"responseElements":{"InstanceIdSets":["i-1"]}`:                                                                     "i-1",
		`,"responseElements":{"InstanceId":"i-1"}`:                                                                           "i-1",
		`,"responseElements":{"InstanceIdSets":{"InstanceIdSet":null}},"referencedResources":{"ACS::ECS::Instance":"i-1"}`:   "i-1",
		`,"responseElements":null,"referencedResources":{"ACS::ECS::Instance":["i-1"],"ACS::ECS::InstanceType":["x"]}`:       "i-1",
		`,"referencedResources":"{\"ACS::ECS::Instance\":[\"i-1\",\"i-2\"]}"`:                                                "i-1 i-2",
		`,"referencedResources":null,"resourceType":"ACS::ECS::Instance","resourceName":"i-1,i-2"`:                           "i-1 i-2",
		`,"resourceType":"ACS::ECS::Disk;ACS::ECS::Instance","resourceName":"i-disk;i-1"`:                                    "i-1",
		`,"resourceType":"ACS::ECS::Disk; ACS::ECS::Instance","resourceName":"d-1; i-1, i-2"`:                                "i-1 i-2",
		`,"resourceName":"m-1;i-1,i-2;sg-1"`:                                                                                 "i-1 i-2",
		`,"resourceType":"ACS::ECS::Instance","resourceName":"i-1,nonsense"`:                                                 "i-1 error",
		`,"responseElements":{"LaunchResults":{"LaunchResult":[{"InstanceIds":{"InstanceId":["i-1"]}},{"InstanceIds":{}}]}}`: "i-1",
	} {
		for _, c := range fleet.LaunchCalls() {
			evs, errs := all(fmt.Sprintf(record, c.Event, rest))
			var got []string
			for _, r := range refsOf(evs) {
				got = append(got, r.ID)
			}
			if len(errs) > 0 {
				got = append(got, "error")
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s %s: got %v, want %s", c.Event, rest, got, want)
			}
		}
	}
}

// A table of Simple Log Service has a column for each member, however deep it is.
func TestAMemberInAColumnOfItsOwnIsRead(t *testing.T) {
	const log = `{"__topic__":"actiontrail_event","event.eventId":"E","event.eventName":"%s","event.serviceName":"Ecs","event.acsRegion":"cn-hangzhou","event.userIdentity.accountId":"1","event.errorCode":"null",%s}`
	for _, columns := range []string{
		`"event.requestParameters.InstanceType":"ecs.g7t.large","event.requestParameters.SystemDisk.Category":"cloud_essd","event.responseElements.InstanceIdSets.InstanceIdSet":"[\"i-1\"]"`,
		`"event.requestParameters.SystemDisk":"{\"Category\":\"cloud_essd\"}","event.requestParameters.InstanceType":"ecs.g7t.large","event.referencedResources.ACS::ECS::Instance":"[\"i-1\"]"`,
		`"event.requestParameters":"{\"InstanceType\":\"ecs.g7t.large\",\"SystemDisk.Category\":\"cloud_essd\"}","event.responseElements":"null","event.resourceName":"i-1"`,
	} {
		ev := only(t, fmt.Sprintf(log, "RunInstances", columns))
		if l := ev.Call.Launch; len(ev.Refs) != 1 || ev.Refs[0].ID != "i-1" || l == nil || l.InstanceType != "ecs.g7t.large" || l.SystemDiskCategory != "cloud_essd" {
			t.Errorf("%s: got %+v, %+v", columns, ev, l)
		}
	}
	if ev := only(t, `{"owner_id":"7","event.eventName":"StopInstance","event.eventType":"ApiCall"}`); ev.Account != "7" {
		t.Errorf("the log's owner: got %+v", ev)
	}
	ev := only(t, fmt.Sprintf(log, "ModifyImageSharePermission", `"event.requestParameters.ImageId":"m-1","event.requestParameters.AddAccount.1":"2"`))
	if s := ev.Call.Share; s == nil || s.ImageID != "m-1" || len(s.Add) != 1 {
		t.Errorf("got %+v", s)
	}
}

// A table shows "null" in each column that a row has nothing for.
func TestANullInAColumnIsAMissingMember(t *testing.T) {
	const log = `{"__topic__":"actiontrail_event","event.eventName":"RunInstances","event.eventType":"ApiCall","event.acsRegion":"cn-hangzhou","event.userIdentity.accountId":"1",%s}`
	const all = `"event.eventId":"E","event.requestParameters.InstanceType":"ecs.g7t.large","event.referencedResources.ACS::ECS::Instance":"[\"i-1\"]"`
	want := only(t, fmt.Sprintf(log, all+`,"event.eventSource":"ecs.aliyuncs.com"`))
	for _, name := range []string{"recipientAccountId", "serviceName", "requestId", "errorCode", "errorMessage", "eventTime", "resourceName", "resourceType", "requestParameters",
		"requestParameterJson", "responseElements", "referencedResources", "userIdentity.userName", "requestParameters.SecurityEnhancementStrategy", "requestParameters.UserData",
		"requestParameters.LaunchTemplateId", "responseElements.InstanceIdSets.InstanceIdSet", "responseElements.InstanceId", "referencedResources.ACS::ECS::Disk"} {
		got := only(t, fmt.Sprintf(log, all+`,"event.eventSource":"ecs.aliyuncs.com","event.`+name+`":"null"`))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A CloudEvent of ActionTrail whose data is no record, such as one in a text, is not passed over.
func TestATrailEventWithoutARecordIsAnError(t *testing.T) {
	const event = `{"specversion":"1.0","id":"1","source":"acs.ecs","type":"ecs:ActionTrail:ApiCall","aliyunaccountid":"1","aliyunregionid":"cn-hangzhou"%s}`
	for _, data := range []string{``, `,"data":null`, `,"data":{}`, `,"data":"{\"eventName\":\"RunInstances\"}"`, `,"data":{"eventName":""}`} {
		if evs, errs := all(fmt.Sprintf(event, data)); len(evs) > 0 || len(errs) != 1 {
			t.Errorf("%s: got %v and %v", data, evs, errs)
		}
	}
}

func TestARecordIsOfECSByAnythingThatSaysSo(t *testing.T) {
	const record = `{"eventId":"E","eventName":"RunInstances","eventType":"ApiCall","acsRegion":"cn-hangzhou","recipientAccountId":"1","responseElements":{"InstanceId":"i-1"}%s}`
	for rest, want := range map[string]int{
		`,"serviceName":"Ecs"`: 1, `,"serviceName":"ECS","eventSource":"ens.aliyuncs.com"`: 1, `,"serviceName":"ens"`: 0,
		`,"eventSource":"ecs.cn-hangzhou.aliyuncs.com"`: 1, `,"eventSource":"ecs-cn-hangzhou-share.aliyuncs.com"`: 1, `,"eventSource":"ens.aliyuncs.com"`: 0,
		``: -1, `,"serviceName":null,"eventSource":""`: -1,
	} {
		evs, errs := all(fmt.Sprintf(record, rest))
		if got := len(refsOf(evs)) - len(errs); got != want {
			t.Errorf("%s: got %v and %v", rest, evs, errs)
		}
	}
}

func TestTheTimeOfACallIsInUTCWhereverItCameFrom(t *testing.T) {
	const event = `{"specversion":"1.0","id":"1","source":"acs.ecs","type":"ecs:ActionTrail:ApiCall","time":"2026-11-20T16:15:31.204Asia/Shanghai","aliyunaccountid":"1",` +
		`"data":{"eventId":"E","eventName":"RunInstances","serviceName":"Ecs","acsRegion":"cn-hangzhou"%s}}`
	for rest, want := range map[string]string{
		``: "2026-11-20T08:15:31Z", `,"eventTime":"2026-11-20T08:15:30Z"`: "2026-11-20T08:15:30Z", `,"eventTime":"2026-11-20T08:15:30"`: "2026-11-20T08:15:30Z",
		`,"eventTime":"2026-11-20T16:15:30+08:00"`: "2026-11-20T08:15:30Z", `,"eventTime":1795162530000`: "2026-11-20T08:15:30Z", `,"eventTime":"2026-11-20 08:15:30"`: "2026-11-20T08:15:30Z",
		`,"eventTime":"noon"`: "noon",
	} {
		if ev := only(t, fmt.Sprintf(event, rest)); ev.Call.Time != want {
			t.Errorf("%s: got %q, want %q", rest, ev.Call.Time, want)
		}
	}
}
