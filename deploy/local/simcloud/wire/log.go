package wire

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Entry is one request in the log.
type Entry struct {
	Seq        uint64    `json:"seq"`
	Time       time.Time `json:"time"` // virtual
	Product    string    `json:"product"`
	Action     string    `json:"action"`
	Region     string    `json:"region,omitempty"`
	Account    string    `json:"account,omitempty"`
	CallerType string    `json:"callerType,omitempty"`
	Caller     string    `json:"caller,omitempty"`
	Session    string    `json:"session,omitempty"`
	// Status is the HTTP status; 0 when the connection was dropped.
	Status int `json:"status"`
	// Code is the error code; empty for success, Timeout for a dropped
	// connection, Empty for an empty answer.
	Code      string `json:"code,omitempty"`
	RequestID string `json:"requestId"`
	// IDs is the number of ids in the call's batch parameters.
	IDs int `json:"ids,omitempty"`
}

// Total is the exact number of requests of one kind.
type Total struct {
	// Account and Caller are who signed: a user's or a role's name, whatever its
	// session. They are empty where that was not found out.
	Account string `json:"account,omitempty"`
	Caller  string `json:"caller,omitempty"`
	Product string `json:"product"`
	Action  string `json:"action"`
	Code    string `json:"code,omitempty"`
	Count   int    `json:"count"`
}

type totalKey struct{ account, caller, product, action, code string }

// Log keeps the last requests and counts all of them. The zero Log is ready.
type Log struct {
	mu     sync.Mutex
	seq    uint64
	ring   []Entry
	totals map[totalKey]int
}

const keepEntries = 10_000

// maxTotals bounds the kinds that are counted apart. Clients can make up names of
// actions; past it, new kinds count as the action "(many)".
const maxTotals = 10_000

// Add writes one request, and gives it its number.
func (l *Log) Add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.totals == nil {
		l.totals = map[totalKey]int{}
	}
	l.seq++
	e.Seq = l.seq
	k := totalKey{e.Account, e.Caller, e.Product, e.Action, e.Code}
	if _, known := l.totals[k]; !known && len(l.totals) >= maxTotals {
		k.action = "(many)"
	}
	l.totals[k]++
	if len(l.ring) < keepEntries {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[(e.Seq-1)%keepEntries] = e
}

// Since returns the kept entries after number seq, oldest first.
func (l *Log) Since(seq uint64) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := max(seq, l.seq-uint64(len(l.ring)))
	out := []Entry{}
	for n := first; n < l.seq; n++ {
		out = append(out, l.ring[n%keepEntries])
	}
	return out
}

// Totals returns the exact counts since start, in a fixed order.
func (l *Log) Totals() []Total {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Total, 0, len(l.totals))
	for k, n := range l.totals {
		out = append(out, Total{k.account, k.caller, k.product, k.action, k.code, n})
	}
	slices.SortFunc(out, func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Product, b.Product),
			cmp.Compare(a.Action, b.Action), cmp.Compare(a.Code, b.Code))
	})
	return out
}
