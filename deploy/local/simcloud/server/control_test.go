package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

func start(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	s, err := server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func control(t *testing.T, s *server.Server, method, path, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+"/_sim/"+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, b)
	}
	return resp.StatusCode, out
}

func TestHealthHasTheVirtualTime(t *testing.T) {
	s := start(t, server.Options{})
	status, got := control(t, s, "GET", "health", "")
	if status != 200 || got["ok"] != true || got["now"] != "2026-01-05T00:00:00Z" {
		t.Errorf("got %d %v", status, got)
	}
}

func TestControlRefusesWhatItDoesNotUnderstand(t *testing.T) {
	s := start(t, server.Options{})
	for _, x := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "nothing", "", 404}, {"POST", "health", "", 404},
		{"GET", "requests?since=x", "", 400},
		{"POST", "advance", "", 400}, {"POST", "advance", "{", 400}, {"POST", "advance", "{}", 400},
		{"POST", "advance", `{"by":"10"}`, 400}, {"POST", "advance", `{"by":"-1m"}`, 400},
		{"POST", "advance", `{"by":"1m","until":"quiet"}`, 400}, {"POST", "advance", `{"until":"quiet"}`, 400},
		{"POST", "advance", `{"by":"1m"} {}`, 400}, {"POST", "advance", `{"by":"1m","tpyo":1}`, 400},
		{"POST", "faults", `{"faults":[{"kind":"explode"}]}`, 400}, {"POST", "faults", `{"faults":{}}`, 400},
		{"POST", "events", `{"type":"t","data":{}}`, 400}, {"POST", "events", `{"source":"s","type":"t","data":{},"aliyunaccountid":"9"}`, 400},
		{"POST", "events", `{"source":"s","type":"t","data":{},"aliyunregionid":"moon"}`, 400},
		{"POST", "fleet", `{`, 400},
	} {
		status, got := control(t, s, x.method, x.path, x.body)
		if why, _ := got["error"].(string); status != x.want || why == "" {
			t.Errorf("%s %s %s: got %d %v, want %d and a reason", x.method, x.path, x.body, status, got, x.want)
		}
	}
	if !s.World.Clock.Now().Equal(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)) {
		t.Error("a refused request moved the time")
	}
}

func TestControlAnswersTheLoopbackOnly(t *testing.T) {
	s := start(t, server.Options{})
	for addr, want := range map[string]int{"10.0.0.1:5": 403, "127.0.0.1:5": 200, "[::1]:5": 200, "": 403} {
		r := httptest.NewRequest("GET", "/_sim/health", nil)
		r.RemoteAddr = addr
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("from %q: got %d, want %d", addr, w.Code, want)
		}
	}
}

func TestAdvanceMovesTheTimeAndRunsWhatIsDue(t *testing.T) {
	s := start(t, server.Options{})
	ran := 0
	s.World.Clock.After(time.Minute, func() { ran++ })
	s.World.Clock.After(time.Hour, func() { ran++ })
	if status, got := control(t, s, "POST", "advance", `{"by":"10m"}`); status != 200 || got["now"] != "2026-01-05T00:10:00Z" {
		t.Errorf("got %d %v", status, got)
	}
	if ran != 1 {
		t.Errorf("%d items ran, want 1", ran)
	}
	if _, got := control(t, s, "POST", "advance", `{"until":"quiet","max":"2h"}`); got["quiet"] != true || ran != 2 {
		t.Errorf("got %v after %d items", got, ran)
	}
}

func TestPostedEventReachesTheBus(t *testing.T) {
	s := start(t, server.Options{})
	var got []simcloud.Event
	s.World.Subscribe(func(e simcloud.Event) { got = append(got, e) })
	status, _ := control(t, s, "POST", "events",
		`{"source":"acs.ecs","type":"ecs:Instance:StateChange","id":"e","subject":"s","data":{"a":1},"aliyunregionid":"cn-shanghai"}`)
	if status != 200 || len(got) != 1 {
		t.Fatalf("got %d and %d events", status, len(got))
	}
	e := got[0]
	if e.Account != server.Sharer || e.Region != "cn-shanghai" || e.ID != "e" || string(e.Data) != `{"a":1}` || e.Time.IsZero() {
		t.Errorf("got %+v", e)
	}
}

func TestDigestChangesWithTheStateAlone(t *testing.T) {
	s := start(t, server.Options{})
	digest := func() string {
		_, got := control(t, s, "GET", "world?digest=1", "")
		return fmt.Sprint(got["digest"])
	}
	before := digest()
	control(t, s, "POST", "advance", `{"by":"10m"}`)
	if digest() != before {
		t.Error("time alone changed the digest")
	}
	s.KMS.SetStatus(server.Sharer, server.Home, "InDebt")
	changed := digest()
	s.KMS.SetStatus(server.Sharer, server.Home, "Enabled")
	if changed == before || digest() != before {
		t.Error("the digest must change with the state, and come back with it")
	}
}

func TestFollowingServerKeepsTheTime(t *testing.T) {
	s := start(t, server.Options{Rate: 1000})
	reached := make(chan struct{})
	s.World.Clock.After(10*time.Second, func() { close(reached) })
	<-reached
}
