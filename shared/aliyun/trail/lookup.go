package trail

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Limits of LookupEvents (https://help.aliyun.com/en/actiontrail/product-overview/limits).
const (
	// Kept is how long a record can be looked up.
	Kept = 90 * 24 * time.Hour
	// Delay is how long after its call a record may still be missing.
	Delay = 10 * time.Minute
	// PerSecond is the rate limit of an account, shared with other readers of the trail
	// such as the console or a SIEM.
	PerSecond = 2
	// Range is the longest window of one query
	// (https://www.alibabacloud.com/help/doc-detail/185722.htm; newer pages omit it).
	Range = 30 * 24 * time.Hour
)

// Query selects the records of one event name, or those of one resource, in a window of time.
type Query struct {
	// Since and Until bound the window, whole seconds, both included. They are at most
	// [Range] apart.
	Since, Until time.Time
	EventName    string
	// Resource is the id of a resource; an EventName is then ignored, since LookupEvents takes
	// one condition only.
	Resource string
	// Token continues after the previous page; empty at the beginning. It is valid with the
	// window and the name it was returned for.
	Token string
}

// Record is one trail record.
type Record struct {
	// Time is its eventTime; zero when that cannot be read.
	Time time.Time
	// Body is the record as it came, in JSON.
	Body []byte
}

// Lookup reads one page of the records of a region, at most 50, oldest first. An empty next
// means that it was the last; a page may be empty and not the last. The caller keeps to
// [PerSecond].
func (c *Client) Lookup(ctx context.Context, region fleet.Region, q Query) (records []Record, next string, err error) {
	req := &lookup{
		StartTime: new(stamp(q.Since)), EndTime: new(stamp(q.Until)), Direction: new("FORWARD"),
		MaxResults: new(pageSize), Attributes: q.condition(), NextToken: aliyun.Optional(q.Token),
	}
	got, err := look[jsontext.Value](ctx, c, region, req)
	if err != nil {
		return nil, "", fmt.Errorf("looking up %s since %s: %w", cmp.Or(q.Resource, q.EventName), *req.StartTime, err)
	}
	for _, body := range got.Events {
		records = append(records, Record{eventTime(body), body})
	}
	return records, got.NextToken, nil
}

// eventTime is the time of a record's call.
func eventTime(body jsontext.Value) time.Time {
	var r struct {
		EventTime string `json:"eventTime"`
	}
	if json.Unmarshal(body, &r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return time.Time{}
	}
	t, _ := fleet.ParseTime(r.EventTime)
	return t.UTC()
}

// Head is who made a record's call, and what came of it.
type Head struct {
	// Name is its eventName, Caller its userIdentity as "type/userName".
	Name, Caller string
	// ErrorCode is empty for a call that succeeded.
	ErrorCode string
}

// Head reads the head of a record; members that cannot be read are empty.
func (r Record) Head() Head {
	var h struct {
		EventName    string `json:"eventName"`
		ErrorCode    string `json:"errorCode"`
		UserIdentity struct {
			Type     string `json:"type"`
			UserName string `json:"userName"`
		} `json:"userIdentity"`
	}
	if json.Unmarshal(r.Body, &h, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return Head{}
	}
	return Head{h.EventName, strings.TrimSuffix(h.UserIdentity.Type+"/"+h.UserIdentity.UserName, "/"), h.ErrorCode}
}
