package ecs

import (
	"cmp"
	"encoding/base64"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// paging is which part of a list a call asks for: by token, or by page number.
type paging struct {
	token        string
	max          int // > 0: by token
	number, size int
}

// byToken is the paging of MaxResults and NextToken, if either is there. A missing value
// becomes 10, one below least becomes least, one above most becomes most: documented for
// DescribeInstances (10, 100) and DescribeDisks (10, 500).
func byToken(token string, maxResults, least, most int) paging {
	if token == "" && maxResults == 0 {
		return paging{}
	}
	return paging{token: token, max: min(max(cmp.Or(maxResults, 10), least), most)}
}

// byNumber is the paging of PageNumber and PageSize, where p is not by token.
// That a page size out of range is moved into it is assumed.
func (p paging) byNumber(number, size, usual, most int) paging {
	p.number, p.size = max(number, 1), min(max(cmp.Or(size, usual), 1), most)
	return p
}

// part is what a list call found. In token mode Total counts just the part:
// TotalCount is documented to be meaningless then, and this makes sure that
// no client can use it.
type part[T any] struct {
	rows  []*T
	next  string
	total int
}

// rows are the candidates behind a place, in order; table.After is one.
type rows[T any] func(place uint64) iter.Seq2[uint64, *T]

// PageOf is how an answer counts itself.
type PageOf struct{ TotalCount, PageNumber, PageSize int }

// Listed is PageOf with the token of the next page.
type Listed struct {
	PageOf
	NextToken string
}

// list is the asked part of the matching rows as items of an answer.
func list[T, I any](from rows[T], p paging, match func(*T) bool, item func(*T) I) ([]I, Listed, error) {
	got, err := take(from, p, match)
	items := make([]I, len(got.rows))
	for n, row := range got.rows {
		items[n] = item(row)
	}
	return items, Listed{PageOf{got.total, p.number, p.size}, got.next}, err
}

// take cuts the asked part out of the matching rows. A next token is given only
// if another row matches.
func take[T any](from rows[T], p paging, match func(*T) bool) (part[T], error) {
	if p.max > 0 {
		return takeAfter(from, p, match)
	}
	got := part[T]{rows: []*T{}}
	skip := (p.number - 1) * p.size
	for _, v := range from(0) {
		if !match(v) {
			continue
		}
		if got.total >= skip && len(got.rows) < p.size {
			got.rows = append(got.rows, v)
		}
		got.total++
	}
	return got, nil
}

func takeAfter[T any](from rows[T], p paging, match func(*T) bool) (part[T], error) {
	got := part[T]{rows: []*T{}}
	place, err := parseToken(p.token)
	if err != nil {
		return got, err
	}
	for at, v := range from(place) {
		if !match(v) {
			continue
		}
		if len(got.rows) == p.max {
			got.next = newToken(place)
			break
		}
		got.rows = append(got.rows, v)
		place = at
	}
	got.total = len(got.rows)
	return got, nil
}

// these is the rows of a fixed list.
func these[T any](list []*T) rows[T] {
	return func(place uint64) iter.Seq2[uint64, *T] {
		return func(yield func(uint64, *T) bool) {
			for i := place; i < uint64(len(list)); i++ {
				if !yield(i+1, list[i]) {
					return
				}
			}
		}
	}
}

// named is the rows of ids, as far as they are there. Places are those of the
// ids, so that a row that goes moves no other.
func named[T any](ids []string, get func(id string) *T) rows[T] {
	return func(place uint64) iter.Seq2[uint64, *T] {
		return func(yield func(uint64, *T) bool) {
			for n := place; n < uint64(len(ids)); n++ {
				if v := get(ids[n]); v != nil && !yield(n+1, v) {
					return
				}
			}
		}
	}
}

// newToken makes a token that looks like the cloud's: opaque.
func newToken(place uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("place:" + strconv.FormatUint(place, 10)))
}

// parseToken reads newToken. The code for a bad token is assumed.
func parseToken(token string) (uint64, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if digits, ok := strings.CutPrefix(string(raw), "place:"); ok && err == nil {
		if n, err := strconv.ParseUint(digits, 10, 63); err == nil {
			return n, nil
		}
	}
	return 0, invalid("InvalidParameter.NextToken", "The specified NextToken is not valid.")
}

// idList checks ids that came as one JSON array. Empty ones are malformed, with the code
// that the error tables give for InstanceIds; ids that are named twice count once. How many
// there may be is the gateway's affair.
func idList(ids []string, code string) ([]string, error) {
	if slices.Contains(ids, "") {
		return nil, invalid(code, "The specified ids are malformed.")
	}
	return unique(ids), nil
}

// unique is the ids in order, each once.
func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(ids, func(id string) bool {
		before := seen[id]
		seen[id] = true
		return before
	})
}
