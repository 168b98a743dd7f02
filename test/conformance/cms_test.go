package conformance_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	v1cms "github.com/aliyun/alibaba-cloud-sdk-go/services/cms"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

const monitor = "2019-01-01"

// depth is the last point of a metric of the queues that the dimensions name, as the older
// SDK reads it.
func (c *cloud) depth(metric, dimensions string) (out []string) {
	c.t.Helper()
	api, err := v1cms.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	c.ok(err)
	q := v1cms.CreateDescribeMetricLastRequest()
	q.Domain, q.Namespace, q.MetricName, q.Dimensions = c.host(), "acs_mns_new", metric, dimensions
	got, err := api.DescribeMetricLast(q)
	c.ok(err)
	if got.Code != "200" || !got.Success || got.Period != "300" {
		c.t.Errorf("got %+v", got)
	}
	var points []struct {
		Timestamp             int64
		Maximum               int
		UserId, Region, Queue string
	}
	c.ok(json.Unmarshal([]byte(got.Datapoints), &points))
	for _, p := range points {
		if p.UserId != server.Sharer || p.Region != server.Home {
			c.t.Errorf("got %+v", p)
		}
		out = append(out, fmt.Sprintf("%s %d %s", p.Queue, p.Maximum, time.UnixMilli(p.Timestamp).UTC().Format("15:04")))
	}
	return out
}

const ofDead = `[{"userId":"1000000000000001","region":"cn-hangzhou","queue":"dead"}]`

func TestQueueDepthIsWhatTheQueueHeldSomeMinutesAgo(t *testing.T) {
	c := newCloud(t, server.Options{})
	withQueues(c)
	want := func(metric string, points ...string) {
		t.Helper()
		if diff := cmp.Diff(points, c.depth(metric, ofDead)); diff != "" {
			t.Errorf("%s at %s: %s", metric, c.World.Clock.Now().Format("15:04"), diff)
		}
	}
	later := time.Hour
	for _, m := range []mns.Outgoing{{Body: "a"}, {Body: "b"}, {Body: "c"}, {Body: "later", Delay: &later}} {
		_, err := c.MNS.Send(queueNamed("dead"), m)
		c.ok(err)
	}
	c.ok(c.MNS.SetAttributes(queueNamed("dead"), func(a *mns.Attributes) { a.VisibilityTimeout = 600 }))
	_, err := c.MNS.Receive(queueNamed("dead"), 1)
	c.ok(err)
	want("NumberOfMessagesVisible") // no sample yet
	c.pass(6 * time.Minute)
	want("NumberOfMessagesVisible") // the sample of 00:05 is on its way
	c.pass(time.Minute)
	want("NumberOfMessagesVisible", "dead 2 00:05")
	want("NumberOfMessagesInvisible", "dead 1 00:05")
	want("NumberOfMessagesDelayed", "dead 1 00:05")
	c.pass(2 * time.Minute)
	got, err := c.MNS.Receive(queueNamed("dead"), 16)
	c.ok(err)
	for _, m := range got {
		c.ok(c.MNS.Delete(queueNamed("dead"), m.ReceiptHandle))
	}
	want("NumberOfMessagesVisible", "dead 2 00:05") // they are gone, and CloudMonitor does not know
	c.pass(3 * time.Minute)
	want("NumberOfMessagesVisible", "dead 0 00:10")
	c.pass(2 * time.Hour)
	want("NumberOfMessagesVisible", "dead 2 02:10") // the hidden one and the delayed one have become visible
	want("NumberOfMessagesInvisible", "dead 0 02:10")
	if diff := cmp.Diff([]string{"dead 2 02:10", "inbox 0 02:10"}, c.depth("NumberOfMessagesVisible", "")); diff != "" {
		t.Error(diff)
	}
	for _, other := range []string{`{"userId":"1000000000000002"}`, `[{"region":"cn-shanghai"}]`, `[{"queue":"none"}]`, `[]`} {
		if got := c.depth("NumberOfMessagesVisible", other); got != nil {
			t.Errorf("%s: %v", other, got)
		}
	}
}

func TestWhatCloudMonitorDoesNotHaveIsRefused(t *testing.T) {
	p := plane{newCloud(t, server.Options{}), sharerAdmin, monitor}
	p.refused("DescribeMetricLast", map[string]any{"Namespace": "acs_mns_new", "MetricName": "Moon"}, 404, "ResourceNotFound")
	p.refused("DescribeMetricLast", map[string]any{"Namespace": "acs_moon", "MetricName": "NumberOfMessagesVisible"}, 404, "ResourceNotFound")
	p.refused("DescribeMetricLast", map[string]any{"Namespace": "acs_mns_new", "MetricName": "NumberOfMessagesVisible", "Dimensions": `[{"moon":"x"}]`}, 400, "InvalidParameter")
	p.refused("DescribeMetricLast", map[string]any{"Namespace": "acs_mns_new", "MetricName": "NumberOfMessagesVisible", "Period": "60"}, 400, "InvalidParameter")
	if _, err := p.form(p.who, monitor, "DescribeMetricLast", map[string]any{"Namespace": "acs_mns_new"}); err == nil {
		t.Error("a call without MetricName was answered")
	}
}

// Sources differ on the action: either is enough.
func TestQueueDepthNeedsOneOfTwoRights(t *testing.T) {
	c := newCloud(t, server.Options{})
	params := map[string]any{"Namespace": "acs_mns_new", "MetricName": "NumberOfMessagesVisible"}
	for _, action := range []string{"QueryMetricLast", "DescribeMetricLast"} {
		alone := c.acting("with-"+action, `{"Effect":"Allow","Action":"cms:`+action+`","Resource":"*"}`)
		plane{c, alone, monitor}.must("DescribeMetricLast", params, `"Success":true`)
	}
	others := c.acting("all-else", `{"Effect":"Allow","Action":"cms:*","Resource":"*"},{"Effect":"Deny","Action":["cms:QueryMetricLast","cms:DescribeMetricLast"],"Resource":"*"}`)
	plane{c, others, monitor}.refused("DescribeMetricLast", params, 403, "Forbidden.RAM")
}
