// Package sls is Simple Log Service, API version 2020-12-30, as far as the logs of functions
// are read: a log store's settings, its index, and GetLogs with searches. The lines stay in
// the files that Function Compute wrote; a store knows where.
//
// There is no SQL: a search is a few terms joined by and, or and not. Anything else is
// refused and never guessed, so that a query that works here is one of the documented subset.
//
// Facts: SLS's help pages on request signatures, error codes, GetLogs, GetLogsV2, search
// syntax and on the fields of Function Compute's logs.
package sls

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// Store names a log store.
type Store struct{ Account, Region, Project, Name string }

func (s Store) resource() string {
	return fmt.Sprintf("acs:log:%s:%s:project/%s/logstore/%s", s.Region, s.Account, s.Project, s.Name)
}

// Batch is lines of one instance of a function, which the platform wrote at one moment.
type Batch struct {
	At                 time.Time
	Function, Instance string
	// The lines are in a file.
	Path           string
	Offset, Length int64
	// Request is the record of one call that has none; nil for lines.
	Request *Request
}

// Request is what request metrics have of a call.
type Request struct {
	ID          string
	Async, Cold bool
	Duration    time.Duration
	MemoryMB    int
	ErrorType   string // empty for success
}

// record is the call's line: fields, without a message.
func (b Batch) record() entry {
	r, kind := b.Request, "Sync"
	if r.Async {
		kind = "Async"
	}
	out := entry{b.At, map[string]string{
		"__time__": strconv.FormatInt(b.At.Unix(), 10), "__source__": "", "__topic__": "FCRequestMetrics:" + b.Function,
		"functionName": b.Function, "qualifier": "LATEST", "versionId": "", "instanceID": b.Instance, "requestId": r.ID, "operation": "InvokeFunction",
		"invocationType": kind, "durationMs": strconv.FormatFloat(float64(r.Duration.Microseconds())/1000, 'f', 2, 64),
		"memoryMB": strconv.Itoa(r.MemoryMB), "isColdStart": strconv.FormatBool(r.Cold), "hasFunctionError": strconv.FormatBool(r.ErrorType != ""),
		"resourceMode": "OnDemand",
	}}
	if r.ErrorType != "" {
		out.fields["errorType"] = r.ErrorType
	}
	return out
}

// Service has the log stores of all accounts.
type Service struct {
	w *simcloud.World

	mu     sync.Mutex
	stores map[Store]*store
}

type store struct {
	created time.Time
	index   *Index // nil for none
	batches []Batch
}

// New returns a service without stores.
func New(w *simcloud.World) *Service { return &Service{w: w, stores: map[Store]*store{}} }

// Create makes a store with an index, nil for none. One that is there gets the index.
func (s *Service) Create(id Store, index *Index) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stores[id] == nil {
		s.stores[id] = &store{created: s.w.Clock.Now()}
	}
	s.stores[id].index = index
}

// Write adds lines; to a store that does not exist they are lost.
func (s *Service) Write(id Store, b Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.stores[id]; x != nil {
		x.batches = append(x.batches, b)
	}
}

// find returns a copy of a store that a caller asks for by project and name. The project
// must be in the region; whose it is does not matter.
func (s *Service) find(region, project, name string) (id Store, found store, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := false
	for id, x := range s.stores {
		if id.Region != region || id.Project != project {
			continue
		}
		if there = true; id.Name == name {
			c := *x
			c.batches = slices.Clone(x.batches)
			return id, c, nil
		}
	}
	if !there {
		return Store{}, store{}, errNoProject(project)
	}
	return Store{}, store{}, errNoStore(name)
}

// entry is a line as the store has it: Function Compute's fields around the line.
type entry struct {
	at     time.Time
	fields map[string]string
}

// lines reads a batch.
func (b Batch) lines() (out []entry, err error) {
	if b.Request != nil {
		return []entry{b.record()}, nil
	}
	f, err := os.Open(b.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := make([]byte, b.Length)
	if _, err := io.ReadFull(io.NewSectionReader(f, b.Offset, b.Length), text); err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			continue
		}
		out = append(out, entry{b.At, map[string]string{
			"__time__": strconv.FormatInt(b.At.Unix(), 10), "__source__": "", "__topic__": "FCLogs:" + b.Function,
			"functionName": b.Function, "qualifier": "LATEST", "versionId": "", "instanceID": b.Instance, "message": line,
		}})
	}
	return out, nil
}
