package ledger_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// memory is a store with pages of two names, unless page says otherwise.
type memory struct {
	mu      sync.Mutex // of gets: a search reads several objects at a time
	objects map[string][]byte
	sorted  []string // their names, as of the last listing
	page    int
	lag     time.Duration // of each read
	refused string        // the prefix that cannot be listed
	lists   int
	gets    int
	err     error
}

type exists struct{ error }

func (exists) Class() fleet.Class { return fleet.Exists }

type missing struct{ error }

func (missing) Class() fleet.Class { return fleet.NotFound }

func (m *memory) Put(_ context.Context, name string, body []byte) error {
	if m.err != nil {
		return m.err
	}
	if _, ok := m.objects[name]; ok {
		return exists{errors.New("there is one")}
	}
	m.objects[name] = slices.Clone(body)
	return nil
}

func (m *memory) wait(ctx context.Context) error {
	select {
	case <-time.After(m.lag):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *memory) Get(ctx context.Context, name string) ([]byte, error) {
	if m.lag > 0 {
		if err := m.wait(ctx); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	m.gets++
	m.mu.Unlock()
	body, ok := m.objects[name]
	if !ok {
		return nil, missing{errors.New("there is none")}
	}
	return body, m.err
}

func (m *memory) List(ctx context.Context, prefix, after string) (page []string, more bool, err error) {
	m.lists++
	if m.lag > 0 {
		if err := m.wait(ctx); err != nil {
			return nil, false, err
		}
	}
	if m.refused == prefix {
		return nil, false, errors.New("refused")
	}
	if len(m.sorted) != len(m.objects) {
		m.sorted = slices.Sorted(maps.Keys(m.objects))
	}
	i, _ := slices.BinarySearch(m.sorted, max(prefix, after))
	size := cmp.Or(m.page, 2)
	for ; i < len(m.sorted) && strings.HasPrefix(m.sorted[i], prefix); i++ {
		if m.sorted[i] == after {
			continue
		}
		if len(page) == size {
			return page, true, m.err
		}
		page = append(page, m.sorted[i])
	}
	return page, false, m.err
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func intent(at time.Time, ids ...string) *fleet.Entry {
	e := &fleet.Entry{Stage: fleet.StageIntent, Policy: "digest", Time: at}
	e.Look = []fleet.Message{{V: 1, Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindInstance, IDs: ids, Run: "run-1"}}
	for _, id := range ids {
		e.Changes = append(e.Changes, fleet.EntryChange{Run: "run-1", ChangeRecord: fleet.ChangeRecord{
			Control: "instance-role", Rule: "systrust-role", Kind: fleet.AttachRole, Account: "1", Region: "cn-hangzhou",
			RefKind: fleet.KindInstance, ID: id, Want: "role",
		}})
	}
	return e
}

// after is what follows an intent.
func after(e *fleet.Entry, stage fleet.Stage, state fleet.State) *fleet.Entry {
	out := *e
	out.Stage, out.Look, out.Changes = stage, nil, slices.Clone(e.Changes)
	for i := range out.Changes {
		out.Changes[i].State = state
	}
	return &out
}

func pass(payload string) ledger.Pass {
	return ledger.Pass{Function: "attach-role", Request: "req-1", Payload: []byte(payload)}
}

func write(t *testing.T, l *ledger.Ledger, e *fleet.Entry) {
	t.Helper()
	if err := l.Write(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// open collects the ids of the changes of what is open, and all errors.
func open(t *testing.T, l *ledger.Ledger, now time.Time) (ids []string, errs []error) {
	t.Helper()
	for e, err := range l.Open(t.Context(), now) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if e.Name == "" || len(e.Refs()) == 0 {
			t.Errorf("an open intent without name or refs: %+v", e)
		}
		for _, c := range e.Changes {
			ids = append(ids, c.ID)
		}
	}
	return ids, errs
}

// settle is open, and settles what it finds.
func settle(t *testing.T, l *ledger.Ledger, now time.Time) (ids []string, errs []error) {
	t.Helper()
	for e, err := range l.Open(t.Context(), now) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ids = append(ids, e.Changes[0].ID)
		write(t, l, after(&e, fleet.StageSettled, fleet.Skipped))
	}
	return ids, errs
}
