// Package cms reads from CloudMonitor (2019-01-01) how many messages queues of Simple
// Message Queue hold. MNS's own counters are announced to answer 0. What CloudMonitor has is
// minutes old, and it judges nothing by it.
package cms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls CloudMonitor of one region for one pass.
type Client struct {
	session *aliyun.Session
	scope   fleet.Scope
}

// New returns a Client for the queues in scope that counts its calls in session.
func New(session *aliyun.Session, scope fleet.Scope) *Client { return &Client{session, scope} }

// Depth is how many messages a queue held at a moment.
type Depth struct {
	Visible   int // can be received
	Invisible int // were received, and are neither deleted nor visible again
	Delayed   int
	// At is the oldest of the three samples.
	At time.Time
}

// namespace is that of MNS. The newer acs_smq is not known to be in all regions.
const namespace = "acs_mns_new"

// The metrics, by Mns-open's page of GetQueueAttributes.
const (
	visible   = "NumberOfMessagesVisible"
	invisible = "NumberOfMessagesInvisible"
	delayed   = "NumberOfMessagesDelayed"
)

// maxNamed is how many queues one call names.
const maxNamed = 50

// Depths reads how full queues are, by name. A queue that CloudMonitor has no samples of, as
// one that was just made or does not exist, is not in the answer: its depth is unknown.
func (c *Client) Depths(ctx context.Context, queues []string) (map[string]Depth, error) {
	out := map[string]Depth{}
	for part := range slices.Chunk(queues, maxNamed) {
		var found [3]map[string]sample
		for i, metric := range []string{visible, invisible, delayed} {
			var err error
			if found[i], err = c.last(ctx, metric, part); err != nil {
				return nil, err
			}
		}
		for _, q := range part {
			a, knownA := found[0][q]
			b, knownB := found[1][q]
			d, knownD := found[2][q]
			if !knownA || !knownB || !knownD {
				continue
			}
			at := slices.MinFunc([]time.Time{a.at, b.at, d.at}, time.Time.Compare)
			out[q] = Depth{a.n, b.n, d.n, at}
		}
	}
	return out, nil
}

// dimensions name a queue. Their order is that of the metrics' page: CloudMonitor's page says
// that it counts.
type dimensions struct {
	UserID fleet.AccountID `json:"userId"`
	Region fleet.Region    `json:"region"`
	Queue  string          `json:"queue"`
}

type request struct {
	Namespace  *string `json:"Namespace,omitempty" xml:"Namespace,omitempty"`
	MetricName *string `json:"MetricName,omitempty" xml:"MetricName,omitempty"`
	Dimensions *string `json:"Dimensions,omitempty" xml:"Dimensions,omitempty"`
	NextToken  *string `json:"NextToken,omitempty" xml:"NextToken,omitempty"`
}

type response struct {
	RequestID  string `json:"RequestId"`
	Code       string `json:"Code"`
	Message    string `json:"Message"`
	Success    bool   `json:"Success"`
	Datapoints string `json:"Datapoints"` // JSON
	NextToken  string `json:"NextToken"`
}

// sample is a number of messages at a moment.
type sample struct {
	n  int
	at time.Time
}

// errCircle ends an endless list.
var errCircle = errors.New("the listing goes in circles: the next page is the one just read")

// last reads the newest sample of a metric for each queue that has one.
func (c *Client) last(ctx context.Context, metric string, queues []string) (map[string]sample, error) {
	api := aliyun.API{Product: aliyun.CMS, Action: "DescribeMetricLast", Region: c.scope.Region}
	named := make([]dimensions, len(queues))
	for i, q := range queues {
		named[i] = dimensions{c.scope.Account, c.scope.Region, q}
	}
	text, err := json.Marshal(named)
	if err != nil {
		return nil, err
	}
	out := map[string]sample{}
	req := &request{Namespace: new(namespace), MetricName: &metric, Dimensions: new(string(text))}
	for {
		got, err := aliyun.Do[request, response](ctx, c.session, api, req)
		switch {
		case err != nil:
			return nil, err
		case !got.Success: // CloudMonitor may refuse with HTTP 200
			return nil, aliyun.NewError(api.String(), http.StatusOK, got.Code, got.Message, got.RequestID, false)
		}
		if err := c.read(got.Datapoints, out); err != nil {
			return nil, aliyun.NoAnswer(ctx, api.String(), fmt.Errorf("reading %s: %w", metric, err), false)
		}
		switch {
		case got.NextToken == "":
			return out, nil
		case req.NextToken != nil && *req.NextToken == got.NextToken:
			return nil, errCircle
		}
		req.NextToken = &got.NextToken
	}
}

// errPoints does not quote what was sent.
var errPoints = errors.New("the points are not as documented")

// read adds the points of a page to what is known, the newest of each queue. Which statistics
// a metric has is not documented; for a number of messages all are close to each other.
func (c *Client) read(points string, into map[string]sample) error {
	var all []struct {
		Timestamp int64    `json:"timestamp"` // ms
		UserID    string   `json:"userId"`
		Region    string   `json:"region"`
		Queue     string   `json:"queue"`
		Maximum   *float64 `json:"Maximum"`
		Value     *float64 `json:"Value"`
		Lower     *float64 `json:"value"`
		Average   *float64 `json:"Average"`
	}
	if points == "" {
		return nil
	}
	if json.Unmarshal([]byte(points), &all) != nil {
		return errPoints
	}
	for _, p := range all {
		n := cmp.Or(p.Maximum, p.Value, p.Lower, p.Average)
		if n == nil || *n < 0 || *n > math.MaxInt32 || p.Timestamp <= 0 || p.Queue == "" {
			return errPoints
		}
		if p.UserID != string(c.scope.Account) || p.Region != string(c.scope.Region) {
			continue
		}
		at := time.UnixMilli(p.Timestamp).UTC()
		if known, ok := into[p.Queue]; !ok || at.After(known.at) {
			into[p.Queue] = sample{int(*n), at}
		}
	}
	return nil
}
