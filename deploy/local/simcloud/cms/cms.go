// Package cms is CloudMonitor, API version 2019-01-01, as far as queues are watched: the last
// sample of how many messages a queue has. It keeps nothing itself.
//
// Facts: CloudMonitor's help pages of DescribeMetricLast and of the metrics of MNS; Mns-open's
// GetQueueAttributes (2026-01), which names the metrics; the sample of a point of acs_mns_new
// in the API reference of DescribeAlertLogList.
package cms

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Namespace is that of MNS.
const Namespace = "acs_mns_new"

// Lag is how long after its time a sample can be read: assumed.
const Lag = 2 * time.Minute

// Monitor is the product. Register it at a wire.Router as cms.
type Monitor struct{ Queues *mns.Service }

// Enter implements wire.Guarded. Older pages name the first action, newer ones the second;
// either is enough.
func (m *Monitor) Enter(c *wire.Call) (sync.Locker, error) {
	if c.Allow("cms:QueryMetricLast", "*") == nil {
		return nil, nil
	}
	return nil, c.Allow("cms:DescribeMetricLast", "*")
}

// LastRequest are the parameters of DescribeMetricLast that are served. Dimensions is JSON.
type LastRequest struct{ Namespace, MetricName, Period, Dimensions string }

// LastResponse is the answer of DescribeMetricLast. Datapoints is JSON.
type LastResponse struct {
	Code       string
	Success    bool
	Period     string
	Datapoints string
}

// metrics are those about a queue's messages.
func metrics() map[string]func(mns.Counters) int {
	return map[string]func(mns.Counters) int{
		"NumberOfMessagesVisible":   func(c mns.Counters) int { return c.Active },
		"NumberOfMessagesInvisible": func(c mns.Counters) int { return c.Inactive },
		"NumberOfMessagesDelayed":   func(c mns.Counters) int { return c.Delayed },
	}
}

// point is a sample, with all statistics of one value.
type point struct {
	Timestamp   int64 `json:"timestamp"` // ms
	Sum         int
	Value       int `json:"value"`
	Maximum     int
	Minimum     int
	Average     int
	SampleCount int
	UserID      string `json:"userId"`
	Region      string `json:"region"`
	Queue       string `json:"queue"`
}

// dimensions name a queue; what is empty fits all.
type dimensions struct {
	UserID string `json:"userId"`
	Region string `json:"region"`
	Queue  string `json:"queue"`
}

func (d dimensions) fit(p point) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	return same(d.UserID, p.UserID) && same(d.Region, p.Region) && same(d.Queue, p.Queue)
}

// DescribeMetricLast shows the last sample of a metric for each queue that the dimensions
// name. The endpoint of a region knows the region's queues.
func (m *Monitor) DescribeMetricLast(c *wire.Call, in *LastRequest) (*LastResponse, error) {
	of, ok := metrics()[in.MetricName]
	if !ok || in.Namespace != Namespace {
		return nil, wire.Errorf(http.StatusNotFound, "ResourceNotFound", "The specified resource is not found. (simcloud has the metrics of messages of %s alone)", Namespace)
	}
	period := strconv.Itoa(int(mns.Interval / time.Second))
	if in.Period != "" && in.Period != period {
		return nil, invalid("Period is %s here", period)
	}
	wanted, err := parse(in.Dimensions)
	if err != nil {
		return nil, err
	}
	points := []point{}
	for _, d := range m.Queues.Depths(c.Caller.Account, c.Region, c.Now.Add(-Lag)) {
		n := of(d.Counters)
		p := point{d.At.UnixMilli(), n, n, n, n, n, 1, d.Queue.Account, d.Queue.Region, d.Queue.Name}
		for _, w := range wanted {
			if w.fit(p) {
				points = append(points, p)
				break
			}
		}
	}
	text, err := json.Marshal(points)
	return &LastResponse{Code: "200", Success: true, Period: period, Datapoints: string(text)}, err
}

// parse reads a list of dimensions, or one alone; none fits all.
func parse(text string) ([]dimensions, error) {
	if text == "" {
		return []dimensions{{}}, nil
	}
	var all []dimensions
	if text[0] == '{' {
		text = "[" + text + "]"
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, invalid("reading Dimensions: %v", err)
	}
	return all, nil
}

func invalid(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidParameter", format, args...)
}
