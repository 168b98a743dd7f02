// Package sls reads log stores of Simple Log Service (2020-12-30): lines that a search finds,
// the index that searches need, and how long lines are kept. It knows searches as text and
// lines as fields, not what either means, and writes nothing. SQL is not used: a search is
// small to check, and costs no computing units.
//
// No SDK of the vendor is used: three reads need little of one. Requests are signed with
// version 1 of the signature (HMAC-SHA1), as the vendor's SDK for Go does by default.
package sls

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Place is a log store.
type Place struct {
	Region        fleet.Region
	Project, Name string
}

// Client calls one log store for one pass.
type Client struct {
	session *aliyun.Session
	place   Place
}

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session, place Place) *Client { return &Client{session, place} }

// Query says which lines are meant: those that Search finds from From to To, To not
// included. Both are cut to whole seconds.
type Query struct {
	Search   string // such as message.type: pass and functionName: f; empty for all
	From, To time.Time
	// Limit is how many lines are read at most, 1 or more. Newest has the newest come first:
	// with a limit the oldest are left out.
	Limit  int
	Newest bool
}

// Line is one line of a log.
type Line struct {
	At     time.Time
	Fields map[string]string // functionName, message, instanceID and others
}

// Found is what a search has found.
type Found struct {
	Lines []Line
	// Complete: the store was searched to its end, or Limit was reached. Otherwise there may be
	// other lines.
	Complete bool
}

// The limits of GetLogs and of its repetition.
const (
	maxPage = 100
	// tries is how often a page is asked for that is not complete.
	tries = 5
	// between is how long after it is asked for again; SLS's page names no time.
	between = time.Second
)

// Search reads the lines that a query finds. A search that does not end in a few tries
// returns what there is, which is not complete: SLS answers parts with HTTP 200.
func (c *Client) Search(ctx context.Context, q Query) (Found, error) {
	out := Found{Complete: true}
	for len(out.Lines) < q.Limit {
		size := min(maxPage, q.Limit-len(out.Lines))
		page, complete, err := c.page(ctx, q, len(out.Lines), size)
		if err != nil {
			return Found{}, err
		}
		out.Lines = append(out.Lines, page...)
		if !complete {
			out.Complete = false
			return out, nil // the offset of the next page is not known
		}
		if len(page) < size {
			break
		}
	}
	return out, nil
}

// page asks for a page until it is complete.
func (c *Client) page(ctx context.Context, q Query, offset, size int) (lines []Line, complete bool, err error) {
	for n := 0; ; n++ {
		lines, complete, err = c.logs(ctx, q, offset, size)
		if err != nil || complete || n == tries-1 {
			return lines, complete, err
		}
		if err := c.session.Cloud().Wait(ctx, between); err != nil {
			return nil, false, fmt.Errorf("searching %s: %w", c.place.Name, err)
		}
	}
}

const searchAPI = "sls:GetLogs"

func (c *Client) logs(ctx context.Context, q Query, offset, size int) ([]Line, bool, error) {
	got, err := ask[page](ctx, c, request{searchAPI, http.MethodPost, "/logs", map[string]any{
		"from": q.From.Unix(), "to": q.To.Unix(), "query": q.Search, "line": size, "offset": offset, "reverse": q.Newest,
	}})
	if err != nil {
		return nil, false, err
	}
	lines, complete, err := got.lines(size)
	if err != nil {
		return nil, false, aliyun.NoAnswer(ctx, searchAPI, err, false)
	}
	return lines, complete, nil
}

// page is an answer of GetLogs.
type page struct {
	Meta struct {
		Progress string `json:"progress"`
	} `json:"meta"`
	Data []map[string]jsontext.Value `json:"data"`
}

// lines are at most size lines, and whether these are all of the page.
func (p *page) lines(size int) (out []Line, complete bool, err error) {
	if len(p.Data) > size {
		return nil, false, errors.New("the answer has more lines than were asked for")
	}
	out = make([]Line, len(p.Data))
	for i, fields := range p.Data {
		if out[i], err = line(fields); err != nil {
			return nil, false, err
		}
	}
	switch p.Meta.Progress {
	case "Complete":
		return out, true, nil
	case "Incomplete":
		return out, false, nil
	}
	return nil, false, errors.New("the answer does not say whether it is complete")
}

// lastSecond is the end of the year 9999: no time after it can be written as RFC 3339.
const lastSecond = 253402300799

// line reads the fields of a line, which are text; numbers are taken as they stand.
func line(fields map[string]jsontext.Value) (Line, error) {
	out := Line{Fields: make(map[string]string, len(fields))}
	for name, v := range fields {
		text := string(v)
		if v.Kind() == '"' {
			if err := json.Unmarshal(v, &text); err != nil {
				return out, errors.New("a field of a line cannot be read")
			}
		}
		out.Fields[name] = text
	}
	at, err := strconv.ParseInt(out.Fields["__time__"], 10, 64)
	if err != nil || at <= 0 || at > lastSecond {
		return out, errors.New("a line has no time")
	}
	out.At = time.Unix(at, 0).UTC()
	return out, nil
}

// Index says which fields are indexed, and their types: text, long, double or json. The
// leaves of a JSON field stand beside it, by their path such as message.pass.delayMs.
type Index struct {
	Fields   map[string]string
	FullText bool // words are found in any field
}

// Index reads the index. A store without one is an error of class [fleet.NotFound].
func (c *Client) Index(ctx context.Context) (*Index, error) {
	type key struct {
		Type   string `json:"type"`
		Leaves map[string]struct {
			Type string `json:"type"`
		} `json:"json_keys"`
	}
	got, err := ask[struct {
		Line *struct{}      `json:"line"`
		Keys map[string]key `json:"keys"`
	}](ctx, c, request{"sls:GetIndex", http.MethodGet, "/index", nil})
	if err != nil {
		return nil, err
	}
	out := &Index{Fields: map[string]string{}, FullText: got.Line != nil}
	for name, k := range got.Keys {
		out.Fields[name] = k.Type
		for leaf, l := range k.Leaves {
			out.Fields[name+"."+leaf] = l.Type
		}
	}
	return out, nil
}

// Days reads how long the store keeps lines; 3650 is for ever.
func (c *Client) Days(ctx context.Context) (int, error) {
	got, err := ask[struct {
		TTL int `json:"ttl"`
	}](ctx, c, request{"sls:GetLogStore", http.MethodGet, "", nil})
	if err != nil {
		return 0, err
	}
	return got.TTL, nil
}
