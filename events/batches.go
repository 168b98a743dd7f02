package events

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Receiver is the invocation that a payload came to.
type Receiver interface {
	// Knows reports whether the policy speaks for an account.
	Knows(fleet.AccountID) bool
	// Guards reports whether the policy guards an account and region; where the event is of
	// another region, nothing is checked but what is in the ledger.
	Guards(fleet.Scope) bool
	// Reaches reports whether the function can have keys for an account. The keys of our
	// account must not look up what belongs to another one: an id of it could be anything.
	Reaches(fleet.AccountID) bool
	// RoleIn returns the role that our functions assume in another account.
	RoleIn(fleet.AccountID) (role string, ok bool)
	// Requeue returns the body of an inbox message of a newer version to its queue. Its
	// error is a [*fleet.BadInput] where the message is given up.
	Requeue(body []byte) error
}

// Batches turns the events of one payload into batches for functions: refs are
// deduplicated, so that a window of a hundred events about one instance is one check, and
// grouped by scope, at most [fleet.MaxBatch] a batch. A bad element gives its [*Error], one
// that is not for these functions a [*fleet.Ignored]; their neighbours are taken all the
// same. Any other error means that messages could not be re-queued: it is the last.
func Batches(events iter.Seq2[Event, error], to Receiver, functions ...fleet.Function) iter.Seq2[fleet.Batch, error] {
	return func(yield func(fleet.Batch, error) bool) {
		f := filterFor(to, functions)
		g := grouping{at: map[fleet.Key]*fleet.Ref{}, refs: map[fleet.Scope][]*fleet.Ref{}}
		var lost error
		for ev, err := range events {
			if err == nil {
				err = f.refuse(ev)
			} else if err = f.requeue(err); isLost(err) {
				lost = errors.Join(lost, err)
				continue
			}
			switch {
			case err == nil:
				g.add(ev, f.refs)
			case !yield(fleet.Batch{}, err):
				return
			}
		}
		if g.batches(yield) && lost != nil {
			yield(fleet.Batch{}, lost)
		}
	}
}

// filter selects the events of some functions.
type filter struct {
	Receiver
	kinds []fleet.EventKind
	refs  []fleet.Kind
	roles []string // of the functions, and of those that they notify: what these do wakes no function
}

func filterFor(to Receiver, functions []fleet.Function) filter {
	f := filter{Receiver: to}
	for _, each := range functions {
		f.kinds, f.refs = append(f.kinds, each.Events...), append(f.refs, each.Refs...)
		f.roles = append(f.roles, fleet.CloudName(each.Name), fleet.CloudName(cmp.Or(each.Inbox, each.Name)))
	}
	return f
}

// isLost reports whether a message is in no queue, and not reported either.
func isLost(err error) bool {
	return !errors.As(err, new(*fleet.BadInput)) && !errors.As(err, new(*fleet.Ignored)) && !errors.As(err, new(*Error))
}

// refuse says why an event is not checked; nil when it is.
func (f filter) refuse(ev Event) error {
	where := ev.Type
	if ev.ID != "" {
		where += " " + ev.ID
	}
	switch {
	case !slices.Contains(f.kinds, ev.Kind):
		return &fleet.Ignored{Where: where, Why: "an event of kind " + string(ev.Kind) + " is not for this function"}
	case f.own(ev):
		return &fleet.Ignored{Where: where, Why: "our own session " + ev.Session + " of role " + ev.Role + " made the call"}
	case ev.Ignored != "":
		return &fleet.Ignored{Where: where, Why: ev.Ignored}
	case len(ev.Refs) > 0 && !f.Knows(ev.Refs[0].Scope.Account):
		return &fleet.BadInput{Where: where, What: "account " + string(ev.Refs[0].Scope.Account) + " is not one the policy names; add it to accounts, or ask who sent this"}
	case len(ev.Refs) > 0 && !ev.Refs[0].Kind.InLedger() && !f.Guards(fleet.Scope{Account: ev.Refs[0].Scope.Account, Region: ev.Region}):
		return &fleet.Ignored{Where: where, Why: "region " + string(ev.Region) + " is not one the policy guards"}
	case len(ev.Refs) > 0 && !f.Reaches(ev.Refs[0].Scope.Account):
		return &fleet.BadInput{Where: where, What: "account " + string(ev.Refs[0].Scope.Account) + " is one the policy names, without a role to assume there; add role to it"}
	case !slices.ContainsFunc(ev.Refs, func(r fleet.Ref) bool { return slices.Contains(f.refs, r.Kind) }):
		return &fleet.Ignored{Where: where, Why: cmp.Or(first(ev.Refs), "it") + " is nothing that this function checks; the daily sweep does"}
	}
	return nil
}

// first names the first of refs; empty for none.
func first(refs []fleet.Ref) string {
	if len(refs) == 0 {
		return ""
	}
	return refs[0].String()
}

// own reports whether a session of ours made the call. In another account, our sessions of
// the role there have the names of our roles at home: people may use that role, too, and a
// role there that only has a name of ours is not ours.
func (f filter) own(ev Event) bool {
	role, ok := f.RoleIn(ev.Account)
	if ok {
		return strings.EqualFold(role, ev.Role) && slices.Contains(f.roles, ev.Session)
	}
	return slices.ContainsFunc(f.roles, func(ours string) bool { return strings.EqualFold(ours, ev.Role) })
}

// requeue returns newer messages to their queue; what remains is the element's
// error, or that of the queue.
func (f filter) requeue(err error) error {
	var bad *Error
	if !errors.Is(err, ErrNewer) || !errors.As(err, &bad) {
		return err
	}
	if err := f.Requeue(bad.Body); err != nil {
		return err
	}
	return &fleet.Ignored{Where: "message " + bad.Digest, Why: ErrNewer.Error() + "; re-queued"}
}

// grouping collects refs by scope, in the order they came.
type grouping struct {
	at     map[fleet.Key]*fleet.Ref
	scopes []fleet.Scope
	refs   map[fleet.Scope][]*fleet.Ref
}

func (g *grouping) add(ev Event, kinds []fleet.Kind) {
	for _, r := range ev.Refs {
		if !slices.Contains(kinds, r.Kind) {
			continue
		}
		if have := g.at[r.Key()]; have != nil {
			merge(have, r)
			continue
		}
		if g.refs[r.Scope] == nil {
			g.scopes = append(g.scopes, r.Scope)
		}
		g.at[r.Key()] = &r
		g.refs[r.Scope] = append(g.refs[r.Scope], &r)
	}
}

// merge keeps what more is known of a ref that came twice: the call that made it, and the
// fewest tries and the latest beginning that any says, so that a message that claims many
// tries, or that it began long ago, ends no rechecks but its own.
// A share that failed claims more than one that succeeded; of several such, all are kept.
func merge(have *fleet.Ref, r fleet.Ref) {
	switch {
	case have.Call == nil, !failed(have.Call) && failed(r.Call):
		have.Call = r.Call
	case failed(have.Call) && failed(r.Call) && have.Call != r.Call:
		have.Call = both(have.Call, r.Call)
	}
	run := cmp.Or(have.Try.Run, r.Try.Run)
	first := have.Try.FirstSeen
	if first.IsZero() || r.Try.FirstSeen.IsZero() {
		first = time.Time{} // it counts from now
	} else if r.Try.FirstSeen.After(first) {
		first = r.Try.FirstSeen
	}
	have.Try = fleet.Try{N: min(have.Try.N, r.Try.N), FirstSeen: first, Run: run}
}

// batches reports whether all were taken.
func (g *grouping) batches(yield func(fleet.Batch, error) bool) bool {
	for _, scope := range g.scopes {
		for part := range slices.Chunk(g.refs[scope], fleet.MaxBatch) {
			b := fleet.Batch{Scope: scope, Refs: make([]fleet.Ref, len(part))}
			for i, r := range part {
				b.Refs[i] = *r
			}
			if !yield(b, nil) {
				return false
			}
		}
	}
	return true
}
