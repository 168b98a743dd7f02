// Package trail reads the records of ActionTrail (2020-07-06). [Client.Lookup] returns them
// whole, to be decoded as an event's are: they may contain user data and passwords, and
// must not be logged or stored.
package trail

import (
	"context"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls ActionTrail for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

// pageSize is the maximum of LookupEvents, which takes a string.
const pageSize = "50"

type attribute struct {
	Key   *string `json:"Key,omitempty" xml:"Key,omitempty"`
	Value *string `json:"Value,omitempty" xml:"Value,omitempty"`
}

type lookup struct {
	StartTime  *string      `json:"StartTime,omitempty" xml:"StartTime,omitempty"`
	EndTime    *string      `json:"EndTime,omitempty" xml:"EndTime,omitempty"`
	Direction  *string      `json:"Direction,omitempty" xml:"Direction,omitempty"`
	MaxResults *string      `json:"MaxResults,omitempty" xml:"MaxResults,omitempty"`
	NextToken  *string      `json:"NextToken,omitempty" xml:"NextToken,omitempty"`
	Attributes []*attribute `json:"LookupAttribute,omitempty" xml:"LookupAttribute,omitempty" type:"Repeated"`
}

type page[R any] struct {
	Events    []R    `json:"Events"`
	NextToken string `json:"NextToken"`
}

func look[R any](ctx context.Context, c *Client, region fleet.Region, req *lookup) (*page[R], error) {
	return aliyun.Do[lookup, page[R]](ctx, c.session, aliyun.API{Product: aliyun.ActionTrail, Action: "LookupEvents", Region: region}, req)
}

// stamp is a time in LookupEvents' format, without fractions of a second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// condition is that a record has an eventName, or names a resource. LookupEvents takes only one.
func (q Query) condition() []*attribute {
	if q.Resource != "" {
		return []*attribute{{new("ResourceName"), &q.Resource}}
	}
	return []*attribute{{new("EventName"), &q.EventName}}
}
