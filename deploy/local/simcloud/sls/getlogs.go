package sls

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// search are the parameters of GetLogs. From is included, To is not; both in s.
type search struct {
	From    *int64 `json:"from"`
	To      *int64 `json:"to"`
	Query   string `json:"query"`
	Topic   string `json:"topic"`
	Line    *int   `json:"line"`
	Offset  int    `json:"offset"`
	Reverse bool   `json:"reverse"`
}

// post answers a compressed document, of which a client has to say that it takes it.
func post(r *request) (answer, error) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return answer{}, refuse(400, "ParameterInvalid", "Accept-Encoding is needed; simcloud has gzip alone")
	}
	var in search
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return answer{}, refuse(400, "PostBodyInvalid", "reading the body: %v", err)
	}
	rows, progress, err := r.search(in)
	return answer{packed: true, doc: map[string]any{"data": rows, "meta": map[string]any{
		"progress": progress, "count": len(rows), "hasSQL": false, "whereQuery": in.Query, "aggQuery": "",
	}}}, err
}

// get has the parameters in the query, and the progress in a header.
func get(r *request) (answer, error) {
	var in search
	q := r.URL.Query()
	number := func(name string) *int64 {
		n, err := strconv.ParseInt(q.Get(name), 10, 64)
		if err != nil {
			return nil
		}
		return &n
	}
	in.From, in.To, in.Query, in.Topic, in.Reverse = number("from"), number("to"), q.Get("query"), q.Get("topic"), q.Get("reverse") == "true"
	if n := number("line"); n != nil {
		line := int(*n)
		in.Line = &line
	}
	if n := number("offset"); n != nil {
		in.Offset = int(*n)
	}
	rows, progress, err := r.search(in)
	return answer{doc: rows, header: map[string]string{"x-log-progress": progress, "x-log-count": strconv.Itoa(len(rows))}}, err
}

// maxLine is the largest page of a search.
const maxLine = 100

func (in *search) check() error {
	switch {
	case in.From == nil || in.To == nil || *in.From >= *in.To:
		return refuse(400, "InvalidTimeRange", "request time range is invalid")
	case in.Line != nil && (*in.Line < 0 || *in.Line > maxLine):
		return refuse(400, "InvalidLine", "line %d is invalid", *in.Line)
	case in.Offset < 0:
		return refuse(400, "InvalidOffset", "offset %d is invalid", in.Offset)
	}
	return nil
}

// search finds a page of lines, in order of time. A search that is not finished, which is a
// fault here, answers the first half of it.
func (r *request) search(in search) (rows []map[string]string, progress string, err error) {
	if err := in.check(); err != nil {
		return nil, "", err
	}
	if r.store.index == nil {
		return nil, "", refuse(400, "IndexConfigNotExist", "logstore without index config")
	}
	fits, err := compile(in.Query, r.store.index)
	if err != nil {
		return nil, "", err
	}
	found, err := r.store.find(in, fits)
	if err != nil {
		return nil, "", err
	}
	line := wire.Given(in.Line, maxLine)
	found = found[min(in.Offset, len(found)):]
	found = found[:min(line, len(found))]
	progress = "Complete"
	if r.h.Faults.Next(simcloud.FaultCall{Product: "sls", Action: "GetLogs", Account: r.call.Caller.Account, Region: r.region, Role: r.call.Caller.Name, Search: true}) == simcloud.Incomplete {
		found, progress = found[:len(found)/2], "Incomplete"
	}
	rows = []map[string]string{}
	for _, e := range found {
		rows = append(rows, e.fields)
	}
	return rows, progress, nil
}

// find reads the lines that fit.
func (x *store) find(in search, fits test) (found []entry, err error) {
	for _, b := range x.batches {
		if at := b.At.Unix(); at < *in.From || at >= *in.To {
			continue
		}
		lines, err := b.lines()
		if err != nil {
			return nil, refuse(500, "InternalServerError", "simcloud: reading the log: %v", err)
		}
		for _, e := range lines {
			if (in.Topic == "" || in.Topic == e.fields["__topic__"]) && fits(&searched{fields: e.fields}) {
				found = append(found, e)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b entry) int { return a.at.Compare(b.at) })
	if in.Reverse {
		slices.Reverse(found)
	}
	return found, nil
}
