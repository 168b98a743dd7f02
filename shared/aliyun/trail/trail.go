// Package trail asks ActionTrail (2020-07-06) who changed what. Of a record it reads the
// few members named here. [Client.Lookup] hands records over whole and unread, to be
// decoded as an event's are: they may hold user data and passwords, and must not be
// logged or kept.
package trail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls ActionTrail for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

const (
	// pageSize is the most that LookupEvents takes, which is a string there.
	pageSize = "50"
	// maxPages bounds a reading: the account has 2 calls a second
	// (https://www.alibabacloud.com/help/en/actiontrail/product-overview/limits).
	maxPages = 2
)

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

type record struct {
	EventTime  time.Time `json:"eventTime"`
	ErrorCode  string    `json:"errorCode"`
	Parameters struct {
		RoleName string `json:"RoleName"`
		Trust    string `json:"NewAssumeRolePolicyDocument"`
	} `json:"requestParameters"`
	Identity struct {
		Type     string `json:"type"`
		UserName string `json:"userName"`
	} `json:"userIdentity"`
}

func look[R any](ctx context.Context, c *Client, region fleet.Region, req *lookup) (*page[R], error) {
	return aliyun.Do[lookup, page[R]](ctx, c.session, aliyun.API{Product: aliyun.ActionTrail, Action: "LookupEvents", Region: region}, req)
}

// stamp is a time as LookupEvents takes it, which knows no fractions of a second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// named is the condition that a record has an eventName. LookupEvents promises to take
// one condition.
func named(event string) []*attribute { return []*attribute{{new("EventName"), new(event)}} }

var errTooMany = errors.New("there are more records than are read at once")

// TrustEdits reads the UpdateRole calls since a time that gave a role another trust
// document, newest first; refused calls are left out. ActionTrail shows a record some
// ten minutes after the call. It keeps them by region: where those of RAM, which has
// none, are to be found is not published, so the caller has to say.
func (c *Client) TrustEdits(ctx context.Context, region fleet.Region, since time.Time) ([]fleet.TrustEdit, error) {
	req := &lookup{
		StartTime: new(stamp(since)), MaxResults: new(pageSize),
		Attributes: named("UpdateRole"),
	}
	var out []fleet.TrustEdit
	for range maxPages {
		got, err := look[record](ctx, c, region, req)
		if err != nil {
			return nil, err
		}
		for _, r := range got.Events {
			if r.ErrorCode == "" && r.Parameters.Trust != "" {
				out = append(out, r.edit())
			}
		}
		if got.NextToken == "" {
			return out, nil
		}
		req.NextToken = &got.NextToken
	}
	return nil, fmt.Errorf("reading the changes of roles since %s: %w", *req.StartTime, errTooMany)
}

// edit: the userName of a role's session is "role:session".
func (r record) edit() fleet.TrustEdit {
	e := fleet.TrustEdit{At: r.EventTime, Role: r.Parameters.RoleName, Trust: r.Parameters.Trust}
	if r.Identity.Type == "assumed-role" {
		e.By, _, _ = strings.Cut(r.Identity.UserName, ":")
	}
	return e
}
