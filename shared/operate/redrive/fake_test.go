package redrive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
)

const (
	account = fleet.AccountID("1000000000000001")
	region  = fleet.Region("cn-hangzhou")
	secret  = "canary-4711"
	// timer is what a timer trigger of ours sends.
	timer = `{"triggerTime":"2026-11-20T12:00:00Z","triggerName":"every-five-minutes","payload":""}`
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

// letters is a queue of dead letters. Received ones are hidden; an impatient queue shows them
// again when it has no others.
type letters struct {
	queue     string
	visible   []mns.Received
	hidden    []mns.Received
	impatient bool
	received  int
	calls     int
	undelete  map[string]bool // ids that cannot be deleted
	err       error
}

func (q *letters) Peek(_ context.Context, name string, n int) ([]mns.Received, error) {
	q.queue = name
	return q.visible[:min(n, len(q.visible))], q.err
}

func (q *letters) Receive(_ context.Context, name string, n int) ([]mns.Received, error) {
	q.queue, q.calls = name, q.calls+1
	if q.err != nil {
		return nil, q.err
	}
	if len(q.visible) == 0 && q.impatient {
		q.visible, q.hidden = q.hidden, nil
	}
	n = min(n, len(q.visible))
	got := slices.Clone(q.visible[:n])
	for i := range got {
		q.received++
		got[i].Handle = fmt.Sprintf("%s#%d", got[i].ID, q.received)
	}
	q.hidden, q.visible = append(q.hidden, got...), q.visible[n:]
	return got, nil
}

func (q *letters) Delete(_ context.Context, _ string, handles []string) []error {
	out := make([]error, len(handles))
	for i, h := range handles {
		at := slices.IndexFunc(q.hidden, func(m mns.Received) bool { return m.Handle == h })
		if at < 0 || q.undelete[q.hidden[at].ID] {
			out[i] = failure{fleet.NotFound}
			continue
		}
		q.hidden = slices.Delete(q.hidden, at, at+1)
	}
	return out
}

// left are the ids of all letters that the queue still has.
func (q *letters) left() (ids []string) {
	for _, m := range slices.Concat(q.visible, q.hidden) {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// inboxes record the refs that they get; that of broken fails.
type inboxes struct {
	got    map[string][]fleet.Ref
	calls  int
	broken string
}

var (
	errFull  = errors.New("no more room")
	errMixed = errors.New("refs of several regions")
)

func (b *inboxes) Enqueue(_ context.Context, function string, refs []fleet.Ref) error {
	b.calls++
	if function == b.broken {
		return errFull
	}
	if slices.ContainsFunc(refs, func(r fleet.Ref) bool { return r.Scope.Region != refs[0].Scope.Region }) {
		return errMixed
	}
	b.got[function] = append(b.got[function], refs...)
	return nil
}

func (b *inboxes) ids(function string) (out []string) {
	for _, r := range b.got[function] {
		out = append(out, r.ID)
	}
	return out
}

type bench struct {
	*redrive.Redrive
	queue   *letters
	inboxes *inboxes
	seen    []redrive.Letter
}

func newBench(t *testing.T, bodies ...string) *bench {
	t.Helper()
	b := &bench{queue: &letters{}, inboxes: &inboxes{got: map[string][]fleet.Ref{}}}
	b.Redrive = &redrive.Redrive{Queue: b.queue, Inboxes: b.inboxes, Decode: decode, Run: "run-1",
		Seen: func(l redrive.Letter) { b.seen = append(b.seen, l) }}
	for i, body := range bodies {
		b.queue.visible = append(b.queue.visible, mns.Received{ID: fmt.Sprintf("m-%03d", i), Body: body, Enqueued: noon})
	}
	return b
}

func (b *bench) do(t *testing.T) redrive.Sum {
	t.Helper()
	sum, err := b.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// decode decodes as backfill does.
func decode(payload []byte) iter.Seq2[fleet.Batch, error] {
	return events.Batches(events.Decode(payload), receiver{}, fleet.Functions()...)
}

// receiver has one account.
type receiver struct{}

func (receiver) Knows(a fleet.AccountID) bool          { return a == account }
func (receiver) Guards(fleet.Scope) bool               { return true }
func (receiver) Reaches(a fleet.AccountID) bool        { return a == account }
func (receiver) RoleIn(fleet.AccountID) (string, bool) { return "", false }
func (receiver) Requeue([]byte) error                  { return &fleet.BadInput{What: "it stays in its letter"} }

// message is one of our own messages, which ran out of tries.
func message(function string, ids ...string) string {
	body, _ := json.Marshal(fleet.Message{V: 1, Function: function, Scope: fleet.Scope{Account: account, Region: region}, Kind: fleet.KindInstance,
		IDs: ids, Try: 99, FirstSeen: noon.AddDate(0, 0, -3), Run: "old"})
	return string(body)
}

func shareMessage(function string) string {
	body, _ := json.Marshal(fleet.Message{V: 1, Function: function, Scope: fleet.Scope{Account: account}, Kind: fleet.KindImageShare, IDs: []string{""}})
	return string(body)
}

// launch is an event that EventBridge could not deliver.
func launch(ids ...string) string {
	list, _ := json.Marshal(ids)
	return trailEvent("RunInstances", fmt.Sprintf(`"responseElements":{"InstanceIdSets":{"InstanceIdSet":%s}},"requestParameters":{"Password":%q,"UserData":%[2]q}`, list, secret))
}

func trailEvent(name, rest string) string {
	return fmt.Sprintf(`{"id":"e-1","source":"acs.ecs","specversion":"1.0","type":"ecs:ActionTrail:ApiCall","subject":%q,"aliyunaccountid":%q,
		"data":{"eventId":"t-1","eventName":%q,"serviceName":"Ecs","acsRegion":%q,"recipientAccountId":%[2]q,%[5]s}}`, secret, account, name, region, rest)
}

func stateChange(id string) string {
	return fmt.Sprintf(`{"id":"e-2","source":"acs.ecs","specversion":"1.0","type":"ecs:Instance:StateChange","subject":"x","aliyunaccountid":%q,"aliyunregionid":%q,
		"data":{"resourceId":%q,"state":"Running"}}`, account, region, id)
}

// window is an element of a stream on a queue.
func window(queue, body string) string {
	return fmt.Sprintf(`{"id":"e-3","source":"MNS-x","specversion":"1.0","type":"mns:Queue:SendMessage","subject":"acs:mns:%s:%s:queues/%s",
		"aliyunaccountid":%[2]q,"data":{"requestId":"r","messageId":"m","messageBody":%[4]q}}`, region, account, queue, body)
}

// invocation is the record of an asynchronous invocation that failed.
func invocation(function, payload string) string {
	return fmt.Sprintf(`{"timestamp":1660120276975,"requestContext":{"requestId":"r-1","functionArn":"acs:fc:%s:%s:functions/%s","condition":"UnhandledInvocationError","approximateInvokeCount":4},
		"requestPayload":%[4]q,"responseContext":{"statusCode":200,"functionError":"UnhandledInvocationError"},"responsePayload":%[5]q}`, region, account, fleet.CloudName(function), payload, secret)
}
