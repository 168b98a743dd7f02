package trail

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/fleet"
)

// What ActionTrail promises of LookupEvents
// (https://help.aliyun.com/en/actiontrail/product-overview/limits).
const (
	// Kept is how long a record can be looked up.
	Kept = 90 * 24 * time.Hour
	// Delay is how long after its call a record may still be missing.
	Delay = 10 * time.Minute
	// PerSecond is how many calls one account may make, in all: what else reads the trail,
	// such as the console or a SIEM, has its part of them.
	PerSecond = 2
	// Range is how long the window of one query may be
	// (https://www.alibabacloud.com/help/doc-detail/185722.htm; newer pages do not say).
	Range = 30 * 24 * time.Hour
)

// Query selects the records of one event name in a window of time.
type Query struct {
	// Since and Until bound the window, whole seconds, both included. They are at most
	// [Range] apart.
	Since, Until time.Time
	EventName    string
	// Token goes on where the page before ended; empty at the beginning. It is valid
	// with the window and the name it was given for.
	Token string
}

// Record is one trail record.
type Record struct {
	// Time is its eventTime; zero when that cannot be read.
	Time time.Time
	// Body is the record as it came, in JSON.
	Body []byte
}

// Lookup reads one page of the records of a region, at most 50, oldest first. An empty
// next says that it was the last; a page may be empty and not the last. The caller paces
// itself: see [PerSecond].
func (c *Client) Lookup(ctx context.Context, region fleet.Region, q Query) (records []Record, next string, err error) {
	req := &lookup{
		StartTime: new(stamp(q.Since)), EndTime: new(stamp(q.Until)), Direction: new("FORWARD"),
		MaxResults: new(pageSize), Attributes: named(q.EventName),
	}
	if q.Token != "" {
		req.NextToken = &q.Token
	}
	got, err := look[jsontext.Value](ctx, c, region, req)
	if err != nil {
		return nil, "", fmt.Errorf("looking up %s since %s: %w", q.EventName, *req.StartTime, err)
	}
	for _, body := range got.Events {
		records = append(records, Record{eventTime(body), body})
	}
	return records, got.NextToken, nil
}

// eventTime is when a record says its call was made.
func eventTime(body jsontext.Value) time.Time {
	var r struct {
		EventTime string `json:"eventTime"`
	}
	if json.Unmarshal(body, &r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return time.Time{}
	}
	t, err := fleet.ParseTime(r.EventTime)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
