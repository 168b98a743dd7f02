package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type describe struct {
	IncludeShadowTrails      *bool `json:"IncludeShadowTrails,omitempty" xml:"IncludeShadowTrails,omitempty"`
	IncludeOrganizationTrail *bool `json:"IncludeOrganizationTrail,omitempty" xml:"IncludeOrganizationTrail,omitempty"`
}

type trails struct {
	TrailList []struct {
		Name                string `json:"Name"`
		IsOrganizationTrail bool   `json:"IsOrganizationTrail"`
		EventRW             string `json:"EventRW"`     // Write, Read or All
		TrailRegion         string `json:"TrailRegion"` // All, or one region
	} `json:"TrailList"`
}

type statusOf struct {
	Name                *string `json:"Name,omitempty" xml:"Name,omitempty"`
	IsOrganizationTrail *bool   `json:"IsOrganizationTrail,omitempty" xml:"IsOrganizationTrail,omitempty"`
}

type status struct {
	IsLogging                     bool           `json:"IsLogging"`
	LatestDeliveryError           string         `json:"LatestDeliveryError"`
	LatestDeliveryTime            jsontext.Value `json:"LatestDeliveryTime"`
	LatestDeliveryLogServiceError string         `json:"LatestDeliveryLogServiceError"`
	LatestDeliveryLogServiceTime  jsontext.Value `json:"LatestDeliveryLogServiceTime"`
}

// stale is after how long without a delivery something is wrong: an account in use has write
// calls every day, those of our functions among them.
const stale = 48 * time.Hour

// fault says what is wrong with the deliveries to a destination; empty for nothing.
func fault(to, failure string, at jsontext.Value, now time.Time) string {
	switch delivered := moment(at); {
	case failure != "":
		return "the latest delivery to " + to + " failed: " + failure
	case !delivered.IsZero() && now.Sub(delivered) > stale:
		return "the latest delivery to " + to + " was at " + delivered.Format(time.RFC3339)
	}
	return ""
}

// moment reads a time, which is text or a number of milliseconds; zero for any other.
func moment(v jsontext.Value) time.Time {
	text := strings.Trim(string(v), `"`)
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > 0 {
		return time.UnixMilli(ms).UTC()
	}
	at, err := fleet.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// Trail is a trail as it is now.
type Trail struct {
	Name string
	// Logging says that it logs. One that was created and never started exists and does not.
	Logging bool
	// Faults say what is wrong with its latest deliveries, to OSS and to Simple Log Service.
	Faults []string
}

// Trails returns the trails that cover the write calls of region, including those of the
// resource directory: DescribeTrails, and GetTrailStatus for each, at the endpoint of home.
func (c *Client) Trails(ctx context.Context, home, region fleet.Region) ([]Trail, error) {
	api := func(action string) aliyun.API {
		return aliyun.API{Product: aliyun.ActionTrail, Action: action, Region: home}
	}
	all, err := aliyun.Do[describe, trails](ctx, c.session, api("DescribeTrails"), &describe{new(true), new(true)})
	if err != nil {
		return nil, err
	}
	var out []Trail
	var unread []error
	for _, t := range all.TrailList {
		if t.EventRW == "Read" || t.TrailRegion != "All" && t.TrailRegion != string(region) {
			continue
		}
		got, err := aliyun.Do[statusOf, status](ctx, c.session, api("GetTrailStatus"), &statusOf{&t.Name, &t.IsOrganizationTrail})
		if err != nil {
			unread = append(unread, fmt.Errorf("reading the status of trail %s: %w", t.Name, err))
			continue
		}
		trail := Trail{Name: t.Name, Logging: got.IsLogging}
		for _, f := range []string{
			fault("OSS", got.LatestDeliveryError, got.LatestDeliveryTime, c.session.Now()),
			fault("Simple Log Service", got.LatestDeliveryLogServiceError, got.LatestDeliveryLogServiceTime, c.session.Now()),
		} {
			if f != "" {
				trail.Faults = append(trail.Faults, f)
			}
		}
		out = append(out, trail)
	}
	// One that logs is enough: a member may not read the status of its organization's trail.
	if slices.ContainsFunc(out, func(t Trail) bool { return t.Logging }) {
		return out, nil
	}
	return out, errors.Join(unread...)
}

// Logging returns the names of the trails of [Client.Trails] that log.
func (c *Client) Logging(ctx context.Context, home, region fleet.Region) ([]string, error) {
	all, err := c.Trails(ctx, home, region)
	var out []string
	for _, t := range all {
		if t.Logging {
			out = append(out, t.Name)
		}
	}
	return out, err
}
