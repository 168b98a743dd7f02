package conformance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	v1mns "github.com/aliyun/alibaba-cloud-sdk-go/services/mns-open"
	mnssdk "github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

const open = "2022-01-19"

func queueNamed(name string) mns.Queue {
	return mns.Queue{Account: server.Sharer, Region: server.Home, Name: name}
}

func withQueues(c *cloud) {
	for _, name := range []string{"dead", "inbox"} {
		_, err := c.MNS.Create(queueNamed(name), mns.Defaults())
		c.ok(err)
	}
}

func TestAQueueIsMadeShownChangedAndDeleted(t *testing.T) {
	c := newCloud(t, server.Options{})
	p := plane{c, sharerAdmin, open}
	p.must("CreateQueue", map[string]any{"QueueName": "dead"}, `"Success":true`)
	p.must("CreateQueue", map[string]any{"QueueName": "inbox", "MessageRetentionPeriod": 604800, "VisibilityTimeout": 600, "EnableLogging": false, "QueueType": "normal",
		"DlqPolicy": `{"DeadLetterTargetQueue":"dead","Enabled":true,"MaxReceiveCount":5}`, "Tag.1.Key": "fleetwarden:deployment", "Tag.1.Value": "one"})
	p.must("GetQueueAttributes", map[string]any{"QueueName": "inbox"}, `"VisibilityTimeout":600`, `"MessageRetentionPeriod":604800`, `"DelaySeconds":0`,
		`"DeadLetterTargetQueue":"dead"`, `"Enabled":true`, `"MaxReceiveCount":5`, `"CreateTime":1767571200`,
		`"Tags":[{"TagKey":"fleetwarden:deployment","TagValue":"one"}]`)
	p.must("TagResources", map[string]any{"ResourceType": "queue", "ResourceId.1": "inbox", "Tag.1.Key": "fleetwarden:deployment", "Tag.1.Value": "two", "Tag.2.Key": "team", "Tag.2.Value": "x"})
	p.must("UntagResources", map[string]any{"ResourceType": "queue", "ResourceId.1": "inbox", "TagKey.1": "team"})
	p.must("GetQueueAttributes", map[string]any{"QueueName": "inbox"}, `"Tags":[{"TagKey":"fleetwarden:deployment","TagValue":"two"}]`)
	p.refused("TagResources", map[string]any{"ResourceType": "queue", "ResourceId.1": "none", "Tag.1.Key": "a"}, 404, "QueueNotExist")
	p.refused("TagResources", map[string]any{"ResourceType": "topic", "ResourceId.1": "inbox", "Tag.1.Key": "a"}, 400, "InvalidArgument")
	p.must("SetQueueAttributes", map[string]any{"QueueName": "inbox", "PollingWaitSeconds": 10, "DlqPolicy": `{"Enabled":false}`})
	p.must("GetQueueAttributes", map[string]any{"QueueName": "inbox"}, `"PollingWaitSeconds":10`, `"VisibilityTimeout":600`, `"DlqPolicy":{"Enabled":false}`)
	p.must("DeleteQueue", map[string]any{"QueueName": "inbox"})
	p.refused("GetQueueAttributes", map[string]any{"QueueName": "inbox"}, 404, "QueueNotExist")
}

// The vendor has announced that the counters will be 0: who believes them sees no dead
// letters while 412 wait. The switch shows them as they are today.
func TestAQueuesCountersSayNothingUnlessTheyAreShown(t *testing.T) {
	c := newCloud(t, server.Options{})
	withQueues(c)
	const waiting = 412
	for range waiting {
		_, err := c.MNS.Send(queueNamed("dead"), mns.Outgoing{Body: "x"})
		c.ok(err)
	}
	later := time.Hour
	_, err := c.MNS.Send(queueNamed("dead"), mns.Outgoing{Body: "x", Delay: &later})
	c.ok(err)
	_, err = c.MNS.Receive(queueNamed("dead"), 2)
	c.ok(err)
	api, err := v1mns.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	c.ok(err)
	q := v1mns.CreateGetQueueAttributesRequest()
	q.Domain, q.QueueName = c.host(), "dead"
	manager := mnssdk.NewMNSQueueManager((&queues{url: c.host()}).client("local-ak", "local-sk", ""))
	for _, x := range []struct {
		control string
		want    [3]int64
	}{{`{}`, [3]int64{}}, {`{"shown":true}`, [3]int64{waiting - 2, 2, 1}}, {`{"shown":false}`, [3]int64{}}} {
		if status := c.control("POST", "counters", x.control, nil); status != 200 {
			t.Fatalf("%s: %d", x.control, status)
		}
		got, err := api.GetQueueAttributes(q)
		c.ok(err)
		d := got.Data
		if has := [3]int64{d.ActiveMessages, d.InactiveMessages, d.DelayMessages}; has != x.want || d.QueueName != "dead" || !got.Success || got.Code != 200 {
			t.Errorf("%s: Mns-open says %+v", x.control, d)
		}
		rest, err := manager.GetQueueAttributes("dead")
		c.ok(err)
		if has := [3]int64{rest.ActiveMessages, rest.InactiveMessages, rest.DelayMessages}; has != x.want || rest.QueueName != "dead" || rest.MessageRetentionPeriod != 345600 {
			t.Errorf("%s: the REST protocol says %+v", x.control, rest)
		}
	}
	if c.MNS.Visible(queueNamed("dead")) != waiting-2 {
		t.Error("messages are gone")
	}
	_, err = manager.GetQueueAttributes("none")
	refused(t, err, mnssdk.ERR_MNS_QUEUE_NOT_EXIST)
}

func TestMNSQueueAttributesNeedTheirRight(t *testing.T) {
	q := newQueues(t, &keys{})
	q.queue(t, "q")
	manager := mnssdk.NewMNSQueueManager(q.client("local-ak", "local-sk", ""))
	if _, err := manager.GetQueueAttributes("q"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"mns:GetQueueAttributes acs:mns:cn-hangzhou:1000000000000001:/queues/q"}, q.keys.asked); diff != "" {
		t.Error(diff)
	}
	q.keys.deny = map[string]bool{"mns:GetQueueAttributes": true}
	_, err := manager.GetQueueAttributes("q")
	refused(t, err, mnssdk.ERR_MNS_ACCESS_DENIED)
}

func TestQueuesAreListedInPages(t *testing.T) {
	c := newCloud(t, server.Options{})
	for i := range 12 {
		_, err := c.MNS.Create(queueNamed(fmt.Sprintf("q-%02d", i)), mns.Defaults())
		c.ok(err)
	}
	api, err := v1mns.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	c.ok(err)
	list := func(prefix string, page, size int) []any {
		t.Helper()
		q := v1mns.CreateListQueueRequest()
		q.Domain, q.QueueName, q.PageNum, q.PageSize = c.host(), prefix, requests.NewInteger(page), requests.NewInteger(size)
		out, err := api.ListQueue(q)
		c.ok(err)
		first := ""
		if len(out.Data.PageData) > 0 {
			first = out.Data.PageData[0].QueueName
		}
		return []any{len(out.Data.PageData), first, out.Data.Total, out.Data.Pages}
	}
	for _, x := range []struct {
		got, want []any
	}{
		{list("", 1, 10), []any{10, "q-00", int64(12), int64(2)}},
		{list("", 2, 10), []any{2, "q-10", int64(12), int64(2)}},
		{list("", 9, 10), []any{0, "", int64(12), int64(2)}},
		{list("q-1", 1, 50), []any{2, "q-10", int64(2), int64(1)}},
	} {
		if diff := cmp.Diff(x.want, x.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatAQueueCannotBeIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	withQueues(c)
	p := plane{c, sharerAdmin, open}
	p.refused("CreateQueue", map[string]any{"QueueName": "a_b"}, 400, "InvalidQueueName")
	p.refused("CreateQueue", map[string]any{"QueueName": "q", "VisibilityTimeout": 0}, 400, "InvalidArgument")
	p.refused("CreateQueue", map[string]any{"QueueName": "dead", "VisibilityTimeout": 99}, 409, "QueueAlreadyExist")
	p.refused("CreateQueue", map[string]any{"QueueName": "q", "QueueType": "fifo"}, 400, "InvalidArgument")
	p.refused("CreateQueue", map[string]any{"QueueName": "q", "DlqPolicy": `{"Enabled":true,"DeadLetterTargetQueue":"none"}`}, 404, "QueueNotExist")
	p.refused("GetQueueAttributes", map[string]any{"QueueName": "q"}, 404, "QueueNotExist") // nothing was left behind
	p.refused("SetQueueAttributes", map[string]any{"QueueName": "dead", "DlqPolicy": `{"Enabled":true,"DeadLetterTargetQueue":"dead"}`}, 400, "InvalidArgument")
	p.refused("SetQueueAttributes", map[string]any{"QueueName": "dead", "DlqPolicy": `{"enabled":true}`}, 400, "InvalidArgument")
	p.refused("SetQueueAttributes", map[string]any{"QueueName": "none", "DelaySeconds": 1}, 404, "QueueNotExist")
	p.refused("ListQueue", map[string]any{"PageSize": 5}, 400, "InvalidArgument")
	p.refused("ListQueue", map[string]any{"Prefix": "x"}, 400, "InvalidParameter")
}

func TestMnsOpenNeedsItsRights(t *testing.T) {
	needsRights(t, open, withQueues, "acs:mns:*:*:/queues/*", map[string]map[string]any{
		"mns:GetQueueAttributes": {"QueueName": "inbox"},
		"mns:SetQueueAttributes": {"QueueName": "inbox", "DelaySeconds": 1},
		"mns:CreateQueue":        {"QueueName": "new"},
		"mns:DeleteQueue":        {"QueueName": "inbox"},
		"mns:TagResources":       {"ResourceType": "queue", "ResourceId.1": "inbox", "Tag.1.Key": "a", "Tag.1.Value": "b"},
		"mns:UntagResources":     {"ResourceType": "queue", "ResourceId.1": "inbox", "TagKey.1": "a"},
	}, "")
	needsRights(t, open, withQueues, "*", map[string]map[string]any{"mns:ListQueue": {}}, "")
}
