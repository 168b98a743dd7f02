package cms_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/cms"
	"fleetwarden/shared/fleet"
)

var home = fleet.Scope{Account: server.Sharer, Region: server.Home}

func queue(name string) mns.Queue {
	return mns.Queue{Account: server.Sharer, Region: server.Home, Name: name}
}

// newServer has an inbox and 412 dead letters.
func newServer(t *testing.T) *server.Server {
	t.Helper()
	s := aliyuntest.Serve(t, server.Options{})
	for _, name := range []string{"inbox", "dead"} {
		if _, err := s.MNS.Create(queue(name), mns.Defaults()); err != nil {
			t.Fatal(err)
		}
	}
	for range 412 {
		if _, err := s.MNS.Send(queue("dead"), mns.Outgoing{Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func client(t *testing.T, url, key string) (*cms.Client, *aliyun.Session) {
	t.Helper()
	session := aliyuntest.Cloud(t, url, aliyun.Keys{AccessKeyID: key + "-ak", AccessKeySecret: key + "-sk"}).NewSession(0)
	return cms.New(session, home), session
}

func TestTheDepthOfQueuesIsReadInThreeCalls(t *testing.T) {
	s := newServer(t)
	c, session := client(t, s.URL(), "local")
	queues := []string{"dead", "inbox", "missing"}
	if got, err := c.Depths(t.Context(), queues); err != nil || len(got) != 0 {
		t.Errorf("before the first sample: %v, %v", got, err)
	}
	began := s.World.Clock.Now()
	if err := s.World.Clock.Advance(t.Context(), 8*time.Minute); err != nil {
		t.Fatal(err)
	}
	got, err := c.Depths(t.Context(), queues)
	at := began.Add(5 * time.Minute)
	want := map[string]cms.Depth{"dead": {Visible: 412, At: at}, "inbox": {At: at}} // of a missing queue nothing is known
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if n := session.Calls()["cms:DescribeMetricLast"]["ok"]; n != 6 {
		t.Errorf("%d calls for two reads", n)
	}
}

func TestADepthThatMayNotBeReadIsDeniedAndNotZero(t *testing.T) {
	s := newServer(t)
	if err := s.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	c, _ := client(t, s.URL(), "weak")
	if got, err := c.Depths(t.Context(), []string{"dead"}); got != nil || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAReadIsRepeatedWhenItFailsForAMoment(t *testing.T) {
	s := newServer(t)
	for _, kind := range []simcloud.FaultKind{simcloud.Throttle, simcloud.Unavailable, simcloud.TimeoutBefore, simcloud.Empty} {
		if err := s.Faults.Set(1, []simcloud.Fault{{Product: "cms", Kind: kind, Count: 1}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		c, _ := client(t, s.URL(), "local")
		if _, err := c.Depths(t.Context(), []string{"dead"}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// answering is a client of a service that gives each call the next answer, and the last one
// again and again.
func answering(t *testing.T, answers ...string) *cms.Client {
	t.Helper()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(answers[min(n, len(answers)-1)]))
		n++
	}))
	t.Cleanup(srv.Close)
	c, _ := client(t, srv.URL, "local")
	return c
}

func page(points, token string) string {
	return fmt.Sprintf(`{"RequestId":"1","Code":"200","Success":true,"Datapoints":%q,"NextToken":%q}`, points, token)
}

func point(queue, value string, ms int) string {
	return fmt.Sprintf(`{"timestamp":%d,"userId":"1000000000000001","region":"cn-hangzhou","queue":%q,%s}`, ms, queue, value)
}

func TestTheNewestPointOfAQueueCounts(t *testing.T) {
	c := answering(t,
		page("["+point("a", `"Maximum":1`, 2000)+","+point("a", `"Maximum":2`, 1000)+"]", "2"),
		page("["+point("b", `"Value":3`, 1000)+"]", ""),
		page("["+point("a", `"value":4`, 1000)+","+point("b", `"Average":5`, 3000)+","+strings.Replace(point("a", `"Maximum":9`, 9000), "hangzhou", "shanghai", 1)+"]", ""))
	got, err := c.Depths(t.Context(), []string{"a", "b"})
	want := map[string]cms.Depth{
		"a": {Visible: 1, Invisible: 4, Delayed: 4, At: time.UnixMilli(1000).UTC()},
		"b": {Visible: 3, Invisible: 5, Delayed: 5, At: time.UnixMilli(1000).UTC()},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// Points that cannot be read are an error, and no depth of 0.
func TestPointsThatCannotBeReadAreAnError(t *testing.T) {
	for name, answer := range map[string]string{
		"no JSON":         page("secret", ""),
		"no value":        page("["+point("a", `"Moon":1`, 1)+"]", ""),
		"a negative one":  page("["+point("a", `"Maximum":-1`, 1)+"]", ""),
		"no time":         page("["+point("a", `"Maximum":1`, 0)+"]", ""),
		"no queue":        page("["+point("", `"Maximum":1`, 1)+"]", ""),
		"a refusal":       `{"RequestId":"1","Code":"400","Success":false,"Message":"no"}`,
		"an endless list": page("[]", "2"),
	} {
		got, err := answering(t, answer).Depths(t.Context(), []string{"a"})
		if got != nil || err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
