package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// remembers reports whether the sweep leaves a memory: one that reports to its caller alone,
// or changes nothing, does not.
func (p *progress) remembers() bool {
	return !p.start.DryRun && strings.HasPrefix(p.start.Run, kind+"-")
}

// lostPast stands for the run whose memory is carried on where that cannot be read: the shard
// then leaves a memory also if it is empty, so that no later sweep goes back to an older one.
const lostPast = "lost"

// recall opens the memory that the shard carries on from. Which one that is, the first pass
// decides; the parts say it to the others. What cannot be read remembers nothing, and why
// says so; an error is one that time may heal.
func (s *Sweep) recall(ctx context.Context, p *progress) (past *memory.Past, why string, err error) {
	switch {
	case p.parts == 0 && p.attempt == 1:
		past, err = memory.Newest(ctx, s.Store, p.scope, p.start.Run, p.start.At)
		if err == nil {
			p.compared, err = s.expected(ctx, p, past)
		}
	case p.past != "" && p.past != lostPast:
		past, err = memory.Load(ctx, s.Store, p.scope, p.past)
	default:
		past = &memory.Past{}
	}
	switch {
	case err == nil:
		if p.past != lostPast {
			p.past = past.Run
		}
		return past, "", nil
	case passing(err):
		past.Close()
		return nil, "", ours{err}
	}
	past.Close()
	p.past, p.compared = lostPast, false
	return &memory.Past{}, err.Error(), s.record(p.start.Run, fleet.FindingRecord{Rule: "memory", Outcome: fleet.Fault, Severity: fleet.Medium,
		Account: p.scope.Account, Region: p.scope.Region, Kind: fleet.KindFleet,
		Reason: "since when rules have not held could not be read, so every grace and patience that needs it counts from now: " + err.Error(),
		Remedy: "make sure that nothing but the sweep writes or deletes below memory/ in the ledger"})
}

// expected returns an error when a sweep saw the shard later than the newest memory that is
// there was left: what that has may have held meanwhile. compared is whether that memory says
// what failed before: not where no sweep saw the shard, or the one that did could keep nothing.
func (s *Sweep) expected(ctx context.Context, p *progress, past *memory.Past) (compared bool, err error) {
	if !p.remembers() {
		return false, nil
	}
	for x, err := range s.earlier(ctx, p) {
		switch {
		case err != nil:
			return false, err
		case past.Run >= x.run:
			return true, nil
		case x.Parts == 0:
			// It saw nothing, as far as is known.
		case x.Memory > 0:
			return false, &fleet.BadInput{Where: "the memory of " + p.scope.String(), What: "sweep " + x.run + " left one, and it is not there"}
		case past.Run != "":
			return false, &fleet.BadInput{Where: "the memory of " + p.scope.String(), What: "sweep " + x.run + " could not keep what it found"}
		default:
			return !x.Forgot, nil
		}
	}
	return past.Run != "", nil
}

// earlier is what a shard came to in an earlier sweep; zero where it has not ended there.
type earlier struct {
	run string
	at  time.Time
	end
}

// earlier yields what a shard came to in the sweeps before, the newest first, as far back as
// a memory is carried on. It takes one or two reads for each.
func (s *Sweep) earlier(ctx context.Context, p *progress) iter.Seq2[earlier, error] {
	return func(yield func(earlier, error) bool) {
		start := p.start
		// Ids sort by time: what names a later sweep, or itself, has no predecessor.
		for start.Before != "" && start.Before < start.Run && p.start.At.Sub(start.BeforeAt) <= memory.Keep {
			x := earlier{run: start.Before, at: start.BeforeAt}
			var err error
			if x.end, _, err = get[end](ctx, s.Store, endObject(x.run, p.scope)); errors.As(err, new(*fleet.BadInput)) {
				err = nil // it is not known what it saw
			}
			if !yield(x, err) || err != nil {
				return
			}
			start, err = readStart(ctx, s.Store, x.run)
			switch {
			case fleet.ClassOf(err) == fleet.NotFound, errors.As(err, new(*fleet.BadInput)):
				return
			case err != nil:
				yield(earlier{}, err)
				return
			}
		}
	}
}

// notified returns when the newest sweep began after which the owner of a control knew of
// all that had matured in the shard or, with part, in the part that was enforced; zero where
// none lately says so. It reads that once.
func (s *Sweep) notified(ctx context.Context, p *progress) func(control string, part bool) (time.Time, error) {
	known := map[string]time.Time{}
	return func(control string, part bool) (time.Time, error) {
		if at, ok := known[control]; ok {
			return at, nil
		}
		var at time.Time
		for x, err := range s.earlier(ctx, p) {
			if err != nil {
				return at, err
			}
			if slices.Contains(x.Notified, control) || part && slices.Contains(x.NotifiedPart, control) {
				at = x.at
				break
			}
		}
		known[control] = at
		return at, nil
	}
}

// remembering has a world say what is remembered of its instances.
func (s *Sweep) remembering(of reconcile.Of[*fleet.World], p *progress, past *memory.Past, why string) reconcile.Of[*fleet.World] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[*fleet.World], error) {
		c, err := of(ctx, account)
		if err != nil {
			return c, err
		}
		observe := c.Observe
		c.Observe = func(ctx context.Context, b fleet.Batch) (*fleet.World, error) {
			w, err := observe(ctx, b)
			if err != nil {
				return nil, err
			}
			w.Remembers = p.remembers()
			for i := range w.Instances {
				in := &w.Instances[i]
				if why != "" {
					in.Found = fleet.Unknown[map[string]time.Time](why)
					continue
				}
				found, err := past.Found(in.Ref.ID)
				if err != nil {
					return nil, err
				}
				in.Found = fleet.See(found)
			}
			return w, nil
		}
		return c, nil
	}
}

// note collects what is to be remembered of a page: since when what fails or waits has done
// so, and what was remembered and holds again. What could not be determined stays as it was
// remembered. It counts what is new and what is fixed.
func (c *collector) note(w *fleet.World, verdicts []fleet.Verdict) {
	if !c.into.remembers() {
		return
	}
	by := make(map[fleet.Key][]fleet.Verdict, len(w.Instances))
	for _, v := range verdicts {
		by[v.Ref.Key()] = append(by[v.Ref.Key()], v)
	}
	for _, in := range w.Instances {
		entries := noted(c.s.Options.Policy, in, by[in.Ref.Key()], c.into.start.At.UTC().Truncate(time.Second), w.At.UTC().Truncate(time.Second))
		c.memory = append(c.memory, entries...)
		c.size += 100 * len(entries)
		for _, v := range by[in.Ref.Key()] {
			c.tally.compare(in.Found.V, v)
		}
	}
}

// inPart is the name by which the memory has since when what violates a rule is in the part of
// its control that is enforced.
func inPart(rule string) string { return rule + "_enforced" }

// enforcedPart reports whether a verdict is a violation without a change in the part of its
// control that is enforced, of which the owner is notified once.
func enforcedPart(p *policy.Policy, v fleet.Verdict) bool {
	return v.Outcome == fleet.Violation && v.Patience > 0 && len(v.Changes) == 0 && v.Covered && p.Partly(v.Control)
}

func noted(p *policy.Policy, in fleet.Instance, verdicts []fleet.Verdict, begun, at time.Time) (out []memory.Entry) {
	held := maps.Clone(in.Found.V)
	add := func(rule string, first time.Time) {
		out = append(out, memory.Entry{ID: in.Ref.ID, Rule: rule, First: first})
		delete(held, rule)
	}
	silent := false // a control could not determine whether its rules are asked
	for _, v := range verdicts {
		first, known := in.Found.V[v.Rule]
		undetermined := v.Outcome == fleet.Undecided || v.Outcome == fleet.Fault
		silent = silent || v.Rule == "instance" && (undetermined || v.Outcome == fleet.Pending)
		switch {
		case v.Outcome == fleet.Violation, v.Outcome == fleet.Conflict, v.Outcome == fleet.Pending:
			if !known || first.After(at) {
				first = at
			}
			add(v.Rule, first)
		case known && undetermined:
			add(v.Rule, first)
		case known:
			add(v.Rule, time.Time{})
		}
		switch since, known := in.Found.V[inPart(v.Rule)]; {
		case known && (undetermined || enforcedPart(p, v)):
			add(inPart(v.Rule), since)
		case enforcedPart(p, v): // by when the sweep began, which is what a later one knows of this one
			add(inPart(v.Rule), begun)
		}
		switch _, waited := in.Found.V[waiting(v.Rule)]; {
		case v.Outcome == fleet.Pending && !failed(in.Found.V, v.Rule), waited && undetermined:
			add(waiting(v.Rule), first)
		case waited:
			add(waiting(v.Rule), time.Time{})
		}
	}
	for rule, first := range held {
		if !silent {
			first = time.Time{}
		}
		add(rule, first)
	}
	return out
}

// remember leaves the memory of the shard, before owners are notified: they read it. It
// returns how many objects that took. What was found stands in the parts, so that a pass
// that dies half-way is repeated with the same result. Without a part nothing was seen, and
// the memory of the night before stays the newest.
func (s *Sweep) remember(ctx context.Context, p progress, fault string) (int, error) {
	if !p.remembers() || p.scope.Region == "" || p.parts == 0 || p.totals.Remembered == 0 && p.past == "" {
		return 0, nil
	}
	n, err := s.writeMemory(ctx, p, fault)
	if err == nil || passing(err) {
		return n, err
	}
	return 0, s.record(p.start.Run, fleet.FindingRecord{Rule: "memory", Outcome: fleet.Fault, Severity: fleet.Medium, Account: p.scope.Account,
		Region: p.scope.Region, Kind: fleet.KindFleet,
		Reason: "since when rules do not hold could not be kept: " + err.Error(),
		Remedy: "make sure that the sweep's role may write below memory/ in the ledger; until then no grace ends"})
}

func (s *Sweep) writeMemory(ctx context.Context, p progress, fault string) (int, error) {
	var found memory.Sorter
	defer found.Close()
	for n := 1; n <= p.parts; n++ {
		x, err := p.part(ctx, s.Store, n)
		if err != nil {
			return 0, err
		}
		for _, e := range x.Memory {
			if err := found.Add(e); err != nil {
				return 0, err
			}
		}
	}
	var unseen *memory.Past
	if fault != "" && p.past != "" && p.past != lostPast {
		var err error
		if unseen, err = memory.Load(ctx, s.Store, p.scope, p.past); err != nil {
			return 0, err
		}
		defer unseen.Close()
	}
	n, err := memory.Write(ctx, s.Store, memory.Of{Scope: p.scope, Run: p.start.Run, At: p.start.At.UTC(), Past: p.past}, &found, unseen)
	if err != nil {
		return 0, fmt.Errorf("remembering %s: %w", p.scope, err)
	}
	return n, nil
}
