package ledger_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

var (
	home      = fleet.Scope{Account: "1", Region: "cn-hangzhou"}
	elsewhere = fleet.Scope{Account: "1", Region: "cn-shanghai"}
)

// left writes an intent of a function that nothing follows.
func left(t *testing.T, m *memory, function string, age time.Duration, id string, scope fleet.Scope) *fleet.Entry {
	t.Helper()
	e := intent(noon.Add(-age), id)
	e.Look[0].Scope = scope
	write(t, ledger.New(m, ledger.Pass{Function: function, Request: "req-1", Payload: []byte("p")}, nil), e)
	return e
}

// abandoned collects the ids of the changes of what is abandoned, and all errors.
func abandoned(t *testing.T, m *memory, functions []string, scope fleet.Scope) (ids []string, errs []error) {
	t.Helper()
	for e, err := range ledger.Abandoned(t.Context(), m, functions, noon, scope) {
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

func TestAnIntentThatNoPassSearchesForIsAbandoned(t *testing.T) {
	m := newMemory()
	for id, age := range map[string]time.Duration{
		"older than any search": 193 * time.Hour,
		"oldest":                192 * time.Hour,
		"after two lost sweeps": 50 * time.Hour,
		"middling":              20 * time.Hour,
		"just given up":         time.Hour + time.Second,
		"still searched for":    time.Hour,
		"searched for":          30 * time.Minute,
		"may yet end":           time.Minute,
		"of a clock that runs":  -time.Hour,
	} {
		left(t, m, "attach-role", age, id, home)
	}
	ids, errs := abandoned(t, m, both, home)
	if diff := cmp.Diff([]string{"oldest", "after two lost sweeps", "middling", "just given up"}, ids); diff != "" || len(errs) != 0 {
		t.Error(diff, errs)
	}
}

// Each open intent is either searched for by its function or abandoned, never both.
func TestEachOpenIntentIsFoundByOneOfTheTwo(t *testing.T) {
	for age := 50 * time.Minute; age < 70*time.Minute; age += time.Second {
		m := newMemory()
		left(t, m, "attach-role", age, "i-1", home)
		theirs, _ := abandoned(t, m, both, home)
		own, _ := open(t, ledger.New(m, pass("q"), &ledger.Watch{}), noon)
		if len(theirs)+len(own) != 1 {
			t.Errorf("%s old: abandoned %v, found %v", age, theirs, own)
		}
	}
}

func TestASettledIntentIsNotAbandoned(t *testing.T) {
	m := newMemory()
	l := ledger.New(m, pass("p"), nil)
	write(t, l, after(left(t, m, "attach-role", 3*time.Hour, "ended", home), fleet.StageOutcome, fleet.Done))
	write(t, l, after(left(t, m, "attach-role", 2*time.Hour, "settled", home), fleet.StageSettled, fleet.Unclear))
	left(t, m, "attach-role", 2*time.Hour, "open", home)
	if ids, errs := abandoned(t, m, both, home); !slices.Equal(ids, []string{"open"}) || len(errs) != 0 {
		t.Errorf("got %v, %v", ids, errs)
	}
	if m.gets != 1 {
		t.Errorf("%d objects were read to find one that is open", m.gets)
	}
}

func TestAbandonedIntentsAreThoseOfOneScopeAndAllFunctionsOnce(t *testing.T) {
	m := newMemory()
	for n := range 5 { // more than a page
		left(t, m, "attach-role", time.Duration(2+n)*time.Hour, "i-"+string(rune('a'+n)), home)
	}
	left(t, m, "push-agent", 2*time.Hour, "i-agent", home)
	left(t, m, "push-agent", 2*time.Hour, "i-far", elsewhere)
	left(t, m, "push-agent-2", 2*time.Hour, "i-not-asked-for", home)
	ids, errs := abandoned(t, m, both, home)
	if diff := cmp.Diff([]string{"i-e", "i-d", "i-c", "i-b", "i-a", "i-agent"}, ids); diff != "" || len(errs) != 0 {
		t.Error(diff, errs)
	}
	if ids, _ = abandoned(t, m, both, elsewhere); !slices.Equal(ids, []string{"i-far"}) {
		t.Errorf("elsewhere: %v", ids)
	}
	if ids, _ = abandoned(t, m, nil, home); len(ids) != 0 {
		t.Errorf("of no function: %v", ids)
	}
}

// Without refs there is neither a way to determine its outcome nor a scope.
func TestAnIntentWithoutRefsIsSkipped(t *testing.T) {
	m := newMemory()
	e := intent(noon.Add(-2*time.Hour), "i-1")
	e.Look = nil
	write(t, ledger.New(m, pass("p"), nil), e)
	if ids, errs := abandoned(t, m, both, home); len(ids)+len(errs) != 0 {
		t.Errorf("got %v, %v", ids, errs)
	}
}

func TestUnreadableAbandonedObjectsAreReportedAndTheRestIsYielded(t *testing.T) {
	m := newMemory()
	for name, body := range map[string]string{"a": `{"v": 2, "stage": "intent"}`, "b": `canary`, "c": `{}`} {
		left(t, m, "attach-role", 5*time.Hour, name, home)
		for object := range m.objects {
			if !strings.Contains(string(m.objects[object]), `"stage":"intent"`) {
				continue
			}
			m.objects[object] = []byte(body)
		}
	}
	left(t, m, "attach-role", 2*time.Hour, "i-1", home)
	left(t, m, "push-agent", 2*time.Hour, "i-2", home)
	ids, errs := abandoned(t, m, both, home)
	if !slices.Equal(ids, []string{"i-1", "i-2"}) || len(errs) != 3 {
		t.Fatalf("got %v, %v", ids, errs)
	}
	newer := 0
	for _, err := range errs {
		if errors.Is(err, ledger.ErrNewer) {
			newer++
		}
		if !errors.As(err, new(*fleet.BadInput)) || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v", err)
		}
	}
	if newer != 1 || len(m.objects) != 5 {
		t.Errorf("%d of a newer version, %d objects", newer, len(m.objects))
	}
}

// halting is a store that fails at its nth call.
type halting struct {
	*memory
	left int
	api  string
}

func (h *halting) fails(api string) error {
	if h.api == api {
		h.left--
		if h.left < 0 {
			return errors.New("out of order")
		}
	}
	return nil
}

func (h *halting) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	if err := h.fails("list"); err != nil {
		return nil, false, err
	}
	return h.memory.List(ctx, prefix, after)
}

func (h *halting) Get(ctx context.Context, name string) ([]byte, error) {
	if err := h.fails("get"); err != nil {
		return nil, err
	}
	return h.memory.Get(ctx, name)
}

func TestAFailingStoreEndsTheSearchForAbandonedIntents(t *testing.T) {
	m := newMemory()
	for _, age := range []int{4, 3, 2} {
		left(t, m, "attach-role", time.Duration(age)*time.Hour, "i", home)
	}
	left(t, m, "push-agent", 2*time.Hour, "i", home)
	for _, api := range []string{"list", "get"} {
		for n := range 3 {
			found, failed := 0, 0
			for _, err := range ledger.Abandoned(t.Context(), &halting{m, n, api}, both, noon, home) {
				if failed > 0 {
					t.Errorf("%s %d: it continues after its failure", api, n)
				}
				if err == nil {
					found++
					continue
				}
				failed++
				if errors.As(err, new(*fleet.BadInput)) {
					t.Errorf("%s %d: taken for a bad object: %v", api, n, err)
				}
			}
			if failed != 1 || found > 3 || api == "get" && found != n {
				t.Errorf("%s %d: %d found, %d failures", api, n, found, failed)
			}
		}
	}
}

func TestTheSearchForAbandonedIntentsMayBeStopped(t *testing.T) {
	m := newMemory()
	left(t, m, "attach-role", 3*time.Hour, "i-1", home)
	left(t, m, "attach-role", 2*time.Hour, "i-2", home)
	left(t, m, "push-agent", 2*time.Hour, "i-3", home)
	for range ledger.Abandoned(t.Context(), m, both, noon, home) {
		break
	}
	if m.gets != 1 {
		t.Errorf("%d objects were read after the first", m.gets-1)
	}
}

// A pass writes an intent for one batch, which has one scope.
func TestAnIntentAboutSeveralScopesIsNotRead(t *testing.T) {
	m := newMemory()
	for _, age := range []time.Duration{2 * time.Hour, 30 * time.Minute} {
		e := intent(noon.Add(-age), "i-1")
		e.Look = append(e.Look, e.Look[0])
		e.Look[1].Scope = elsewhere
		write(t, ledger.New(m, pass("p"), nil), e)
		left(t, m, "attach-role", age-time.Minute, "i-2", home)
	}
	for _, scope := range []fleet.Scope{home, elsewhere} {
		ids, errs := abandoned(t, m, both, scope)
		if slices.Contains(ids, "i-1") || len(errs) != 1 || !errors.As(errs[0], new(*fleet.BadInput)) {
			t.Errorf("%s: abandoned %v, %v", scope, ids, errs)
		}
	}
	ids, errs := open(t, ledger.New(m, pass("q"), &ledger.Watch{}), noon)
	if !slices.Equal(ids, []string{"i-2"}) || len(errs) != 1 || !errors.As(errs[0], new(*fleet.BadInput)) {
		t.Errorf("open %v, %v", ids, errs)
	}
}
