package actiontrail

import (
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeTrailsRequest are the parameters of DescribeTrails. NameList has names, with
// commas between them.
type DescribeTrailsRequest struct {
	NameList                 string
	IncludeShadowTrails      bool
	IncludeOrganizationTrail bool
}

// DescribeTrailsResponse lists trails.
type DescribeTrailsResponse struct{ TrailList []TrailEntry }

// TrailEntry is a trail in the list.
type TrailEntry struct {
	Delivery
	Name, HomeRegion, Region, TrailArn string
	Status                             string
	IsOrganizationTrail                bool
	IsShadowTrail                      int64 // 1 in other regions than the home region
	CreateTime, UpdateTime             string
	StartLoggingTime                   string `json:",omitempty"`
	StopLoggingTime                    string `json:",omitempty"`
}

// DescribeTrails lists the trails whose home is the call's region, with
// IncludeShadowTrails all others too. A name that is not there is left out.
func (t *Trail) DescribeTrails(c *wire.Call, in *DescribeTrailsRequest) (*DescribeTrailsResponse, error) {
	var names []string
	if in.NameList != "" {
		names = strings.Split(in.NameList, ",")
	}
	out := &DescribeTrailsResponse{TrailList: []TrailEntry{}}
	for _, x := range t.trails[c.Caller.Account] {
		shadow := x.home != c.Region
		if names != nil && !slices.Contains(names, x.name) || shadow && !in.IncludeShadowTrails {
			continue
		}
		out.TrailList = append(out.TrailList, x.entry(c, shadow))
	}
	return out, nil
}

func (t *trail) entry(c *wire.Call, shadow bool) TrailEntry {
	e := TrailEntry{
		Delivery: t.Delivery, Name: t.name, HomeRegion: t.home, Region: c.Region, Status: t.status, IsOrganizationTrail: t.organization,
		TrailArn:   "acs:actiontrail:" + t.home + ":" + c.Caller.Account + ":trail/" + t.name,
		CreateTime: stamp(t.created), UpdateTime: stamp(t.updated), StartLoggingTime: maybe(t.started), StopLoggingTime: maybe(t.stopped),
	}
	if shadow {
		e.IsShadowTrail = 1
	}
	return e
}

func maybe(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}

// GetTrailStatusRequest are the parameters of GetTrailStatus.
type GetTrailStatusRequest struct {
	TrailRequest
	IsOrganizationTrail bool
}

// TrailStatus is the response of GetTrailStatus. Times and errors are left out where there
// are none.
type TrailStatus struct {
	IsLogging                     bool
	StartLoggingTime              string `json:",omitempty"`
	StopLoggingTime               string `json:",omitempty"`
	LatestDeliveryTime            string `json:",omitempty"`
	LatestDeliveryError           string `json:",omitempty"`
	LatestDeliveryLogServiceTime  string `json:",omitempty"`
	LatestDeliveryLogServiceError string `json:",omitempty"`
	OssBucketStatus               bool
	SlsLogStoreStatus             bool
}

// GetTrailStatus says whether a trail logs, and how its deliveries go.
func (t *Trail) GetTrailStatus(c *wire.Call, in *GetTrailStatusRequest) (*TrailStatus, error) {
	x, err := t.named(c, in.Name)
	if err != nil {
		return nil, err
	}
	out := &TrailStatus{IsLogging: x.logging(), StartLoggingTime: maybe(x.started), StopLoggingTime: maybe(x.stopped)}
	if x.OssBucketName != "" {
		out.OssBucketStatus = x.failure == ""
		out.LatestDeliveryTime, out.LatestDeliveryError = maybe(x.delivered), x.failure
	}
	if x.SlsProjectArn != "" {
		out.SlsLogStoreStatus = x.failure == ""
		out.LatestDeliveryLogServiceTime, out.LatestDeliveryLogServiceError = maybe(x.delivered), x.failure
	}
	return out, nil
}

// SelectorRequest names a trail.
type SelectorRequest struct{ TrailName string }

// Selectors are the data events that a trail writes too.
type Selectors struct {
	TrailName          string
	DataEventSelectors []struct{}
}

// GetDataEventSelector shows that a trail writes no data events.
func (t *Trail) GetDataEventSelector(c *wire.Call, in *SelectorRequest) (*Selectors, error) {
	_, err := t.named(c, in.TrailName)
	return &Selectors{in.TrailName, []struct{}{}}, err
}
