package events_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"

	"github.com/google/go-cmp/cmp"
)

const stateChange = `{"specversion":"1.0","id":"1","source":"acs.ecs","type":"ecs:Instance:StateChange","aliyunaccountid":"1000000000000001",` +
	`"aliyunregionid":"cn-hangzhou","data":{"resourceId":"i-1","state":"Running"}}`

// launch is a RunInstances event with params as its requestParameters.
func launch(params string) string {
	return `{"specversion":"1.0","id":"1","source":"acs.ecs","type":"ecs:ActionTrail:ApiCall","aliyunaccountid":"1000000000000001","data":{"eventId":"E",` +
		`"eventName":"RunInstances","serviceName":"Ecs","acsRegion":"cn-hangzhou","requestParameters":` + params +
		`,"responseElements":{"InstanceIdSets":{"InstanceIdSet":["i-1"]}}}}`
}

// all collects what a payload yields.
func all(payload string) (evs []events.Event, errs []error) {
	for ev, err := range events.Decode([]byte(payload)) {
		if err != nil {
			errs = append(errs, err)
		} else {
			evs = append(evs, ev)
		}
	}
	return evs, errs
}

// only decodes a payload that holds one good element.
func only(t *testing.T, payload string) events.Event {
	t.Helper()
	evs, errs := all(payload)
	if len(evs) != 1 || len(errs) != 0 {
		t.Fatalf("got %d events and errors %v, want one event; payload: %.200s", len(evs), errs, payload)
	}
	return evs[0]
}

// fails decodes a payload that holds one bad element and nothing else.
func fails(t *testing.T, payload string) *events.Error {
	t.Helper()
	evs, errs := all(payload)
	if len(evs) != 0 || len(errs) != 1 {
		t.Fatalf("got events %v and errors %v, want one error; payload: %.200s", evs, errs, payload)
	}
	e, ok := errors.AsType[*events.Error](errs[0])
	if !ok {
		t.Fatalf("error is a %T, want *events.Error", errs[0])
	}
	return e
}

func TestAnEmptyWindowYieldsNothing(t *testing.T) {
	if evs, errs := all(" [ ] "); len(evs)+len(errs) != 0 {
		t.Errorf("got %v, %v", evs, errs)
	}
}

func TestBlanksAreAManualInvocation(t *testing.T) {
	if ev := only(t, " \r\n\t"); ev.Kind != fleet.EventManual {
		t.Errorf("kind is %q", ev.Kind)
	}
}

func TestTheTypeMayComeAfterTheData(t *testing.T) {
	ev := only(t, `{"data":{"resourceId":"i-1"},"type":"ecs:Instance:StateChange","specversion":"1.0","aliyunaccountid":"1","aliyunregionid":"cn-hangzhou"}`)
	if ev.Kind != fleet.EventStateChange || len(ev.Refs) != 1 {
		t.Errorf("got %+v", ev)
	}
}

func TestAnUnknownTypeWithDataOfAnyShapeIsNoError(t *testing.T) {
	for _, data := range []string{`null`, `7`, `"text"`, `[1]`, `{"resourceId":{},"state":[1],"instanceId":7,"userIdentity":"x"}`} {
		ev := only(t, `{"specversion":"1.0","type":"oss:ObjectCreated:PutObject","data":`+data+`}`)
		if ev.Kind != fleet.EventUnknown || len(ev.Refs) != 0 {
			t.Errorf("data %s: got %+v", data, ev)
		}
	}
}

func TestOfTwoMembersWithOneNameTheLastWins(t *testing.T) {
	ev := only(t, strings.Replace(stateChange, `"data":{`, `"data":{"resourceId":"i-9","instanceId":"i-8"},"data":{"state":"Pending",`, 1))
	if ev.Refs[0].ID != "i-1" {
		t.Errorf("ref is %v, want that of the last data", ev.Refs[0])
	}
	// A member of the first data does not shine through the second.
	fails(t, strings.Replace(stateChange, `"resourceId":"i-1"`, `"resourceId":"i-1"},"data":{"x":1`, 1))
	ev = only(t, launch(`{"Amount":1,"Amount":2,"ImageId":"a","ImageId":"b"}`))
	if l := ev.Call.Launch; l.Amount != 2 || l.ImageID != "b" {
		t.Errorf("launch is %+v, want the last values", l)
	}
}

func TestNamesMayBeEscaped(t *testing.T) {
	ev := only(t, strings.ReplaceAll(stateChange, `"resourceId":"i-1"`, `"resource\u0049d":"i\u002d1"`))
	if ev.Refs[0].ID != "i-1" {
		t.Errorf("ref is %v", ev.Refs[0])
	}
	if ev := only(t, launch(`{"Image\u0049d":"m-\u0031"}`)); ev.Call.Launch.ImageID != "m-1" {
		t.Errorf("image is %q", ev.Call.Launch.ImageID)
	}
}

func TestBytesThatAreNotUTF8CostNoEventButAnIDWithThemIsRefused(t *testing.T) {
	if ev := only(t, launch("{\"ImageId\":\"m-\xff\",\"Tag.1.\xfe\":\"\xff\"}")); ev.Call.Launch.ImageID != "m-\uFFFD" {
		t.Errorf("image is %q", ev.Call.Launch.ImageID)
	}
	fails(t, strings.ReplaceAll(stateChange, `i-1`, "i-\xff"))
}

func TestNamesAreComparedWithCase(t *testing.T) {
	fails(t, strings.ReplaceAll(stateChange, `resourceId`, `ResourceId`))
	if ev := only(t, launch(`{"imageid":"m-1"}`)); ev.Call.Launch.ImageID != "" {
		t.Errorf("image is %q", ev.Call.Launch.ImageID)
	}
}

func TestAllRefsOfALaunchShareItsCall(t *testing.T) {
	ev := only(t, strings.Replace(launch(`{}`), `["i-1"]`, `["i-1","i-2"]`, 1))
	if len(ev.Refs) != 2 || ev.Refs[0].Call != ev.Call || ev.Refs[1].Call != ev.Call || ev.Call == nil {
		t.Errorf("refs are %+v", ev.Refs)
	}
}

func TestParametersThatCannotBeReadClaimNothing(t *testing.T) {
	for _, params := range []string{`"{broken"`, `"plain text"`} {
		if ev := only(t, launch(params)); ev.Call.Launch != nil || len(ev.Refs) != 1 {
			t.Errorf("parameters %s: got %+v", params, ev.Call.Launch)
		}
	}
	if ev := only(t, launch(`"{\"ImageId\":\"m-1\"}"`)); ev.Call.Launch == nil || ev.Call.Launch.ImageID != "m-1" {
		t.Errorf("parameters as JSON text: got %+v", ev.Call.Launch)
	}
}

func TestTheVSwitchIsThatOfThePrimaryInterface(t *testing.T) {
	for _, c := range []struct{ params, want string }{
		{`{"NetworkInterface.1.VSwitchId":"vsw-1"}`, "vsw-1"},
		{`{"NetworkInterface.1.VSwitchId":"vsw-1","NetworkInterface.1.InstanceType":"Secondary"}`, ""},
		{`{"NetworkInterface.2.VSwitchId":"vsw-2","NetworkInterface.2.InstanceType":"Primary","NetworkInterface.1.VSwitchId":"vsw-1"}`, "vsw-2"},
		{`{"VSwitchId":"vsw-0","NetworkInterface.1.VSwitchId":"vsw-1"}`, "vsw-0"},
		{`{"NetworkInterface":[{"VSwitchId":"vsw-1","InstanceType":"Secondary"},{"InstanceType":"Primary","VSwitchId":"vsw-2"}]}`, "vsw-2"},
		{`{"NetworkInterface.99999999.VSwitchId":"vsw-1","NetworkInterface.x.VSwitchId":"vsw-2","NetworkInterface.0.VSwitchId":"vsw-3"}`, ""},
	} {
		ev := only(t, launch(c.params))
		if ev.Call.Launch.VSwitchID != c.want || ev.Call.Launch.InstanceType != "" {
			t.Errorf("%s: VSwitch is %q, instance type %q, want %q and none", c.params, ev.Call.Launch.VSwitchID, ev.Call.Launch.InstanceType, c.want)
		}
	}
}

func TestTheOwnerIsTheRecipientThenTheOriginalAccountThenTheBusThenTheCaller(t *testing.T) {
	const event = `{"specversion":"1.0","type":"ecs:ActionTrail:ApiCall","aliyunregionid":"cn-hangzhou","data":{"eventName":"CreateInstance",` +
		`"serviceName":"Ecs","responseElements":{"InstanceId":"i-1"},"userIdentity":{"accountId":"9"}%s}%s}`
	for _, c := range []struct {
		data, envelope string
		want           fleet.AccountID
	}{
		{`,"recipientAccountId":"1"`, `,"aliyunoriginalaccountid":"2","aliyunaccountid":"3"`, "1"},
		{`,"recipientAccountId":1`, ``, "1"},
		{`,"recipientAccountId":""`, `,"aliyunoriginalaccountid":"2","aliyunaccountid":"3"`, "2"},
		{``, `,"aliyunaccountid":"3"`, "3"},
		{``, ``, "9"},
	} {
		if ev := only(t, fmt.Sprintf(event, c.data, c.envelope)); ev.Account != c.want || ev.Refs[0].Scope.Account != c.want {
			t.Errorf("%s %s: account is %q, ref %v", c.data, c.envelope, ev.Account, ev.Refs[0])
		}
	}
	fails(t, strings.Replace(fmt.Sprintf(event, "", ""), `"accountId":"9"`, `"type":"system"`, 1))
}

func TestRecordsOfAnAccountsTrailAreItsOwnUnlessTheySayOtherwise(t *testing.T) {
	const record = `[{"eventId":"E","eventName":"CreateInstance","serviceName":"Ecs","acsRegion":"cn-hangzhou","responseElements":{"InstanceId":"i-1"}%s}]`
	for rest, want := range map[string]fleet.AccountID{
		``: "5", `,"userIdentity":{"type":"system"}`: "5", `,"userIdentity":{"accountId":"9"}`: "5", `,"recipientAccountId":"1"`: "1", `,"recipientAccountId":null`: "5",
	} {
		for ev, err := range events.DecodeTrail(fmt.Appendf(nil, record, rest), "5") {
			if err != nil || ev.Account != want || ev.Refs[0].Scope.Account != want {
				t.Errorf("%s: got %+v, %v, want %s", rest, ev, err, want)
			}
		}
	}
}

func TestOnlyASessionOfOneOfTheRolesIsOwn(t *testing.T) {
	const call = `{"eventId":"E","eventName":"CreateInstance","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1000000000000001",` +
		`"responseElements":{"InstanceId":"i-1"},"userIdentity":{"type":%q,"userName":%q}}`
	for _, c := range []struct {
		typ, user string
		want      bool
	}{
		{"assumed-role", "fleetwarden-attach-role:fc", true},
		{"assumed-role", "FleetWarden-Attach-Role:x", true},
		{"assumed-role", "fleetwarden-attach-role-2:fc", false},
		{"assumed-role", "", false},
		{"ram-user", "fleetwarden-attach-role:fc", false},
	} {
		ev := only(t, fmt.Sprintf(call, c.typ, c.user))
		batches, errs := collect(receiver{}, one{ev: ev})
		if got := len(batches) == 0; got != c.want {
			t.Errorf("%s %s: own is %v: %v", c.typ, c.user, got, errs)
		}
	}
}

func TestAMessageOfANewerVersionIsHandedBackAsItCame(t *testing.T) {
	const body = `{"v":2,"what":"who knows"}`
	e := fails(t, `{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":"`+base64.StdEncoding.EncodeToString([]byte(body))+`"}}`)
	if !errors.Is(e, events.ErrNewer) || string(e.Body) != body {
		t.Errorf("error is %v with body %q", e, e.Body)
	}
	if _, hopeless := errors.AsType[*fleet.BadInput](error(e)); hopeless {
		t.Error("a newer message counts as bad input")
	}
}

// A sweep wakes the shard of an account whose regions could not be listed.
func TestRegionsOfMessages(t *testing.T) {
	for kind, regions := range map[string]map[string]bool{
		"fleet":    {"cn-hangzhou": true, string(fleet.UnlistedRegions): true, "": false, "mars": false},
		"instance": {"cn-hangzhou": true, string(fleet.UnlistedRegions): false, "": false, "mars": false},
	} {
		for region, ok := range regions {
			id := map[string]string{"fleet": "", "instance": "i-1"}[kind]
			got, errs := all(fmt.Sprintf(`{"v":1,"scope":{"account":"1000000000000001","region":%q},"kind":%q,"ids":[%q]}`, region, kind, id))
			if (len(errs) == 0) != ok || ok && len(got) != 1 {
				t.Errorf("%s in %q: got %+v, %v", kind, region, got, errs)
			}
		}
	}
}

func TestABadElementIsBadInputAndKnownByItsDigest(t *testing.T) {
	e := fails(t, `{"v":1}`)
	if _, ok := errors.AsType[*fleet.BadInput](error(e)); !ok || errors.Is(e, events.ErrNewer) || e.Body != nil {
		t.Errorf("error is %#v", e)
	}
	if other := fails(t, `{"v":1 }`); len(e.Digest) != 64 || e.Digest == other.Digest {
		t.Errorf("digests are %q and %q", e.Digest, other.Digest)
	}
	_, errs := all(`[` + stateChange + `,{"v":1}]`)
	if inList, ok := errors.AsType[*events.Error](errs[0]); !ok || inList.Index != 1 || inList.Digest != e.Digest {
		t.Errorf("within a list: %#v", errs[0])
	}
}

func TestWhatFleetPacksComesBackTheSame(t *testing.T) {
	call := &fleet.Call{EventID: "E", Name: "RunInstances", Launch: &fleet.Launch{Amount: 2}}
	want := []fleet.Ref{
		{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindInstance, ID: "i-1", Call: call, Try: fleet.Try{N: 1, Run: "r"}},
		{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindInstance, ID: "i-2", Call: call, Try: fleet.Try{N: 1, Run: "r"}},
		{Scope: fleet.Scope{Account: "1"}, Kind: fleet.KindSnapshotShare},
		{Scope: fleet.Scope{Account: "1"}, Kind: fleet.KindRole, ID: "AliyunECSInstanceForYundunSysTrustRole"},
		{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindCall, ID: "E", Call: call},
	}
	var got []fleet.Ref
	for _, m := range fleet.Messages(want) {
		got = append(got, only(t, text(m)).Refs...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadingEndsWhenTheConsumerHasEnough(t *testing.T) {
	seen := 0
	for range events.Decode([]byte(`[` + stateChange + `,` + stateChange + `,7,` + stateChange + `]`)) {
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("saw %d elements after stopping at 2", seen)
	}
}

func TestElementsBeyondTheLimitAreReportedOnce(t *testing.T) {
	evs, errs := all(`[` + strings.Repeat(`{},`, 10_001) + `{}]`)
	if len(evs) != 10_000 || len(errs) != 1 {
		t.Errorf("got %d events and errors %v", len(evs), errs)
	}
}

func TestDeepJSONIsAnErrorNotACrash(t *testing.T) {
	deep := strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000)
	fails(t, `{"a":`+deep+`}`)
	fails(t, deep)
	deepest := strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500)
	only(t, launch(`{"Tags":`+deepest+`}`))
}

func TestEventsKeepNothingOfThePayload(t *testing.T) {
	payload := []byte(launch(`{"ImageId":"m-1","UserData":"c2VjcmV0"}`))
	var got events.Event
	for ev := range events.Decode(payload) {
		got = ev
	}
	want := text(got)
	clear(payload)
	if text(got) != want {
		t.Error("the event changed with the payload")
	}
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
