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
	// Put creates an object. If the name exists, the object is left unchanged and the error
	// has class [fleet.Exists]. A store without this guarantee returns class
	// [fleet.NotWriteOnce].
	Put(ctx context.Context, name string, body []byte) error
	// Get reads an object. The error of a missing one has class [fleet.NotFound].
	Get(ctx context.Context, name string) ([]byte, error)
	// List returns one page of the names that begin with prefix and sort after another, in
	// byte order.
	List(ctx context.Context, prefix, after string) (names []string, more bool, err error)
}

// Ledger is one pass's access to the store.
type Ledger struct {
	store Store
	pass  Pass
	watch *Watch
	// settled is the last intent that this ledger wrote an end for.
	settled string
}

// Pass is the part of a pass that object names record.
type Pass struct {
	Function, Request string
	// Payload is the invocation's payload. A repeated invocation has the same.
	Payload []byte
	// Repeated reports that the platform has tried this invocation before.
	Repeated bool
}

// New returns a ledger. watch is the process's, shared by its passes.
func New(store Store, pass Pass, watch *Watch) *Ledger {
	return &Ledger{store: store, pass: pass, watch: watch}
}

// digest identifies a payload without disclosing it.
func (l *Ledger) digest() string {
	sum := sha256.Sum256(l.pass.Payload)
	return hex.EncodeToString(sum[:6])
}

// Write stores an entry. An intent gets a new name; an outcome or settled entry has that of
// its intent.
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
	// LongestPass is how long after an intent its outcome may come: the time of one batch,
	// not of all. A function is ended after 290 s; backfill, which may run for an hour, and
	// a terminal, which has no time limit, write an intent for each batch. A slower batch,
	// of a machine that slept for example, may be settled meanwhile; its outcome still
	// counts.
	LongestPass = 10 * time.Minute
	// lookBack is how far back a pass searches for open intents. Older ones are the
	// sweep's.
	lookBack = time.Hour
)

// Open yields the intents that passes of this function left open, if a search is due: those
// of an earlier try of this invocation, and those too old for their pass to be alive. One
// that is not settled before the next is yielded is searched for again after a while; one
// that is not yielded, by the process's next pass. An object that cannot be read yields a
// [*fleet.BadInput] and is left unchanged; any other error ends the sequence.
func (l *Ledger) Open(ctx context.Context, now time.Time) iter.Seq2[fleet.Entry, error] {
	return func(yield func(fleet.Entry, error) bool) {
		if !l.watch.due(now) && !l.pass.Repeated {
			return
		}
		err := l.open(ctx, now, yield)
		if err != nil {
			l.watch.again(now)
			yield(fleet.Entry{}, fmt.Errorf("searching for open intents: %w", err))
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
			l.watch.again(now.Add(LongestPass)) // too recent to determine its outcome
		}
		if !more {
			l.watch.again(now) // the rest is unsearched
			return nil
		}
	}
	return nil
}

// intent reads an intent. A pass writes one for each batch, so one about several scopes is
// not from this code, and is a [*fleet.BadInput].
func intent(ctx context.Context, store Store, stem string) (fleet.Entry, error) {
	e, err := fetch(ctx, store, stem, fleet.StageIntent)
	if _, ok := e.Scope(); err != nil || ok || len(e.Look) == 0 {
		return e, err
	}
	return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + object(&fleet.Entry{Name: stem, Stage: fleet.StageIntent}), What: "it is about several accounts or regions"}
}

// fetch reads one object. One that was listed and is missing, or that ends a missing
// intent, is a [*fleet.BadInput] as well.
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
