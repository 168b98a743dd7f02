package eventbridge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/fleet"
)

func publish(t *testing.T, s *server.Server, source string) {
	t.Helper()
	s.World.Publish(simcloud.Event{Account: server.Sharer, Region: server.Home, Source: source, Type: "ecs:Instance:StateChange"})
	if err := s.World.Clock.Advance(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestAnEventIsFollowedToItsTarget(t *testing.T) {
	s := newServer(t)
	c := client(t, s, "local")
	began := s.World.Clock.Now()
	publish(t, s, "acs.ecs")
	publish(t, s, "acs.other")
	query := eventbridge.Query{Bus: "default", From: began, To: s.World.Clock.Now(), Source: "acs.ecs", Type: "ecs:Instance:StateChange", Rule: name}
	events, err := c.Events(t.Context(), query)
	received := began.Add(time.Second)
	if err != nil || len(events) != 1 || events[0].Source != "acs.ecs" || !events[0].Received.Equal(received) {
		t.Fatalf("events %+v, %v", events, err)
	}
	steps, err := c.Steps(t.Context(), "default", events[0].ID)
	want := []eventbridge.Step{
		{Action: eventbridge.Put, At: received}, {Action: eventbridge.Filter, At: received, Rule: name},
		{Action: eventbridge.Push, At: received, Rule: name, Endpoint: "acs:mns:cn-hangzhou:" + server.Sharer + ":queues/inbox", Status: "[200]Ok", Latency: "0"},
	}
	if diff := cmp.Diff(want, steps); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if !steps[2].Delivered() || steps[1].Delivered() {
		t.Error("the push alone was delivered")
	}
	query.Rule = "another"
	if none, err := c.Events(t.Context(), query); err != nil || none != nil {
		t.Errorf("of another rule: %+v, %v", none, err)
	}
	if none, err := c.Steps(t.Context(), "default", "unknown"); err != nil || none != nil {
		t.Errorf("of an unknown event: %+v, %v", none, err)
	}
}

func TestAPushThatFailedIsNotDelivered(t *testing.T) {
	s := newServer(t)
	if err := s.MNS.Drop(mns.Queue{Account: server.Sharer, Region: server.Home, Name: "inbox"}); err != nil {
		t.Fatal(err)
	}
	began := s.World.Clock.Now()
	publish(t, s, "acs.ecs")
	c := client(t, s, "local")
	events, err := c.Events(t.Context(), eventbridge.Query{Bus: "default", From: began, To: s.World.Clock.Now()})
	if err != nil || len(events) != 1 {
		t.Fatalf("events %+v, %v", events, err)
	}
	steps, err := c.Steps(t.Context(), "default", events[0].ID)
	if err != nil || len(steps) < 3 || steps[2].Action != eventbridge.Push || steps[2].Delivered() {
		t.Errorf("steps %+v, %v", steps, err)
	}
}

func TestEventsAndRulesAreReadToTheirEnd(t *testing.T) {
	s := newServer(t)
	began := s.World.Clock.Now()
	for range 101 {
		publish(t, s, "acs.ecs")
	}
	c := client(t, s, "local")
	events, err := c.Events(t.Context(), eventbridge.Query{Bus: "default", From: began, To: s.World.Clock.Now()})
	if err != nil || len(events) != 101 {
		t.Errorf("%d events, %v", len(events), err)
	}
	rules, err := c.Rules(t.Context(), "default", "running-")
	if err != nil || len(rules) != 1 || rules[0].Name != name || len(rules[0].Targets) != 1 {
		t.Errorf("rules %+v, %v", rules, err)
	}
	if rules, err := c.Rules(t.Context(), "default", "another"); err != nil || rules != nil {
		t.Errorf("rules %+v, %v", rules, err)
	}
}

func TestAPatternIsComparedAndARoleIsLookedUp(t *testing.T) {
	s := newServer(t)
	c := client(t, s, "local")
	for pattern, want := range map[string]bool{`{"source":["acs.ecs"]}`: true, `{"source":["acs.oss"]}`: false} {
		if got, err := c.Matches(t.Context(), `{"source":"acs.ecs"}`, pattern); got != want || err != nil {
			t.Errorf("%s: %v, %v", pattern, got, err)
		}
	}
	if got, err := c.Matches(t.Context(), `{}`, `[`); got || fleet.ClassOf(err) != fleet.Invalid {
		t.Errorf("a broken pattern: %v, %v", got, err)
	}
	const role = "AliyunServiceRoleForEventBridgeSendToMNS"
	for _, want := range []bool{true, false} {
		if got, err := c.HasRole(t.Context(), role); got != want || err != nil {
			t.Errorf("has role: %v, %v", got, err)
		}
		s.ServiceRoles.Remove(server.Sharer, role)
	}
}

func TestEachReadIsDeniedWithoutItsRight(t *testing.T) {
	s := newServer(t)
	if err := s.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	c := client(t, s, "weak")
	for action, read := range map[string]func() error{
		"ListRules":        func() error { _, err := c.Rules(t.Context(), "default", ""); return err },
		"TestEventPattern": func() error { _, err := c.Matches(t.Context(), "{}", "{}"); return err },
		"QueryTracedEvents": func() error {
			_, err := c.Events(t.Context(), eventbridge.Query{Bus: "default"})
			return err
		},
		"QueryEventTraces":                 func() error { _, err := c.Steps(t.Context(), "default", "x"); return err },
		"CheckServiceLinkedRoleForProduct": func() error { _, err := c.HasRole(t.Context(), "x"); return err },
	} {
		if err := read(); fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// Of a bus that does not exist nothing is known, which is not the same as no events.
func TestTheEventsOfAMissingBusAreNotFound(t *testing.T) {
	c := client(t, newServer(t), "local")
	if got, err := c.Events(t.Context(), eventbridge.Query{Bus: "another"}); got != nil || fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := c.Steps(t.Context(), "another", "x"); got != nil || fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAListThatRepeatsAPageIsAnError(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"RequestId":"1","Success":true,"Data":{"Rules":[],"Events":[],"NextToken":"2"}}`))
	}))
	t.Cleanup(srv.Close)
	c := eventbridge.New(aliyuntest.Cloud(t, srv.URL, aliyun.Keys{AccessKeyID: "ak", AccessKeySecret: "sk"}).NewSession(0), server.Home)
	if got, err := c.Events(t.Context(), eventbridge.Query{Bus: "default"}); err == nil {
		t.Errorf("events %v", got)
	}
	if got, err := c.Rules(t.Context(), "default", ""); err == nil {
		t.Errorf("rules %v", got)
	}
}
