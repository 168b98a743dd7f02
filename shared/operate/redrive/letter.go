package redrive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// State is the state of a letter.
type State string

// The states of a letter. A redriven one has left the queue, and so has a superseded one
// unless the run was dry.
const (
	// Planned: a dry run would redrive it.
	Planned State = "planned"
	// Redriven: all refs in it were sent, and it was deleted.
	Redriven State = "redriven"
	// Superseded: it holds a timer's event and nothing else. The timer's next event does
	// the same work, so the letter is deleted without sending anything. A dry run would.
	Superseded State = "superseded"
	// Partly: the parts of it that could be decoded were sent. It stays for the rest.
	Partly State = "partly"
	// Undeleted: all refs in it were sent, if it has any; it could not be deleted, and may come again.
	Undeleted State = "undeleted"
	// Unsent: an inbox could not be reached.
	Unsent State = "unsent"
	// Filtered: the filter leaves it out.
	Filtered State = "filtered"
	// Kept: its function or its refs could not be determined.
	Kept State = "kept"
)

// Letter is what is reported of one dead letter. Of its content, it has only the names of
// its function and of the resources that its refs are about.
type Letter struct {
	// ID is the queue's name for it, Digest the SHA-256 of its body in hex.
	ID       string    `json:"id"`
	Digest   string    `json:"digest"`
	Enqueued time.Time `json:"enqueued,omitzero"`
	Shape    Shape     `json:"shape"`
	State    State     `json:"state"`
	// Reason says why it was not redriven, or not all of it; of a superseded one, why it is
	// deleted.
	Reason string `json:"reason,omitempty"`
	// Queued are the refs that were enqueued, or in a dry run would be, for each function.
	// They are without their calls.
	Queued []queue.Delivery `json:"queued,omitempty"`

	sent   []queue.Delivery // the refs to enqueue, with their calls
	handle string
}

// Filter selects letters; an empty field selects all. A letter is redriven as a whole if one
// of its functions and refs fits. A ref without a region, such as that of an account's shares,
// fits each region: otherwise no filter by region would select it.
type Filter struct {
	Function string
	Account  fleet.AccountID
	Region   fleet.Region
	Kind     fleet.Kind
	ID       string
	// Since (inclusive) and Until (exclusive) are bounds of the time at which the queue got
	// the letter. Whether that is the time of the failure or of the message that failed
	// is not published for messages that MNS moved.
	Since, Until time.Time
}

func (f Filter) age(enqueued time.Time) bool {
	if f.Since.IsZero() && f.Until.IsZero() {
		return true
	}
	return !enqueued.IsZero() && !enqueued.Before(f.Since) && (f.Until.IsZero() || enqueued.Before(f.Until))
}

func (f Filter) fits(to []queue.Delivery) bool {
	return slices.ContainsFunc(to, func(t queue.Delivery) bool {
		return (f.Function == "" || f.Function == t.Function) && slices.ContainsFunc(t.Refs, f.ref)
	})
}

func (f Filter) ref(r fleet.Ref) bool {
	return (f.Account == "" || f.Account == r.Scope.Account) && (f.Region == "" || r.Scope.Region == "" || f.Region == r.Scope.Region) &&
		(f.Kind == "" || f.Kind == r.Kind) && (f.ID == "" || f.ID == r.ID)
}

// classify determines the function, the refs and the state of a letter, before anything is
// sent.
func (p *pass) classify(m mns.Received) Letter {
	l := Letter{ID: m.ID, Digest: fmt.Sprintf("%x", sha256.Sum256([]byte(m.Body))), Enqueued: m.Enqueued, Shape: Unknown, State: Planned, handle: m.Handle}
	if !p.Filter.age(m.Enqueued) {
		l.State = Filtered
		return l
	}
	parts, err := split(m.Body)
	if p.superseded(&l, parts) {
		return l
	}
	for _, part := range parts {
		l.Shape = part.shape
		if e := p.read(&l, part); err == nil || errors.Is(err, errNothing) {
			err = cmp.Or(e, err)
		}
	}
	if err != nil && (len(l.sent) == 0 || !errors.Is(err, errNothing)) {
		l.Reason = err.Error()
	}
	switch {
	case len(l.sent) == 0:
		l.State = Kept
	case !p.Filter.fits(l.sent):
		l.State, l.Reason = Filtered, ""
	default:
		l.Queued = bare(l.sent)
	}
	return l
}

// superseded reports whether a letter holds a timer's event and nothing else; if so, it sets
// the letter's state and reason.
func (p *pass) superseded(l *Letter, parts []part) bool {
	if len(parts) != 1 {
		return false
	}
	function, ok := parts[0].timer()
	if !ok {
		return false
	}
	l.Shape, l.State, l.Reason = parts[0].shape, Superseded, missed(function)
	about := []fleet.Ref{{Scope: fleet.Scope{Region: parts[0].region()}}}
	if !p.Filter.fits([]queue.Delivery{{Function: function, Refs: about}}) {
		l.State, l.Reason = Filtered, ""
	}
	return true
}

// missed is the reason to delete the failed event of a function's timer: which event does its
// work instead.
func missed(function string) string {
	next := "the next one does the same work"
	if function == fleet.FunctionSweep { // the next one may be a day away
		next = "the next night's sweep does what this one missed"
	}
	return "a timer's event of " + function + ": only deleted, since " + next
}

// read adds the refs of one part to a letter; its error says why some of the part could not
// be decoded. It never has the decoder's error, which may quote the letter.
func (p *pass) read(l *Letter, part part) error {
	functions, err := part.addressees()
	if err != nil {
		return err
	}
	var refs []fleet.Ref
	for batch, e := range p.Decode(part.body) {
		if _, ignored := errors.AsType[*fleet.Ignored](e); e != nil && !ignored {
			err = errUnreadable
		}
		for _, ref := range batch.Refs {
			ref.Try = p.firstTry(ref.Try)
			refs = append(refs, ref)
		}
	}
	to := queue.Sort(functions, refs)
	if err == nil && len(to) == 0 {
		err = errNothing
	}
	l.sent = append(l.sent, to...)
	return err
}

// firstTry is the history of a redriven ref: none. With the old one, a ref that ran out of
// tries or of time would be given up at its first check. The ref stays in its run, which has
// its progress and limits.
func (p *pass) firstTry(old fleet.Try) fleet.Try { return fleet.Try{Run: cmp.Or(old.Run, p.Run)} }

func bare(to []queue.Delivery) []queue.Delivery {
	out := make([]queue.Delivery, len(to))
	for i, t := range to {
		out[i].Function = t.Function
		for _, r := range t.Refs {
			out[i].Refs = append(out[i].Refs, fleet.Ref{Scope: r.Scope, Kind: r.Kind, ID: r.ID})
		}
	}
	return out
}

// settle deletes the letters that were sent as a whole or are superseded, and reports all.
func (p *pass) settle(ctx context.Context, letters []Letter, failed map[queue.Address]error) {
	var handles []string
	var gone []*Letter
	for i := range letters {
		switch l := &letters[i]; {
		case l.State == Superseded:
			handles, gone = append(handles, l.handle), append(gone, l)
		case l.State != Planned:
		case l.lacks(failed):
			l.State, l.Reason = Unsent, "an inbox that it is for could not be reached"
		case l.Reason != "":
			l.State = Partly
		default:
			l.State = Redriven
			handles, gone = append(handles, l.handle), append(gone, l)
		}
	}
	for i, err := range p.Queue.Delete(ctx, queue.DeadLetters, handles) {
		if err != nil {
			gone[i].State, gone[i].Reason = Undeleted, "it could not be deleted: "+fleet.ClassOf(err).String()
		}
	}
	for _, l := range letters {
		p.report(l)
	}
}

// lacks reports whether a ref of the letter could not be enqueued.
func (l *Letter) lacks(failed map[queue.Address]error) bool {
	return slices.ContainsFunc(l.sent, func(t queue.Delivery) bool { return failed[t.Address()] != nil })
}

func (p *pass) report(l Letter) {
	p.sum.Letters[l.State]++
	if l.State != Unsent {
		for _, t := range l.Queued {
			p.sum.Refs[t.Function] += len(t.Refs)
		}
	}
	if p.Seen != nil {
		p.Seen(l)
	}
}
