package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/queue"
)

// version is the version of the progress objects that this code writes.
const version = 1

// progress is how far a replay is. It replays one call after the other, each over the whole
// window, in pieces. It is saved as replays/<run>/<n>.json, one object a page.
type progress struct {
	V int `json:"v"`
	Job
	N int `json:"n"`
	// Call is the eventName that is being read, from From on; empty when Done.
	Call string    `json:"call,omitempty"`
	From time.Time `json:"from,omitzero"`
	// Token continues that reading. Last is the newest event time that was read: the reading
	// restarts there if the token is refused.
	Token string    `json:"token,omitempty"`
	Last  time.Time `json:"last,omitzero"`
	Done  bool      `json:"done,omitempty"`
	Sum   Sum       `json:"sum"`

	// restarted says that the reading from From follows a refused token.
	restarted bool
}

// Sum is what a replay has done so far, or would have done.
type Sum struct {
	// Records were read in that many pages. Unread are those that could not be decoded,
	// Ignored those that no function handles.
	Records int `json:"records"`
	Pages   int `json:"pages"`
	Unread  int `json:"unread,omitempty"`
	Ignored int `json:"ignored,omitempty"`
	// Restarts counts refused tokens.
	Restarts int `json:"restarts,omitempty"`
	// Expired is how many seconds of the window's beginning were read too late: ActionTrail
	// had deleted their records.
	Expired int `json:"expiredSeconds,omitempty"`
	// Refs counts the refs that were sent, by function.
	Refs map[string]int `json:"refs,omitempty"`
}

// Step is one completed page.
type Step struct {
	Call    string
	Records int
	// Deliveries are what was sent or, in a dry run, would be.
	Deliveries []queue.Delivery
	// Errors are the decoder's errors, of records without refs.
	Errors []error
	// At is how far the reading of Call is in the window, Fraction how far the whole replay
	// is, from 0 to 1.
	At       time.Time
	Fraction float64
	// Sum counts up to here.
	Sum Sum
}

func begin(job Job) progress {
	job.Window = Window{job.Window.Since.UTC(), job.Window.Until.UTC()}
	return progress{V: version, Job: job}.next("")
}

// next begins the call that is replayed after the given one; after none, the first.
func (p progress) next(call string) progress {
	calls := queue.Calls()
	i := index(call) + 1
	p.Token, p.Last, p.From, p.restarted = "", time.Time{}, time.Time{}, false
	if p.Done = i == len(calls); p.Done {
		p.Call = ""
		return p
	}
	p.Call, p.From = calls[i].Event, p.Window.Since
	return p
}

// index is a call's position in the order of the replay; -1 for none.
func index(call string) int {
	return slices.IndexFunc(queue.Calls(), func(w queue.Watch) bool { return w.Event == call })
}

// kept skips the beginning of a reading of which ActionTrail has deleted the records. A
// reading that has a token continues from there.
func (p progress) kept(now time.Time) progress {
	first := oldest(now)
	if p.Token != "" || !p.From.Before(first) {
		return p
	}
	p.From = first
	p.Sum.Expired = max(p.Sum.Expired, int(first.Sub(p.Window.Since)/time.Second))
	return p
}

func (p progress) query() trail.Query {
	return trail.Query{Since: p.From, Until: p.end(), EventName: p.Call, Token: p.Token}
}

// end is the end of the query from From: that of its piece of the window. Pieces are as long as
// one query may be, and each begins a second after the one before it ends.
func (p progress) end() time.Time {
	piece := p.From.Sub(p.Window.Since)/trail.Range + 1
	if end := p.Window.Since.Add(piece*trail.Range - time.Second); end.Before(p.Window.Until) {
		return end
	}
	return p.Window.Until
}

// restart continues without a token from the last second that was read. It fails if nothing
// was read since the restart before.
func (p progress) restart(why error) (progress, error) {
	from := p.From
	if p.Last.After(from) {
		from = p.Last
	}
	if p.restarted && from.Equal(p.From) {
		return p, fmt.Errorf("%w: %w", errRefused, why)
	}
	p.From, p.Token, p.restarted = from, "", true
	p.Sum.Restarts++
	return p, nil
}

// after is the progress after a page.
func (p progress) after(step *Step, records []trail.Record, token string) progress {
	p.N++
	p.Sum = p.Sum.plus(step)
	for _, rec := range records {
		if rec.Time.After(p.Last) && !rec.Time.After(p.Window.Until) {
			p.Last = rec.Time
		}
	}
	p.Token = token
	switch end := p.end(); {
	case token != "":
	case end.Before(p.Window.Until):
		p.From, p.restarted = end.Add(time.Second), false
	default:
		return p.next(p.Call)
	}
	return p
}

func (s Sum) plus(step *Step) Sum {
	s.Pages++
	s.Records += step.Records
	for _, err := range step.Errors {
		if _, ok := errors.AsType[*fleet.Ignored](err); ok {
			s.Ignored++
		} else {
			s.Unread++
		}
	}
	s.Refs = maps.Clone(s.Refs)
	for _, t := range step.Deliveries {
		if s.Refs == nil {
			s.Refs = map[string]int{}
		}
		s.Refs[t.Function] += len(t.Refs)
	}
	return s
}

// at is how far the reading of the call is.
func (p progress) at() time.Time {
	switch {
	case p.Done:
		return p.Window.Until
	case p.Last.After(p.From):
		return p.Last
	}
	return p.From
}

func (p progress) fraction() float64 {
	if p.Done {
		return 1
	}
	part := float64(p.at().Sub(p.Window.Since)) / float64(p.Window.Until.Sub(p.Window.Since))
	return (float64(index(p.Call)) + part) / float64(len(queue.Calls()))
}

const folder = "replays/"

func object(run string, n int) string { return fmt.Sprintf("%s%s/%08d.json", folder, run, n) }

// save saves the progress. If the object exists, another process that replays the same run has
// written it.
func (r *Replay) save(ctx context.Context, p progress) error {
	if r.DryRun {
		return nil
	}
	err := ledger.PutJSON(ctx, r.Store, object(p.Run, p.N), p)
	switch {
	case fleet.ClassOf(err) == fleet.Exists && p.N == 0:
		return fmt.Errorf("run %s was started before: resume it, or choose another name: %w", p.Run, err)
	case fleet.ClassOf(err) == fleet.Exists:
		return fmt.Errorf("another process replays run %s: %w", p.Run, err)
	case err != nil:
		return fmt.Errorf("saving the progress of run %s: %w", p.Run, err)
	}
	return nil
}

// load reads the newest progress of a run.
func (r *Replay) load(ctx context.Context, run string) (progress, error) {
	if err := checkRun(run); err != nil {
		return progress{}, err
	}
	last := ""
	for name, err := range ledger.Names(ctx, r.Store, folder+run+"/", "") {
		if err != nil {
			return progress{}, fmt.Errorf("finding run %s: %w", run, err)
		}
		last = name
	}
	if last == "" {
		return progress{}, &fleet.BadInput{Where: "run " + run, What: "the ledger knows no such replay"}
	}
	body, err := r.Store.Get(ctx, last)
	if err != nil {
		return progress{}, fmt.Errorf("reading the progress of run %s: %w", run, err)
	}
	return parse(last, body)
}

// parse reads a progress object and checks that it can be resumed.
func parse(name string, body []byte) (progress, error) {
	var p progress
	what := ""
	switch err := json.Unmarshal(body, &p); {
	case err != nil:
		what = "not a progress object"
	case p.V > version:
		what = "written by a newer version"
	case p.V < 1 || checkRun(p.Run) != nil || object(p.Run, p.N) != name:
		what = "not the progress that its name says"
	case p.Done:
		return p, nil
	case index(p.Call) < 0:
		what = "a call that is not replayed"
	case p.From.Before(p.Window.Since) || p.From.After(p.Window.Until):
		what = "a position outside its window"
	}
	if what != "" {
		return progress{}, &fleet.BadInput{Where: name, What: what}
	}
	return p, nil
}
