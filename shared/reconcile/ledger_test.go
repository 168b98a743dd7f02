package reconcile_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// shelf is a ledger in memory. The order of writes and acts shows in what b.acted
// held at each write.
type shelf struct {
	b       *bench
	written []fleet.Entry
	acted   []int // acts so far, at each write
	open    []fleet.Entry
	openErr error
	looks   int
	// refuse answers the writes of one stage.
	refuse map[fleet.Stage]error
	// check, when set, is asked at each write.
	check func(context.Context, *fleet.Entry) error
	// yielded counts the open intents that were fetched.
	yielded int
	// used is what the hour has let through, asked how often it was asked.
	used     map[string]int
	asked    int
	allowErr error
}

func (s *shelf) Allow(_ context.Context, a fleet.Allowance, most int) (fleet.Allowance, error) {
	s.asked++
	if s.allowErr != nil {
		return fleet.Allowance{}, s.allowErr
	}
	key := a.Scope.String() + " " + a.Control
	asked := a.N
	if a.N = max(0, min(a.N, most-s.used[key])); a.N < asked {
		a.Free = a.At.Add(time.Hour)
	}
	s.used[key] += a.N
	return a, nil
}

func (s *shelf) Release(_ context.Context, a fleet.Allowance, n int) error {
	s.used[a.Scope.String()+" "+a.Control] -= n
	return nil
}

func (s *shelf) Write(ctx context.Context, e *fleet.Entry) error {
	if s.check != nil {
		if err := s.check(ctx, e); err != nil {
			return err
		}
	}
	if err := s.refuse[e.Stage]; err != nil {
		return err
	}
	if e.Stage == fleet.StageIntent {
		e.Name = "name-" + e.Changes[0].ID
	}
	s.written, s.acted = append(s.written, *e), append(s.acted, len(s.b.acted))
	return nil
}

func (s *shelf) Open(context.Context, time.Time) iter.Seq2[fleet.Entry, error] {
	s.looks++
	return func(yield func(fleet.Entry, error) bool) {
		for _, e := range s.open {
			s.yielded++
			if !yield(e, nil) {
				return
			}
		}
		if s.openErr != nil {
			yield(fleet.Entry{}, s.openErr)
		}
	}
}

func withLedger(mode policy.Mode) (*bench, *shelf) {
	b := newBench(mode)
	s := &shelf{b: b, refuse: map[fleet.Stage]error{}, used: map[string]int{}}
	b.o.Ledger = s
	return b, s
}

type classed fleet.Class

func (c classed) Error() string      { return "the bucket says " + fleet.Class(c).String() }
func (c classed) Class() fleet.Class { return fleet.Class(c) }

func (b *bench) mends(ids ...string) {
	for _, id := range ids {
		b.verdicts[id] = []fleet.Verdict{{Ref: ref(id), Control: policy.ControlInstanceRole, Rule: "r", Outcome: fleet.Violation,
			Changes: []fleet.Change{{Kind: mend, Ref: ref(id), Want: "w"}}}}
	}
}

func (b *bench) ends() (out []fleet.State) {
	for _, r := range b.records {
		if r.Change != nil {
			out = append(out, r.Change.State)
		}
	}
	return out
}

func (b *bench) ledgerFaults() (out []string) {
	for _, r := range b.records {
		if r.Finding != nil && r.Finding.Rule == "ledger" {
			out = append(out, r.Finding.Reason)
		}
	}
	return out
}

func TestTheIntentComesBeforeTheActAndTheOutcomeAfterIt(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	b.mends("i-1", "i-2")
	b.results["i-2"] = fleet.Result{State: fleet.Failed, Why: "no"}
	if _, _, err := b.run(t.Context(), item{batch: batch("i-1", "i-2", "i-3")}); err != nil {
		t.Fatal(err)
	}
	if len(s.written) != 2 || !slices.Equal(s.acted, []int{0, 1}) {
		t.Fatalf("written %d entries after %v acts", len(s.written), s.acted)
	}
	intent, outcome := s.written[0], s.written[1]
	if intent.Stage != fleet.StageIntent || len(intent.Changes) != 2 || intent.Changes[0].State != "" || intent.Changes[0].Run != "run-1" || len(intent.Refs()) != 2 {
		t.Errorf("intent: %+v", intent)
	}
	if outcome.Stage != fleet.StageOutcome || outcome.Name != intent.Name || outcome.Changes[0].State != fleet.Done || outcome.Changes[1].State != fleet.Failed {
		t.Errorf("outcome: %+v", outcome)
	}
}

func TestNothingIsWrittenWhenNothingIsChanged(t *testing.T) {
	for name, prepare := range map[string]func(*bench){
		"all is right": func(*bench) {},
		"a dry run":    func(b *bench) { b.mends("i-1"); b.o.DryRun = true },
		"audit":        func(b *bench) { b.mends("i-1"); b.o.Policy.InstanceRole.Mode = policy.Audit },
		"another owner's change": func(b *bench) {
			b.mends("i-1")
			b.verdicts["i-1"][0].Changes[0].Kind = other
		},
	} {
		b, s := withLedger(policy.Enforce)
		prepare(b)
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
			t.Fatal(err)
		}
		if len(s.written) != 0 || (b.o.DryRun && s.looks != 0) {
			t.Errorf("%s: written %d entries, %d looks", name, len(s.written), s.looks)
		}
	}
}

func TestWithoutAnIntentNothingIsChanged(t *testing.T) {
	for class, want := range map[fleet.Class]struct {
		state fleet.State
		again int
	}{fleet.Throttled: {fleet.Later, 1}, fleet.Unavailable: {fleet.Later, 1}, fleet.Denied: {fleet.Failed, 0}, fleet.Unclassified: {fleet.Failed, 0}} {
		b, s := withLedger(policy.Enforce)
		b.mends("i-1", "i-2")
		s.refuse[fleet.StageIntent] = classed(class)
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1", "i-2")}); err != nil {
			t.Fatal(err)
		}
		if len(b.acted) != 0 || len(s.written) != 0 || len(b.again) != want.again || len(b.ledgerFaults()) != 1 {
			t.Errorf("%s: %d acts, %d entries, %d put back, faults %v", class, len(b.acted), len(s.written), len(b.again), b.ledgerFaults())
		}
		if !slices.Equal(b.ends(), []fleet.State{want.state, want.state}) {
			t.Errorf("%s: states %v", class, b.ends())
		}
	}
}

// TestALedgerThatDoesNotKeepWhatItHasEndsThePass: in a bucket with versioning two passes
// would each believe to be the only one. What woke the pass must not be acknowledged.
func TestALedgerThatDoesNotKeepWhatItHasEndsThePass(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	b.mends("i-1", "i-2")
	s.refuse[fleet.StageIntent] = classed(fleet.NotWriteOnce)
	_, _, err := b.run(t.Context(), item{batch: batch("i-1")}, item{batch: batch("i-2")})
	if fleet.ClassOf(err) != fleet.NotWriteOnce {
		t.Errorf("the pass ended with %v", err)
	}
	if len(b.acted) != 0 || len(b.again) != 0 || len(b.ledgerFaults()) != 1 || !slices.Equal(b.ends(), []fleet.State{fleet.Failed}) {
		t.Errorf("%d acts, %d put back, faults %v, states %v", len(b.acted), len(b.again), b.ledgerFaults(), b.ends())
	}
}

func TestAnOutcomeThatCannotBeStoredIsInTheRecords(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	b.mends("i-1")
	s.refuse[fleet.StageOutcome] = classed(fleet.Unavailable)
	if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.ends(), []fleet.State{fleet.Done}) || len(b.ledgerFaults()) != 1 {
		t.Errorf("states %v, faults %v", b.ends(), b.ledgerFaults())
	}
}

func leftOpen(b *bench, s *shelf, id string) {
	e := fleet.Entry{Stage: fleet.StageIntent, Name: "dead", Time: noon, Look: fleet.Messages([]fleet.Ref{ref(id)})}
	e.Changes = []fleet.EntryChange{{ChangeRecord: fleet.ChangeRecord{Control: policy.ControlInstanceRole, Rule: "r", Kind: mend,
		Account: ref(id).Scope.Account, Region: ref(id).Scope.Region, RefKind: fleet.KindInstance, ID: id, Want: "w"}, Run: "old"}}
	s.open = []fleet.Entry{e}
}

func TestWhatADeadPassLeftIsSettledBeforeAnythingIsDone(t *testing.T) {
	judged := func(o fleet.Outcome, again time.Duration) *fleet.Verdict {
		return &fleet.Verdict{Ref: ref("dead"), Control: policy.ControlInstanceRole, Rule: "r", Outcome: o, Again: again}
	}
	for name, x := range map[string]struct {
		verdict *fleet.Verdict // nil: the change is still wanted
		inPlace bool
		want    fleet.State // empty: stays open
	}{
		"still wanted":             {nil, false, fleet.Skipped},
		"found done":               {judged(fleet.Passes, 0), true, fleet.Done},
		"found done, not yet well": {judged(fleet.Pending, time.Minute), true, fleet.Done},
		"right by something else":  {judged(fleet.Passes, 0), false, fleet.Unclear},
		"gone":                     {judged(fleet.Fault, 0), false, fleet.Unclear},
		"undetermined":             {judged(fleet.Undecided, 0), false, ""},
		"too early":                {judged(fleet.Pending, time.Minute), false, ""},
	} {
		b, s := withLedger(policy.Enforce)
		b.inPlace = x.inPlace
		leftOpen(b, s, "dead")
		if x.verdict == nil {
			b.mends("dead")
		} else {
			b.verdicts["dead"] = []fleet.Verdict{*x.verdict}
		}
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
			t.Fatal(err)
		}
		var got fleet.State
		for i, e := range s.written {
			if e.Stage == fleet.StageSettled {
				got = e.Changes[0].State
				if e.Name != "dead" || e.Changes[0].Run != "old" || s.acted[i] != 0 {
					t.Errorf("%s: settled as %+v after %d acts", name, e, s.acted[i])
				}
			}
		}
		if got != x.want {
			t.Errorf("%s: settled as %q, want %q", name, got, x.want)
		}
		if x.verdict == nil && len(b.acted) != 1 {
			t.Errorf("%s: what is still wanted was not done", name)
		}
	}
}

func TestAChangeToWhatIsNotJudgedItselfIsSettledByWhatIsInPlace(t *testing.T) {
	for name, x := range map[string]struct {
		verdict fleet.Verdict
		inPlace bool
		want    fleet.State
	}{
		"right by now":            {fleet.Verdict{Outcome: fleet.Passes}, true, fleet.Done},
		"only the rest is wanted": {fleet.Verdict{Outcome: fleet.Violation, Changes: []fleet.Change{{Kind: mend, Ref: ref("dead"), Want: "w"}}}, true, fleet.Done},
		"wrong for other reasons": {fleet.Verdict{Outcome: fleet.Violation}, false, fleet.Unclear},
		"none of the control's":   {fleet.Verdict{Outcome: fleet.NotApplicable}, false, fleet.Unclear},
		"undetermined":            {fleet.Verdict{Outcome: fleet.Undecided}, false, ""},
	} {
		b, s := withLedger(policy.Enforce)
		b.inPlace = x.inPlace
		leftOpen(b, s, "dead")
		s.open[0].Changes[0].Kind, s.open[0].Changes[0].RefKind, s.open[0].Changes[0].ID = first, fleet.KindRole, "role"
		x.verdict.Control, x.verdict.Rule = policy.ControlInstanceRole, "r"
		b.verdicts["dead"] = []fleet.Verdict{x.verdict}
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
			t.Fatal(err)
		}
		var got fleet.State
		for _, e := range s.written {
			if e.Stage == fleet.StageSettled {
				got = e.Changes[0].State
			}
		}
		if got != x.want {
			t.Errorf("%s: settled as %q, want %q", name, got, x.want)
		}
	}
}

// A verdict on another instance of the batch says nothing of a change to this one.
func TestAnIntentIsSettledByVerdictsOnItsOwnResource(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	leftOpen(b, s, "dead")
	s.open[0].Look = fleet.Messages([]fleet.Ref{ref("dead"), ref("other")})
	for id, v := range map[string]fleet.Verdict{"dead": {Outcome: fleet.Pending, Again: time.Minute}, "other": {Outcome: fleet.Passes}} {
		v.Control, v.Rule = policy.ControlInstanceRole, "r"
		b.verdicts[id] = []fleet.Verdict{v}
	}
	if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(s.written, func(e fleet.Entry) bool { return e.Stage == fleet.StageSettled }) {
		t.Errorf("settled by the verdict on another instance: %+v", s.written)
	}
}

// Whatever the verdicts say, no intent is open after a day.
func TestAnIntentOfYesterdayIsSettledAsUnclearIfNothingShowsWhatBecameOfIt(t *testing.T) {
	for _, kind := range []fleet.ChangeKind{mend, first} { // of the resource that is judged, and of another one
		for name, v := range map[string]fleet.Verdict{"undetermined": {Outcome: fleet.Undecided}, "too early": {Outcome: fleet.Pending, Again: time.Minute}, "none": {Control: "another"}} {
			b, s := withLedger(policy.Enforce)
			leftOpen(b, s, "dead")
			s.open[0].Time = noon.Add(-24 * time.Hour)
			c := &s.open[0].Changes[0]
			if c.Kind = kind; kind == first {
				c.RefKind, c.ID = fleet.KindRole, "role"
			}
			v.Ref, v.Control, v.Rule = ref("dead"), cmp.Or(v.Control, policy.ControlInstanceRole), "r"
			b.verdicts["dead"] = []fleet.Verdict{v}
			if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
				t.Fatal(err)
			}
			settled := slices.IndexFunc(s.written, func(e fleet.Entry) bool { return e.Stage == fleet.StageSettled })
			if settled < 0 || s.written[settled].Changes[0].State != fleet.Unclear || s.written[settled].Changes[0].Why == "" {
				t.Errorf("%s, %s: written %+v", kind, name, s.written)
			}
		}
	}
}

func TestALedgerThatCannotBeReadStopsNothing(t *testing.T) {
	for name, err := range map[string]error{"out of order": classed(fleet.Unavailable), "an unreadable object": &fleet.BadInput{What: "newer"}} {
		b, s := withLedger(policy.Enforce)
		b.mends("i-1")
		s.openErr = err
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}, item{batch: batch("i-2")}); err != nil {
			t.Fatal(err)
		}
		if len(b.acted) != 1 || s.looks != 1 {
			t.Errorf("%s: %d acts, %d looks", name, len(b.acted), s.looks)
		}
		recorded := 0
		for _, r := range b.records {
			if r.Finding != nil && r.Finding.Outcome == fleet.Fault {
				recorded++
			}
		}
		if recorded != 1 {
			t.Errorf("%s: recorded %d times", name, recorded)
		}
	}
}

func TestAnotherPassMaySettleFirst(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	leftOpen(b, s, "dead")
	b.mends("dead")
	s.refuse[fleet.StageSettled] = classed(fleet.Exists)
	if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
		t.Fatal(err)
	}
	if len(b.ledgerFaults()) != 0 || !slices.Equal(b.ends(), []fleet.State{fleet.Done}) {
		t.Errorf("faults %v, states %v", b.ledgerFaults(), b.ends())
	}
	s.refuse[fleet.StageSettled] = errors.New("out of order")
	if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
		t.Fatal(err)
	}
	if len(b.ledgerFaults()) != 1 {
		t.Errorf("faults %v", b.ledgerFaults())
	}
}
