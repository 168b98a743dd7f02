// Package clients gives a canary the clients that it asks, for one call of the tool. It decides
// nothing.
package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/aliyun/sls"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/canary"
)

// Of returns what a call can ask.
func Of(inv *invocation.Invocation) canary.Cloud { return cloud{inv} }

// cloud is the clients of an invocation.
type cloud struct{ *invocation.Invocation }

// Launch implements canary.Cloud.
func (s cloud) Launch(ctx context.Context, region fleet.Region, token string) error {
	return ecs.New(s.Session).Canary(ctx, region, token)
}

// Trails implements canary.Cloud.
func (s cloud) Trails(ctx context.Context, region fleet.Region) ([]string, error) {
	return trail.New(s.Session).Logging(ctx, s.HomeOf("").Region, region)
}

// mostPages is how many pages of launches are read about the time of the canary's call, of 50 each.
// ActionTrail answers two pages a second.
const mostPages = 20

var errCrowded = fmt.Errorf("the call was not found among the first %d pages of launches about its time", mostPages)

// Recorded implements canary.Cloud.
func (s cloud) Recorded(ctx context.Context, region fleet.Region, token string, at time.Time) (bool, error) {
	q := trail.Query{Since: at.Add(-time.Minute).Truncate(time.Second), Until: at.Add(time.Minute).Truncate(time.Second), EventName: "RunInstances"}
	return recorded(q, token, func(q trail.Query) ([]trail.Record, string, error) {
		return trail.New(s.Session).Lookup(ctx, region, q)
	})
}

func recorded(q trail.Query, token string, lookup func(trail.Query) ([]trail.Record, string, error)) (bool, error) {
	for range mostPages {
		records, next, err := lookup(q)
		if err != nil {
			return false, err
		}
		for _, r := range records {
			if bytes.Contains(r.Body, []byte(token)) {
				return true, nil
			}
		}
		if q.Token = next; next == "" {
			return false, nil
		}
	}
	return false, errCrowded
}

// Pushed implements canary.Cloud.
func (s cloud) Pushed(ctx context.Context, region fleet.Region, event string) (at time.Time, answer string, err error) {
	steps, err := eventbridge.New(s.Session, region).Steps(ctx, fleet.DefaultBus, event)
	for _, step := range steps {
		if step.Action == eventbridge.Push && step.At.After(at) {
			at, answer = step.At, step.Status
		}
	}
	return at, answer, err
}

// Logged implements canary.Cloud.
func (s cloud) Logged(ctx context.Context, function string, region fleet.Region, text string, since time.Time) (at time.Time, event string, err error) {
	scope := fleet.Scope{Account: s.Home.Account, Region: region}
	store := sls.New(s.Session, sls.Place{Region: region, Project: fleet.LogProject(scope), Name: fleet.LogStore})
	found, err := store.Search(ctx, sls.Query{
		Search: fmt.Sprintf("functionName: %q and %q", fleet.CloudName(function), text), From: since.Add(-time.Minute), To: s.Now().Add(time.Minute), Limit: 1,
	})
	if err != nil || len(found.Lines) == 0 {
		return time.Time{}, "", err
	}
	return found.Lines[0].At, eventOf(found.Lines[0].Fields["message"]), nil
}

// eventOf is the id of the event that a record ignored, by its reason: "TYPE SOURCE|ID: WHY".
func eventOf(message string) string {
	var r fleet.Record
	if json.Unmarshal([]byte(message), &r) != nil || r.Finding == nil || r.Finding.Rule != "event" {
		return ""
	}
	where, _, _ := strings.Cut(r.Finding.Reason, ": ")
	_, id, _ := strings.Cut(where, "|")
	return id
}

// Now implements canary.Cloud.
func (s cloud) Now() time.Time { return s.Session.Now() }

// Wait implements canary.Cloud.
func (s cloud) Wait(ctx context.Context, d time.Duration) error {
	return s.Session.Cloud().Wait(ctx, d)
}

// Enqueue implements canary.Cloud.
func (s cloud) Enqueue(ctx context.Context, function string, region fleet.Region, ref fleet.Ref) error {
	return s.Invocation.Enqueue(ctx, function, region, []fleet.Ref{ref})
}
