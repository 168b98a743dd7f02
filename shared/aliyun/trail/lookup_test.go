package trail_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
)

// window is all that has happened, as far as it can be seen.
func (b *bench) window(event string) trail.Query {
	return trail.Query{Since: b.start, Until: b.World.Clock.Now(), EventName: event}
}

func TestRecordsComeOldestFirstAndWhole(t *testing.T) {
	b := newBench(t)
	for n := 2; n <= 3; n++ {
		b.pass(t, time.Minute)
		if err := b.set(t, "role", n); err != nil {
			t.Fatal(err)
		}
	}
	b.pass(t, trail.Delay)
	got, next, err := trail.New(b.session).Lookup(t.Context(), server.Home, b.window("UpdateRole"))
	if err != nil || len(got) != 2 || next != "" {
		t.Fatalf("got %v, %q, %v", got, next, err)
	}
	for i, r := range got {
		var body struct {
			EventName         string         `json:"eventName"`
			RequestParameters map[string]any `json:"requestParameters"`
		}
		if err := json.Unmarshal(r.Body, &body); err != nil || body.EventName != "UpdateRole" || body.RequestParameters["RoleName"] != "role" {
			t.Errorf("got %s, %v", r.Body, err)
		}
		if want := b.start.Add(time.Duration(i+1) * time.Minute).Truncate(time.Second); !r.Time.Equal(want) {
			t.Errorf("record %d: got %v, want %v", i, r.Time, want)
		}
	}
}

func TestAWindowHasItsEndsAndNothingOutside(t *testing.T) {
	b := newBench(t)
	for n := range 3 {
		if err := b.set(t, "role", n); err != nil {
			t.Fatal(err)
		}
		b.pass(t, time.Minute)
	}
	b.pass(t, trail.Delay)
	q := trail.Query{Since: b.start.Add(time.Minute), Until: b.start.Add(time.Minute), EventName: "UpdateRole"}
	if got, _, err := trail.New(b.session).Lookup(t.Context(), server.Home, q); err != nil || len(got) != 1 || !got[0].Time.Equal(q.Since) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestATokenContinuesAfterAPageOfFifty(t *testing.T) {
	b := newBench(t)
	for n := range 60 {
		if err := b.set(t, "role", n); err != nil {
			t.Fatal(err)
		}
	}
	b.pass(t, trail.Delay)
	client, q := trail.New(b.session), b.window("UpdateRole")
	first, next, err := client.Lookup(t.Context(), server.Home, q)
	if err != nil || len(first) != 50 || next == "" {
		t.Fatalf("got %d, %q, %v", len(first), next, err)
	}
	q.Token = next
	if rest, next, err := client.Lookup(t.Context(), server.Home, q); err != nil || len(rest) != 10 || next != "" {
		t.Errorf("got %d, %q, %v", len(rest), next, err)
	}
	q.Token = "invented"
	if _, _, err := client.Lookup(t.Context(), server.Home, q); fleet.ClassOf(err) != fleet.Invalid {
		t.Errorf("a token that was never given: got %v", err)
	}
}

func TestLookupWithoutPermissionIsDeniedAndNotEmpty(t *testing.T) {
	b := newBench(t)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	got, next, err := trail.New(session(t, b.Server, "weak-ak", "weak-sk")).Lookup(t.Context(), server.Home, b.window("UpdateRole"))
	if got != nil || next != "" || fleet.ClassOf(err) != fleet.Denied || !strings.Contains(err.Error(), "UpdateRole") {
		t.Errorf("got %v, %q, %v", got, next, err)
	}
}

func TestOtherAccountsRecordsAreNotFound(t *testing.T) {
	b := newBench(t)
	if err := b.set(t, "role", 2); err != nil {
		t.Fatal(err)
	}
	b.pass(t, trail.Delay)
	if got, _, err := trail.New(session(t, b.Server, "sharee-ak", "sharee-sk")).Lookup(t.Context(), server.Home, b.window("UpdateRole")); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, _, err := trail.New(b.session).Lookup(t.Context(), server.Home, b.window("DeleteRole")); err != nil || len(got) != 0 {
		t.Errorf("another name: got %v, %v", got, err)
	}
}

// The records of one resource come by its id, whatever the calls were.
func TestTheRecordsOfOneResourceAreFound(t *testing.T) {
	b := newBench(t)
	if err := b.set(t, "role", 2); err != nil {
		t.Fatal(err)
	}
	b.pass(t, trail.Delay)
	q := b.window("")
	q.Resource = "role"
	if got, _, err := trail.New(b.session).Lookup(t.Context(), server.Home, q); err != nil || len(got) != 2 { // CreateRole, UpdateRole
		t.Errorf("got %d records, %v", len(got), err)
	}
	q.Resource = "another"
	if got, _, err := trail.New(b.session).Lookup(t.Context(), server.Home, q); err != nil || len(got) != 0 {
		t.Errorf("got %d records, %v", len(got), err)
	}
}

func TestTheHeadOfARecordSaysWhoCalled(t *testing.T) {
	for body, want := range map[string]trail.Head{
		`{"eventName":"RunInstances","userIdentity":{"type":"ram-user","userName":"ops"},"errorCode":"Forbidden.RAM"}`: {Name: "RunInstances", Caller: "ram-user/ops", ErrorCode: "Forbidden.RAM"},
		`{"eventName":"RunInstances","userIdentity":{"type":"root-account"}}`:                                          {Name: "RunInstances", Caller: "root-account"},
		`{"eventName":7}`: {}, `[]`: {}, ``: {}, `{`: {},
	} {
		if got := (trail.Record{Body: []byte(body)}).Head(); got != want {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

func FuzzHead(f *testing.F) {
	f.Add(`{"eventName":"RunInstances","userIdentity":{"type":"ram-user","userName":"ops"}}`)
	f.Add(`{"userIdentity":"x"}`)
	f.Fuzz(func(t *testing.T, body string) {
		if h := (trail.Record{Body: []byte(body)}).Head(); strings.HasSuffix(h.Caller, "/") && !strings.Contains(body, "/") {
			t.Errorf("%q: %+v", body, h)
		}
	})
}

func TestARecordWithoutAReadableTimeIsHandedOverWithoutOne(t *testing.T) {
	const answer = `{"RequestId":"1","NextToken":"n","Events":[{"eventTime":"20 Nov"},{"eventTime":7},[],{"eventTime":"2026-11-20T16:15:30+08:00"}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	defer srv.Close()
	cloud := aliyuntest.Cloud(t, srv.URL, aliyuntest.Admin())
	got, next, err := trail.New(cloud.NewSession(0)).Lookup(t.Context(), server.Home, trail.Query{EventName: "X"})
	if err != nil || len(got) != 4 || next != "n" {
		t.Fatalf("got %v, %q, %v", got, next, err)
	}
	for i, r := range got[:3] {
		if !r.Time.IsZero() || len(r.Body) == 0 {
			t.Errorf("record %d: got %v %s", i, r.Time, r.Body)
		}
	}
	if want := time.Date(2026, 11, 20, 8, 15, 30, 0, time.UTC); !got[3].Time.Equal(want) {
		t.Errorf("got %v, want %v", got[3].Time, want)
	}
}
