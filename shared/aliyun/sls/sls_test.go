package sls_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	sim "fleetwarden/deploy/local/simcloud/sls"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sls"
	"fleetwarden/shared/fleet"
)

var place = sls.Place{Region: server.Home, Project: "logs-of-home", Name: "functions"}

// bench is a cloud with a log store of n lines at one moment, and a client that does not
// wait between tries.
type bench struct {
	*server.Server
	*sls.Client
	session *aliyun.Session
	waits   []time.Duration
	began   time.Time
}

func newBench(t *testing.T, n int, key string) *bench {
	t.Helper()
	b := &bench{Server: aliyuntest.Serve(t, server.Options{})}
	b.began = b.World.Clock.Now()
	store := sim.Store{Account: server.Sharer, Region: server.Home, Project: place.Project, Name: place.Name}
	b.SLS.Create(store, &sim.Index{Fields: map[string]string{"functionName": "text"}, Leaves: map[string]string{"type": "text", "n": "long"}})
	b.SLS.Create(sim.Store{Account: server.Sharer, Region: server.Home, Project: place.Project, Name: "bare"}, nil)
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"type":"pass","n":%d,"text":"<&> 日本"}`+"\n", i)
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b.SLS.Write(store, sim.Batch{At: b.began, Function: "sweep", Instance: "c-1", Path: path, Length: int64(text.Len())})
	cloud := aliyuntest.Cloud(t, b.URL(), aliyun.Keys{AccessKeyID: key + "-ak", AccessKeySecret: key + "-sk"})
	cloud.Sleep = func(_ context.Context, d time.Duration) error { b.waits = append(b.waits, d); return nil }
	b.session = cloud.NewSession(0)
	b.Client = sls.New(b.session, place)
	return b
}

func (b *bench) query(search string, limit int) sls.Query {
	return sls.Query{Search: search, From: b.began, To: b.began.Add(time.Hour), Limit: limit}
}

func (b *bench) fail(t *testing.T, faults ...simcloud.Fault) {
	t.Helper()
	if err := b.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
}

func TestLinesAreReadPageByPageUpToALimit(t *testing.T) {
	b := newBench(t, 250, "local")
	for limit, want := range map[int][2]int{1: {1, 1}, 100: {100, 1}, 101: {101, 2}, 250: {250, 3}, 1000: {250, 3}} {
		before := b.session.Calls()["sls:GetLogs"]["ok"]
		got, err := b.Search(t.Context(), b.query("message.type: pass", limit))
		if calls := b.session.Calls()["sls:GetLogs"]["ok"] - before; err != nil || !got.Complete || len(got.Lines) != want[0] || calls != want[1] {
			t.Errorf("limit %d: %d lines in %d calls, complete %v, %v", limit, len(got.Lines), calls, got.Complete, err)
		}
	}
	got, err := b.Search(t.Context(), sls.Query{Search: "*", From: b.began, To: b.began.Add(time.Second), Limit: 1, Newest: true})
	if err != nil || len(got.Lines) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	l := got.Lines[0]
	if !l.At.Equal(b.began) || l.Fields["functionName"] != "sweep" || l.Fields["message"] != `{"type":"pass","n":249,"text":"<&> 日本"}` {
		t.Errorf("got %+v", l)
	}
	if !b.session.Now().Equal(b.World.Clock.Now()) {
		t.Error("the answer's date is not the cloud's time")
	}
}

func TestNothingFoundIsComplete(t *testing.T) {
	b := newBench(t, 3, "local")
	got, err := b.Search(t.Context(), b.query("message.type: other", 10))
	if err != nil || !got.Complete || len(got.Lines) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnIncompleteSearchIsRepeated(t *testing.T) {
	b := newBench(t, 150, "local")
	b.fail(t, simcloud.Fault{Product: "sls", Kind: simcloud.Incomplete, Skip: 1, Count: 2})
	got, err := b.Search(t.Context(), b.query("*", 1000))
	if err != nil || !got.Complete || len(got.Lines) != 150 {
		t.Errorf("%d lines, complete %v, %v", len(got.Lines), got.Complete, err)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, time.Second}, b.waits); diff != "" {
		t.Error(diff)
	}
}

// A part of the lines is never taken for all of them.
func TestASearchThatStaysIncompleteSaysSo(t *testing.T) {
	b := newBench(t, 150, "local")
	b.fail(t, simcloud.Fault{Product: "sls", Kind: simcloud.Incomplete})
	got, err := b.Search(t.Context(), b.query("*", 1000))
	if err != nil || got.Complete || len(got.Lines) != 50 || len(b.waits) != 4 {
		t.Errorf("%d lines, complete %v, %d waits, %v", len(got.Lines), got.Complete, len(b.waits), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := b.Search(ctx, b.query("*", 1)); fleet.ClassOf(err) != fleet.Canceled {
		t.Errorf("canceled: %+v, %v", got, err)
	}
}

func TestTheIndexAndTheDaysAreRead(t *testing.T) {
	b := newBench(t, 0, "local")
	got, err := b.Index(t.Context())
	want := &sls.Index{FullText: true, Fields: map[string]string{"functionName": "text", "message": "json", "message.type": "text", "message.n": "long"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if days, err := b.Days(t.Context()); err != nil || days != 30 {
		t.Errorf("%d days, %v", days, err)
	}
}

func TestFailuresAreOfTheirClass(t *testing.T) {
	b := newBench(t, 1, "local")
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	at := func(key string, p sls.Place) *sls.Client {
		cloud := aliyuntest.Cloud(t, b.URL(), aliyun.Keys{AccessKeyID: key + "-ak", AccessKeySecret: key + "-sk"})
		return sls.New(cloud.NewSession(0), p)
	}
	wrong := aliyuntest.Cloud(t, b.URL(), aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "guess"})
	none, err := aliyun.NewCloud(&aliyun.Renewable{}, b.URL())
	if err != nil {
		t.Fatal(err)
	}
	other := func(region fleet.Region, project, name string) *sls.Client {
		return at("local", sls.Place{region, project, name})
	}
	for name, x := range map[string]struct {
		client *sls.Client
		class  fleet.Class
	}{
		"no right":         {at("weak", place), fleet.Denied},
		"another account":  {at("sharee", place), fleet.Denied},
		"a wrong secret":   {sls.New(wrong.NewSession(0), place), fleet.Denied},
		"no keys":          {sls.New(none.NewSession(0), place), fleet.Denied},
		"no project":       {other(server.Home, "none", "functions"), fleet.NotFound},
		"no store":         {other(server.Home, place.Project, "none"), fleet.NotFound},
		"no region":        {other("CN", place.Project, "functions"), fleet.Invalid},
		"a path as a name": {other(server.Home, place.Project, "a/../b"), fleet.Invalid},
		"a host as a name": {other(server.Home, "evil.example/", "functions"), fleet.Invalid},
		"an empty name":    {other(server.Home, "", ""), fleet.Invalid},
	} {
		_, search := x.client.Search(t.Context(), b.query("*", 1))
		_, index := x.client.Index(t.Context())
		_, days := x.client.Days(t.Context())
		for _, err := range []error{search, index, days} {
			if fleet.ClassOf(err) != x.class || strings.Contains(fmt.Sprint(err), "guess") {
				t.Errorf("%s: %v, want %v", name, err, x.class)
			}
		}
	}
	if _, err := at("local", sls.Place{server.Home, place.Project, "bare"}).Index(t.Context()); fleet.ClassOf(err) != fleet.NotFound || fleet.CodeOf(err) != "IndexConfigNotExist" {
		t.Errorf("without an index: %v", err)
	}
	for _, search := range []string{"* | select 1", "message.other: x"} {
		if _, err := b.Search(t.Context(), b.query(search, 1)); fleet.ClassOf(err) != fleet.Invalid || fleet.CodeOf(err) != "ParameterInvalid" {
			t.Errorf("%s: %v", search, err)
		}
	}
}

func TestAReadIsRepeatedWhenItFailsForAMoment(t *testing.T) {
	for _, kind := range []simcloud.FaultKind{simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError, simcloud.TimeoutBefore, simcloud.TimeoutAfter, simcloud.Empty} {
		b := newBench(t, 1, "local")
		b.fail(t, simcloud.Fault{Product: "sls", Kind: kind, Count: 1})
		got, err := b.Search(t.Context(), b.query("*", 10))
		if err != nil || len(got.Lines) != 1 {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
}

// An answer that is not as documented is an error, and not an empty log.
func TestAnAnswerThatCannotBeReadIsAnError(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": "secret", "no progress": `{"meta":{},"data":[]}`, "an unknown progress": `{"meta":{"progress":"Perhaps"},"data":[]}`,
		"a line without time": `{"meta":{"progress":"Complete"},"data":[{"message":"x"}]}`, "too many lines": `{"meta":{"progress":"Complete"},"data":[{"__time__":"1"},{"__time__":"1"}]}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-log-requestid", "1")
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(srv.Close)
		cloud := aliyuntest.Cloud(t, srv.URL, aliyuntest.Admin())
		got, err := sls.New(cloud.NewSession(0), place).Search(t.Context(), sls.Query{Limit: 1})
		if fleet.ClassOf(err) != fleet.Unavailable || len(got.Lines) != 0 || got.Complete || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
