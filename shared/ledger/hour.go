package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// hourly is the folder of the counts, which sorts after every day.
const hourly = "~hour/"

// window is how long a change counts.
const window = time.Hour

// count is one object of a chain: the changes allowed within the hour before it.
type count struct {
	V int `json:"v"`
	// Uses are in the order in which they were allowed.
	Uses []use `json:"uses"`
}

// use is a number of changes that were allowed at a time. Its id distinguishes uses of the
// same second, so that a write whose answer was lost is recognised.
type use struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

// chain is the sequence of counts of one control in one account and region. Each object
// holds all uses that count at its time, so that the last one suffices. Appending is exact
// under concurrency: objects are never replaced, so that of two passes that append the same
// number only one succeeds, and the other reads again.
type chain struct {
	store  Store
	prefix string
}

func (l *Ledger) chain(s fleet.Scope, control string) chain {
	return chain{l.store, fmt.Sprintf("%s/%s%s.%s.%s/", l.pass.Function, hourly, s.Account, s.Region, part(control))}
}

func (c chain) object(n int) string { return fmt.Sprintf("%s%09d%s", c.prefix, n, suffix) }

// number reads the name of a chain's object; 0 for any other name.
func (c chain) number(name string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, c.prefix), suffix))
	if err != nil || c.object(n) != name {
		return 0
	}
	return n
}

// page is the maximum of names in a listing of OSS.
const page = 1000

// end returns the number of the last object, 0 without any. A chain grows for as long as
// the bucket keeps its objects: a chain of more than a page is not listed as a whole, but
// searched by doubling and then halving steps.
func (c chain) end(ctx context.Context) (last int, err error) {
	step, beyond := 0, false
	for {
		names, more, err := c.store.List(ctx, c.prefix, c.object(last+step))
		if err != nil {
			return 0, fmt.Errorf("listing %s: %w", c.prefix, err)
		}
		found := last
		for _, name := range names {
			found = max(found, c.number(name))
		}
		switch {
		case found > last && !more, found == last && step == 0:
			return found, nil
		case found == last:
			beyond = true
		}
		last = found
		switch {
		case !beyond:
			step = max(page, 2*step)
		case step > page:
			step /= 2
		default:
			step = 0
		}
	}
}

// read returns the uses in object n.
func (c chain) read(ctx context.Context, n int) (uses []use, err error) {
	if n == 0 {
		return nil, nil
	}
	name := c.object(n)
	body, err := c.store.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger object %s: %w", name, err)
	}
	return decodeCount(name, body)
}

// countVersion is the version of the counts that this code writes.
const countVersion = 1

// decodeCount reads a count. Invalid content is a [*fleet.BadInput] that does not quote it.
func decodeCount(name string, body []byte) ([]use, error) {
	bad := &fleet.BadInput{Where: "ledger object " + name}
	var x count
	switch err := json.Unmarshal(body, &x); {
	case err != nil:
		bad.What = "it is not a count of changes"
	case x.V != countVersion:
		bad.What = fmt.Sprintf("its version is %d, and this program reads version %d", x.V, countVersion)
	case slices.ContainsFunc(x.Uses, func(u use) bool { return u.N < 1 || u.At.IsZero() }):
		bad.What = "a number of changes is less than 1, or has no time"
	}
	if bad.What != "" {
		return nil, bad
	}
	return x.Uses, nil
}

// append writes the next object of the chain: the result of change, given the uses that
// still count. Without a result it writes none.
func (c chain) append(ctx context.Context, now time.Time, change func([]use) ([]use, bool)) error {
	for range appendTries {
		n, err := c.end(ctx)
		if err != nil {
			return err
		}
		uses, err := c.read(ctx, n)
		if err != nil {
			return err
		}
		uses = slices.DeleteFunc(uses, func(u use) bool { return now.Sub(u.At) >= window })
		uses, ok := change(uses)
		if !ok {
			return nil
		}
		err = PutJSON(ctx, c.store, c.object(n+1), count{countVersion, uses})
		if fleet.ClassOf(err) != fleet.Exists {
			return err
		}
	}
	return errCrowded
}

// appendTries limits the attempts of a pass that others overtake. At each attempt at least
// one pass succeeds.
const appendTries = 20

// errCrowded is transient.
var errCrowded = fleet.WithClass(fleet.Throttled, errors.New("other passes are counting at the same time"))

// Allow grants as many of a.N changes as the hour still permits, of most in all passes of
// this function. Without an error, the result counts for an hour from a.At, also if the
// pass dies before its changes; [Ledger.Release] returns the unused part.
//
// It counts grants that were not returned, which covers the changes of outcomes and of
// intents without an outcome. Each function counts by itself, since none accesses another's
// objects; only one function makes changes of a kind. So undoing replaced roles does not
// wait for the hour in which they were replaced by mistake.
func (l *Ledger) Allow(ctx context.Context, a fleet.Allowance, most int) (fleet.Allowance, error) {
	asked := a.N
	a.ID = rand.Text()[:10]
	err := l.chain(a.Scope, a.Control).append(ctx, a.At, func(uses []use) ([]use, bool) {
		used := 0
		for _, u := range uses {
			if u.ID == a.ID {
				return nil, false // an earlier try was stored, and allowed a.N
			}
			used += u.N
		}
		a.N, a.Free = max(0, min(asked, most-used)), time.Time{}
		if a.N < asked && len(uses) > 0 {
			a.Free = uses[0].At.Add(window)
		}
		return append(uses, use{a.ID, a.At, a.N}), a.N > 0
	})
	if err != nil {
		return fleet.Allowance{}, fmt.Errorf("counting the changes of this hour: %w", err)
	}
	return a, nil
}

// Spent returns how many changes of a control the hour before now has allowed in a scope, by the
// function that owns it, and when the oldest of them stops counting; zero without any. It only
// reads.
func Spent(ctx context.Context, store Store, function string, s fleet.Scope, control string, now time.Time) (n int, free time.Time, err error) {
	c := New(store, Pass{Function: function}, nil).chain(s, control)
	last, err := c.end(ctx)
	if err != nil {
		return 0, free, err
	}
	uses, err := c.read(ctx, last)
	for _, u := range uses {
		if now.Sub(u.At) >= window {
			continue
		}
		if n == 0 {
			free = u.At.Add(window)
		}
		n += u.N
	}
	return n, free, err
}

// Release returns n changes of an allowance. A repetition has no effect.
func (l *Ledger) Release(ctx context.Context, a fleet.Allowance, n int) error {
	err := l.chain(a.Scope, a.Control).append(ctx, a.At, func(uses []use) ([]use, bool) {
		i := slices.IndexFunc(uses, func(u use) bool { return u.ID == a.ID })
		if left := max(0, a.N-n); i >= 0 && uses[i].N > left {
			uses[i].N = left
			return slices.DeleteFunc(uses, func(u use) bool { return u.N == 0 }), true
		}
		return nil, false
	})
	if err != nil {
		return fmt.Errorf("returning %d changes of this hour: %w", n, err)
	}
	return nil
}
