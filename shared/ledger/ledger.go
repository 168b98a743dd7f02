package ledger

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Store keeps objects by name.
type Store interface {
	// Put makes an object. When there is one of that name, it is left as it is and
	// the error has class [fleet.Exists]. A store that does not keep that promise says so
	// with class [fleet.NotWriteOnce].
	Put(ctx context.Context, name string, body []byte) error
	// Get reads an object. The error has class [fleet.NotFound] when there is none.
	Get(ctx context.Context, name string) ([]byte, error)
	// List returns one page of the names that begin with prefix and come after
	// another, in order of their bytes.
	List(ctx context.Context, prefix, after string) (names []string, more bool, err error)
}

// Ledger is one pass's way to the store.
type Ledger struct {
	store Store
	pass  Pass
	watch *Watch
	// settled is the last intent that came to an end here.
	settled string
}

// Pass is what names tell about a pass.
type Pass struct {
	Function, Request string
	// Payload is what woke it. A repeated invocation brings the same.
	Payload []byte
	// Repeated says that the platform has tried this invocation before.
	Repeated bool
}

// New returns a ledger. watch is the process's, shared by its passes.
func New(store Store, pass Pass, watch *Watch) *Ledger {
	return &Ledger{store: store, pass: pass, watch: watch}
}

// digest tells payloads apart, not what is in them.
func (l *Ledger) digest() string {
	sum := sha256.Sum256(l.pass.Payload)
	return hex.EncodeToString(sum[:6])
}

// Write stores an entry. An intent gets its name; an outcome, or what was settled,
// has that of its intent.
func (l *Ledger) Write(ctx context.Context, e *fleet.Entry) error {
	e.Function, e.Request = l.pass.Function, l.pass.Request
	if e.Stage == fleet.StageIntent {
		e.Name = fmt.Sprintf("%s/%s.%s.%s.%s.%s", e.Function, e.Time.UTC().Format(timeForm),
			runOf(e), part(e.Request), l.digest(), strings.ToLower(rand.Text()[:8]))
	}
	body, err := encode(*e)
	if err != nil {
		return err
	}
	err = l.store.Put(ctx, object(e), body)
	if e.Stage == fleet.StageSettled && (err == nil || fleet.ClassOf(err) == fleet.Exists) {
		l.settled = e.Name
	}
	if err != nil {
		if e.Stage == fleet.StageOutcome {
			l.watch.again(e.Time.Add(LongestPass))
		}
		return fmt.Errorf("writing an %s to the ledger: %w", e.Stage, err)
	}
	return nil
}

const (
	// LongestPass is how long after an intent its outcome is waited for. What counts is
	// the time of one batch, from its intent to its outcome, and not that of all: a
	// function that is ended after 290 s has no longer one, and backfill, which may run
	// for an hour, and a terminal, which nobody ends, write an intent for each batch. One
	// that takes longer all the same, on a machine that slept, say, may be settled
	// meanwhile; its outcome still counts when it comes.
	LongestPass = 10 * time.Minute
	// lookBack is how far a pass looks for open intents. What is older is the
	// sweep's.
	lookBack = time.Hour
)

// Open yields the intents that passes of this function left open, if it is time to
// look for them: those of an earlier try of this same invocation, and those that are
// too old for their pass to be alive. One that is not settled before the next is asked
// for is looked for again after a while, and what is not asked for, by the process's next
// pass. An object that cannot be read yields a [*fleet.BadInput] and is left where it is;
// any other error ends the sequence.
func (l *Ledger) Open(ctx context.Context, now time.Time) iter.Seq2[fleet.Entry, error] {
	return func(yield func(fleet.Entry, error) bool) {
		if !l.watch.due(now) && !l.pass.Repeated {
			return
		}
		err := l.open(ctx, now, yield)
		if err != nil {
			l.watch.again(now)
			yield(fleet.Entry{}, fmt.Errorf("looking for open intents: %w", err))
		}
	}
}

func (l *Ledger) open(ctx context.Context, now time.Time, yield func(fleet.Entry, error) bool) error {
	own := l.digest()
	q := Query{Function: l.pass.Function, From: now.Add(-lookBack)}
	for names, err := range titles(ctx, l.store, q) {
		switch {
		case err != nil:
			return err
		case !names.open():
			continue
		case names.title.payload != own && now.Sub(names.title.at) < LongestPass:
			l.watch.again(names.title.at.Add(LongestPass))
			continue
		}
		e, err := intent(ctx, l.store, names.stem)
		var bad *fleet.BadInput
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		more := yield(e, err)
		if err == nil && l.settled != e.Name {
			l.watch.again(now.Add(LongestPass)) // it cannot be told yet what came of it
		}
		if !more {
			l.watch.again(now) // nobody has looked at what comes after it
			return nil
		}
	}
	return nil
}

// intent reads what was about to be changed. A pass writes one for each batch, so one
// about several scopes was written by somebody else, and is a [*fleet.BadInput].
func intent(ctx context.Context, store Store, stem string) (fleet.Entry, error) {
	e, err := fetch(ctx, store, stem, fleet.StageIntent)
	if _, ok := e.Scope(); err != nil || ok || len(e.Look) == 0 {
		return e, err
	}
	return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + object(&fleet.Entry{Name: stem, Stage: fleet.StageIntent}), What: "it is about several accounts or regions"}
}

// fetch reads one object. What was listed and is not there, or is the end of an intent
// that is not there, is a [*fleet.BadInput] as well.
func fetch(ctx context.Context, store Store, stem string, stage fleet.Stage) (fleet.Entry, error) {
	name := object(&fleet.Entry{Name: stem, Stage: stage})
	body, err := store.Get(ctx, name)
	if fleet.ClassOf(err) == fleet.NotFound {
		return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + name, What: "it is gone"}
	}
	if err != nil {
		return fleet.Entry{}, fmt.Errorf("reading the ledger object %s: %w", name, err)
	}
	return Decode(name, body)
}
