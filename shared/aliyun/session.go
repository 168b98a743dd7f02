package aliyun

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
)

// defaultBudget is the default of calls of each API that one pass may send.
const defaultBudget = 2000

// Patience is the longest total wait of one call before it fails and a delayed message
// takes over.
const Patience = 2 * time.Second

// Session is the API side of one pass: it counts calls, limits them and keeps the cloud's
// time. It is safe for concurrent use.
type Session struct {
	cloud *Cloud
	*tally
	renew func(context.Context) error // see As; nil: the keys cannot be renewed
}

// tally is shared by the sessions of one pass, of all accounts.
type tally struct {
	mu     sync.Mutex
	budget int            // calls of each API
	spent  map[string]int // by action, of those without a limit of their own
	limits map[string]int // by action, what is left
	excess bool
	calls  map[string]map[string]int
	date   time.Time
}

// NewSession returns a session that may send budget calls of each API; 0 means
// defaultBudget.
func (c *Cloud) NewSession(budget int) *Session {
	budget = cmp.Or(max(budget, 0), defaultBudget)
	return &Session{cloud: c, tally: &tally{budget: budget, spent: map[string]int{}, calls: map[string]map[string]int{}}}
}

// As returns a session of the same pass that signs with keys, such as those of a role
// in another account. Budget, limits, counts and time are one for both. other returns other
// keys than those that were refused, as keys are whose role was made again; nil: there are none.
func (s *Session) As(keys Keys, other func(ctx context.Context, refused Keys) (Keys, error)) *Session {
	credential := &Renewable{}
	credential.Renew(keys)
	as := &Session{cloud: s.cloud.as(credential), tally: s.tally}
	if other != nil {
		as.renew = func(ctx context.Context) error {
			fresh, err := other(ctx, *credential.keys.Load())
			if err == nil {
				credential.Renew(fresh)
			}
			return err
		}
	}
	return as
}

// Limit sets how many calls of single actions, such as AttachInstanceRamRole, the
// session may send, whatever its budget. Call it before the first call.
func (s *Session) Limit(actions map[string]int) { s.limits = maps.Clone(actions) }

// Excess allows or forbids calls beyond budget and limits. They are still counted.
func (s *Session) Excess(allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.excess = allowed
}

// Cloud returns the session's Cloud.
func (s *Session) Cloud() *Cloud { return s.cloud }

// Wait waits for d or until ctx ends, by the clock of Sleep.
func (c *Cloud) Wait(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Now returns the cloud's time: the newest Date header of its answers, or the
// machine's time before the first answer.
func (s *Session) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.date.IsZero() {
		return time.Now().UTC()
	}
	return s.date
}

// Left returns how many calls the budget still allows of the API that was called most.
func (s *Session) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.budget
	for _, n := range s.spent {
		left = min(left, s.budget-n)
	}
	return left
}

// Calls returns how many calls were sent, by API and result.
func (s *Session) Calls() map[string]map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]map[string]int, len(s.calls))
	for api, results := range s.calls {
		out[api] = maps.Clone(results)
	}
	return out
}

// Call makes one call of an API for clients that do not use [Do], such as the MNS client:
// within the budget, counted, and retried after transient failures, by [Session.Retry]. A
// repeated call must be harmless.
func (s *Session) Call(ctx context.Context, api string, try func() error) error {
	return s.Retry(ctx, func() error { return s.once(api, try) })
}

// once spends one call of the budget, makes it and counts its result.
func (s *Session) once(api string, try func() error) error {
	if err := s.spend(api); err != nil {
		return err
	}
	err := try()
	s.count(api, err)
	return err
}

// spend takes one call off the budget.
func (s *Session) spend(api string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, action, _ := strings.Cut(api, ":")
	left, limited := s.limits[action]
	if !limited {
		left = s.budget - s.spent[action]
	}
	if left <= 0 && !s.excess {
		return &Error{API: api, Message: "the pass has spent its calls of this API", class: fleet.OutOfBudget}
	}
	if limited {
		s.limits[action]--
	} else {
		s.spent[action]++
	}
	return nil
}

// count records the result of one call that was sent.
func (s *Session) count(api string, err error) {
	result := "ok"
	if err != nil {
		result = fleet.ClassOf(err).String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[api] == nil {
		s.calls[api] = map[string]int{}
	}
	s.calls[api][result]++
}

// SawDate takes the cloud's time from a Date header, if it is one and newer.
func (s *Session) SawDate(header string) {
	t, err := http.ParseTime(header)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.After(s.date) {
		s.date = t.UTC()
	}
}

// Retry calls try until it succeeds, fails permanently, or has waited for [Patience] in
// all. It waits as long as the cloud asks, else with jittered backoff. A lost write is
// never repeated.
func (s *Session) Retry(ctx context.Context, try func() error) error {
	var waited time.Duration
	for n := 0; ; n++ {
		err := try()
		if c := fleet.ClassOf(err); err == nil || (c != fleet.Throttled && c != fleet.Unavailable) {
			return err
		}
		wait := cmp.Or(fleet.RetryAfter(err), time.Duration(float64(100*time.Millisecond<<n)*(0.5+rand.Float64())))
		if waited += wait; waited > Patience {
			return err
		}
		if serr := s.cloud.Wait(ctx, wait); serr != nil {
			return fmt.Errorf("%w (gave up waiting: %w)", err, serr)
		}
	}
}
