package events_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"

	"github.com/google/go-cmp/cmp"
)

// Each kind has a target of its own, so that each is mutated from its own seeds.

func FuzzLaunch(f *testing.F) {
	fuzz(f, "run-instances", "create-", "trail-record", "attach-role")
}
func FuzzShare(f *testing.F) { fuzz(f, "share-") }
func FuzzNative(f *testing.F) {
	fuzz(f, "state-change", "first-heartbeat", "task-completed", "snapshot-")
}
func FuzzWindow(f *testing.F)  { fuzz(f, "window-", "queue-message") }
func FuzzMessage(f *testing.F) { fuzz(f, "inbox-message") }
func FuzzExport(f *testing.F)  { fuzz(f, "lookup-", "sls-") }
func FuzzTimer(f *testing.F)   { fuzz(f, "timer") }
func FuzzTopic(f *testing.F)   { fuzz(f, "topic-") }
func FuzzAsync(f *testing.F)   { fuzz(f, "async-", "http-") }
func FuzzManual(f *testing.F)  { fuzz(f, "manual-", "cloudmonitor-") }

func fuzz(f *testing.F, prefixes ...string) {
	for _, dir := range []string{"samples", filepath.Join("testdata", "bad")} {
		for name, payload := range payloads(f, dir) {
			for _, p := range prefixes {
				if strings.HasPrefix(name, p) {
					f.Add(payload)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) { checkPayload(t, payload) })
}

// checkPayload holds for every payload whatever: no panic, the same result
// twice, usable refs, errors that can be printed.
func checkPayload(t *testing.T, payload []byte) {
	t.Helper()
	evs, errs := all(string(payload))
	again, errsAgain := all(string(payload))
	if diff := cmp.Diff(evs, again); diff != "" || len(errs) != len(errsAgain) {
		t.Fatalf("decoding twice differs: %d and %d errors\n%s", len(errs), len(errsAgain), diff)
	}
	for _, ev := range evs {
		checkEvent(t, ev)
	}
	if events.Check(payload) != nil && len(refsOf(evs)) > 0 {
		t.Fatalf("no event is said to be in what leads to %v", refsOf(evs))
	}
	for _, err := range errs {
		if text := err.Error(); len(text) > 300 || strings.ContainsAny(text, "\n\r\x00\x1b") {
			t.Fatalf("error cannot be printed: %q", text)
		}
	}
}

var (
	instanceID = regexp.MustCompile(`^i-[0-9a-zA-Z]{1,64}$`)
	regionID   = regexp.MustCompile(`^[a-z][a-z0-9-]*[a-z0-9]$`)
	printable  = regexp.MustCompile(`^[!-~]{1,256}$`)
)

func checkEvent(t *testing.T, ev events.Event) {
	t.Helper()
	if ev.Kind == fleet.EventUnknown && len(ev.Refs) > 0 {
		t.Fatalf("an unknown event has refs %v", ev.Refs)
	}
	if ev.Ignored != "" && len(ev.Refs) > 0 {
		t.Fatalf("an ignored event has refs %v", ev.Refs)
	}
	for _, s := range []string{ev.ID, ev.Type, ev.Name, ev.Role, ev.Session} {
		if !utf8.ValidString(s) {
			t.Fatalf("text is not UTF-8: %q", s)
		}
	}
	for _, ref := range ev.Refs {
		if !validRef(ref) {
			t.Fatalf("ref is not valid: %#v", ref)
		}
		if ref.Call != ev.Call {
			t.Fatalf("ref has another call than its event: %v", ref)
		}
	}
}

// validRef says it again, in other words than the code under test.
func validRef(ref fleet.Ref) bool {
	if !ref.Scope.Account.Valid() || ref.Scope.Region != "" && !regionID.MatchString(string(ref.Scope.Region)) || ref.Try.N < 0 {
		return false
	}
	switch ref.Kind {
	case fleet.KindInstance:
		return instanceID.MatchString(ref.ID) && ref.Scope.Region != ""
	case fleet.KindCall:
		return printable.MatchString(ref.ID) && ref.Scope.Region != ""
	case fleet.KindRole, fleet.KindPolicy:
		return printable.MatchString(ref.ID) && !strings.ContainsAny(ref.ID, `/"'\`)
	case fleet.KindAccount, fleet.KindImageShare, fleet.KindSnapshotShare:
		return ref.ID == ""
	}
	return false
}

// FuzzSecrets puts canaries where secrets stand, breaks the event in every way
// that the arguments allow, and looks for them in all that comes out.
func FuzzSecrets(f *testing.F) {
	f.Add("i-1", "1000000000000001", "cn-hangzhou", "", 1<<20)
	f.Add("i-\"", "1", "cn-hangzhou", "InvalidParameter", 1<<20)
	f.Add("i-1", "x", "cn_hangzhou", "DryRunOperation", 1<<20)
	f.Add("i-1", "1000000000000001", "cn-hangzhou", "", 200)
	const canary = "cAnArY"
	f.Fuzz(func(t *testing.T, id, account, region, code string, cutAt int) {
		payload := text(map[string]any{
			"specversion": "1.0", "type": "ecs:ActionTrail:ApiCall", "id": "1", "source": "acs.ecs", "aliyunaccountid": account,
			"data": map[string]any{
				"eventId": "E", "eventName": "RunInstances", "serviceName": "Ecs", "acsRegion": region, "errorCode": code,
				"requestParameters": map[string]any{"UserData": canary, "Password": canary, "Tag.1.Value": canary, "Amount": canary},
				"responseElements":  map[string]any{"InstanceIdSets": map[string]any{"InstanceIdSet": []string{id}}},
			},
		})
		if strings.Contains(id+account+region+code, canary) {
			return
		}
		if cutAt >= 0 && cutAt < len(payload) {
			payload = payload[:cutAt]
		}
		if strings.Contains(describe([]byte(payload)), canary) {
			t.Fatalf("a secret came out:\n%s", describe([]byte(payload)))
		}
	})
}

// FuzzDuplicates compares an event whose members come twice with one that has
// the last of them only.
func FuzzDuplicates(f *testing.F) {
	f.Add("resourceId", `"i-9"`, `"i-1"`)
	f.Add("state", `"Pending"`, `{"a":[1]}`)
	f.Add("userIdentity", `{"type":"assumed-role"}`, `null`)
	f.Fuzz(func(t *testing.T, name, first, last string) {
		quoted := text(name)
		if !json.Valid([]byte(first)) || !json.Valid([]byte(last)) || name == "data" || name == "id" || name == "type" {
			return
		}
		event := func(members string) string {
			return `{"specversion":"1.0","id":"1","type":"ecs:Instance:StateChange","aliyunaccountid":"1","aliyunregionid":"cn-hangzhou","data":{` + members + `}}`
		}
		twice := describe([]byte(event(quoted + ":" + first + "," + quoted + ":" + last)))
		once := describe([]byte(event(quoted + ":" + last)))
		if twice != once {
			t.Fatalf("with %s twice:\n%s\nwith the last one only:\n%s", quoted, twice, once)
		}
	})
}
