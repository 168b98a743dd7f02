package actiontrail

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// LookupEventsRequest are the parameters of LookupEvents.
type LookupEventsRequest struct {
	StartTime, EndTime string
	Direction          string
	MaxResults         string
	NextToken          string
	LookupAttribute    []Attribute
}

// Attribute is one condition.
type Attribute struct{ Key, Value string }

// LookupEventsResponse is a page of records.
type LookupEventsResponse struct {
	Events    []json.RawMessage
	NextToken string `json:",omitempty"`
	StartTime string
	EndTime   string
}

// LookupEvents lists the writes of the caller's account in the call's region,
// newest first unless Direction is FORWARD, of the last 7 days unless asked otherwise: of
// up to 30 days among the last 90.
func (t *Trail) LookupEvents(c *wire.Call, in *LookupEventsRequest) (*LookupEventsResponse, error) {
	size, start, end, err := in.bounds(c.Now)
	if err != nil {
		return nil, err
	}
	forward := in.Direction == "FORWARD"
	from, err := in.from()
	if err != nil {
		return nil, err
	}
	start = latest(start, c.Now.Add(-keepFor))
	found := t.find(place{c.Caller.Account, c.Region}, func(k kept) bool {
		return !k.at.Before(start) && !k.at.After(end) && k.at.Add(t.lookup).Compare(c.Now) <= 0 && k.head.fits(in.LookupAttribute) &&
			(from == 0 || (k.number > from) == forward && k.number != from)
	})
	if !forward {
		slices.Reverse(found)
	}
	out := &LookupEventsResponse{Events: []json.RawMessage{}, StartTime: stamp(start), EndTime: stamp(end)}
	page := found[:min(size, len(found))]
	for _, k := range page {
		out.Events = append(out.Events, k.body)
	}
	if len(found) > len(page) && len(page) > 0 {
		out.NextToken = fmt.Sprintf("%d.%08x", page[len(page)-1].number, in.query())
	}
	return out, nil
}

// from is the record that the page before ended with, 0 for none. So a token
// stays good while records come, for the query that it was given for.
func (in *LookupEventsRequest) from() (uint64, error) {
	if in.NextToken == "" {
		return 0, nil
	}
	var n uint64
	var query uint32
	if _, err := fmt.Sscanf(in.NextToken, "%d.%08x", &n, &query); err != nil || n == 0 || query != in.query() {
		return 0, wire.Errorf(400, "InvalidQueryParameter", "NextToken is not valid.")
	}
	return n, nil
}

// query sums up what has to stay the same from page to page: "the request parameters must
// be the same as those of the last request", says the API reference.
func (in *LookupEventsRequest) query() uint32 {
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%q %q %q %q", in.StartTime, in.EndTime, in.Direction, in.LookupAttribute))
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// find is the records of a place that fit. The caller holds the mutex.
func (t *Trail) find(p place, fits func(kept) bool) []kept {
	var out []kept
	for _, k := range t.records[p] {
		if fits(k) {
			out = append(out, k)
		}
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// Limits of one query. An older page of the API reference has the range
// (doc-detail/185722); the newer one has the conditions, and takes either both ends of the
// window or none.
const (
	maxRange      = 30 * 24 * time.Hour
	maxConditions = 2
)

// bounds reads page size and window. The code InvalidQueryParameter is assumed;
// the default page of 20 is, too.
func (in *LookupEventsRequest) bounds(now time.Time) (size int, start, end time.Time, err error) {
	size, start, end = 20, now.AddDate(0, 0, -7), now
	if in.MaxResults != "" {
		size, err = strconv.Atoi(in.MaxResults)
	}
	if err == nil && in.StartTime != "" {
		start, err = time.Parse("2006-01-02T15:04:05Z", in.StartTime)
	}
	if err == nil && in.EndTime != "" {
		end, err = time.Parse("2006-01-02T15:04:05Z", in.EndTime)
	}
	direction := in.Direction == "" || in.Direction == "FORWARD" || in.Direction == "BACKWARD"
	window := (in.StartTime == "") == (in.EndTime == "") && !end.Before(start) && end.Sub(start) <= maxRange
	if err != nil || size < 0 || size > 50 || !direction || !window || len(in.LookupAttribute) > maxConditions {
		err = wire.Errorf(400, "InvalidQueryParameter", "The specified query parameter is not valid.")
	}
	return size, start, end, err
}

// attributes are the values of a record by the keys of conditions.
var attributes = map[string]func(h head) []string{
	"EventAccessKeyId": func(h head) []string { return []string{h.AccessKey} },
	"EventId":          func(h head) []string { return []string{h.EventID} },
	"EventName":        func(h head) []string { return []string{h.EventName} },
	"EventRW":          func(head) []string { return []string{"Write"} },
	"EventType":        func(h head) []string { return []string{h.EventType} },
	"ResourceName":     func(h head) []string { return slices.Concat(slices.Collect(maps.Values(h.Resources))...) },
	"ResourceType":     func(h head) []string { return slices.Collect(maps.Keys(h.Resources)) },
	"RoleName":         func(h head) []string { return []string{h.Role} },
	"ServiceName":      func(h head) []string { return []string{h.Service} },
	"SourceIpAddress":  func(h head) []string { return []string{h.SourceIP} },
	"User":             func(h head) []string { return []string{h.User} },
}

// fits reports whether all conditions hold. An unknown key fits nothing.
func (h head) fits(conditions []Attribute) bool {
	for _, c := range conditions {
		if values, ok := attributes[c.Key]; !ok || !slices.Contains(values(h), c.Value) {
			return false
		}
	}
	return true
}
