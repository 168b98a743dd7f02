package replay_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/replay"
)

const (
	account = fleet.AccountID("1000000000000001")
	region  = fleet.Region("cn-hangzhou")
	secret  = "canary-4711"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

// cloud is a trail in pages of two records, with tokens that it may come to refuse.
type cloud struct {
	records map[string][]trail.Record // by name, oldest first
	queries []trail.Query
	refuse  func(q trail.Query) error
	now     func() time.Time
}

func (c *cloud) Lookup(_ context.Context, r fleet.Region, q trail.Query) ([]trail.Record, string, error) {
	c.queries = append(c.queries, q)
	if q.Until.Before(q.Since) || q.Until.Sub(q.Since) > trail.Range || c.now().Sub(q.Since) > trail.Kept && q.Token == "" {
		return nil, "", failure{fleet.Denied} // not Invalid, which may be a token's
	}
	if c.refuse != nil {
		if err := c.refuse(q); err != nil {
			return nil, "", err
		}
	}
	var found []trail.Record
	for _, rec := range c.records[q.EventName] {
		if r == region && !rec.Time.Before(q.Since) && !rec.Time.After(q.Until) {
			found = append(found, rec)
		}
	}
	from := 0
	if q.Token != "" {
		// A token holds the index of the next record and the beginning of its window.
		var since int64
		if _, err := fmt.Sscanf(q.Token, "%d.%d", &from, &since); err != nil || since != q.Since.Unix() {
			return nil, "", failure{fleet.Invalid}
		}
	}
	to := min(from+2, len(found))
	if to == len(found) {
		return found[from:], "", nil
	}
	return found[from:to], fmt.Sprintf("%d.%d", to, q.Since.Unix()), nil
}

// launch makes a record of RunInstances; ids that are malformed cannot be decoded.
func (c *cloud) launch(at time.Time, ids ...string) {
	c.add("RunInstances", at, fmt.Sprintf(`"serviceName":"Ecs","responseElements":{"InstanceIdSets":{"InstanceIdSet":["%s"]}},"requestParameters":{"Amount":1,"Password":"%s"}`,
		strings.Join(ids, `","`), secret))
}

func (c *cloud) share(at time.Time) {
	c.add("ModifyImageSharePermission", at, `"serviceName":"Ecs","requestParameters":{"ImageId":"m-1","AddAccount.1":"1000000000000002"}`)
}

func (c *cloud) add(name string, at time.Time, rest string) {
	body := fmt.Sprintf(`{"eventId":"e-%d","eventName":%q,"eventType":"ApiCall","eventTime":%q,"acsRegion":%q,"recipientAccountId":%q,%s}`,
		len(c.records[name]), name, at.Format(time.RFC3339), region, account, rest)
	c.records[name] = append(c.records[name], trail.Record{Time: at, Body: []byte(body)})
}

// inboxes record the refs that they get, until they fail.
type inboxes struct {
	sent map[string][]fleet.Ref
	left int // sends until they fail; negative for never
	busy int // sends that are throttled first
}

var errFull = errors.New("no more room")

func (b *inboxes) Enqueue(_ context.Context, function string, refs []fleet.Ref) error {
	if b.left == 0 {
		return errFull
	}
	if b.busy > 0 {
		b.busy--
		return failure{fleet.Throttled}
	}
	b.left--
	b.sent[function] = append(b.sent[function], refs...)
	return nil
}

// ids are the distinct ids that a function was sent.
func (b *inboxes) ids(function string) (out []string) {
	for _, r := range b.sent[function] {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// store keeps objects, with pages of three names.
type store struct {
	objects map[string][]byte
	left    int // writes until they fail; negative for never
}

func (s *store) Put(_ context.Context, name string, body []byte) error {
	if s.left == 0 {
		return failure{fleet.Unavailable}
	}
	s.left--
	if _, ok := s.objects[name]; ok {
		return failure{fleet.Exists}
	}
	s.objects[name] = slices.Clone(body)
	return nil
}

func (s *store) Get(_ context.Context, name string) ([]byte, error) {
	body, ok := s.objects[name]
	if !ok {
		return nil, failure{fleet.NotFound}
	}
	return body, nil
}

func (s *store) List(_ context.Context, prefix, after string) (page []string, more bool, err error) {
	for _, name := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(name, prefix) && name > after {
			page = append(page, name)
		}
	}
	return page[:min(3, len(page))], len(page) > 3, nil
}

// bench is a replay with its dependencies. Its clock advances only while it sleeps.
type bench struct {
	*replay.Replay
	cloud   *cloud
	inboxes *inboxes
	store   *store
	steps   []replay.Step
	now     time.Time
	slept   []time.Duration
	waits   []replay.Wait
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{cloud: &cloud{records: map[string][]trail.Record{}}, inboxes: &inboxes{sent: map[string][]fleet.Ref{}, left: -1},
		store: &store{objects: map[string][]byte{}, left: -1}, now: noon}
	b.cloud.now = func() time.Time { return noon }
	b.Replay = &replay.Replay{
		Trail: b.cloud, Inboxes: b.inboxes, Store: b.store, Decode: decode,
		Seen:     func(s replay.Step) { b.steps = append(b.steps, s) },
		Waiting:  func(w replay.Wait) { b.waits = append(b.waits, w) },
		CloudNow: func() time.Time { return b.cloud.now() },
		Now:      func() time.Time { return b.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.slept, b.now = append(b.slept, d), b.now.Add(d)
			return ctx.Err()
		},
	}
	return b
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
func (receiver) Requeue([]byte) error                  { return &fleet.BadInput{What: "a trail has no messages"} }

// job is a day until an hour ago.
func job() replay.Job {
	return replay.Job{Run: "run-1", Region: region, Window: replay.Window{Since: noon.Add(-25 * time.Hour), Until: noon.Add(-time.Hour)}}
}

func (b *bench) start(t *testing.T) replay.Sum {
	t.Helper()
	sum, err := b.Start(t.Context(), job())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
