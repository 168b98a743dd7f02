package scenario_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"

	"github.com/rogpeppe/go-internal/testscript"
)

// shelf reads the local cloud's bucket from behind, without a call.
type shelf struct {
	ledger.Store
	stage *stage.Stage
}

func (s shelf) Get(_ context.Context, name string) ([]byte, error) {
	return s.stage.Server.OSS.Object(stack.Bucket, "ledger/"+name), nil
}

func (s shelf) List(_ context.Context, prefix, _ string) (names []string, more bool, err error) {
	for _, key := range s.stage.Server.OSS.Keys(stack.Bucket, "ledger/"+prefix) {
		names = append(names, strings.TrimPrefix(key, "ledger/"))
	}
	return names, false, nil
}

// entry is one change as the ledger knows it in the end.
type entry struct {
	kind  fleet.ChangeKind
	id    string
	state fleet.State
}

// open is the state of a change that the ledger knows no end of.
const open fleet.State = "open"

// book counts the changes of a function by how they ended.
func book(s *stage.Stage, function string) (map[entry]int, error) {
	out := map[entry]int{}
	for a, err := range ledger.Batches(context.Background(), shelf{stage: s}, ledger.Query{Function: function}) {
		if err != nil {
			return nil, err
		}
		if a.Last == nil {
			for _, c := range a.Intent.Changes {
				out[entry{c.Kind, c.ID, open}]++
			}
			continue
		}
		if len(a.Last.Changes) != len(a.Intent.Changes) {
			return nil, fmt.Errorf("%s: %d changes intended, %d recorded", a.Intent.Name, len(a.Intent.Changes), len(a.Last.Changes))
		}
		for _, c := range a.Last.Changes {
			out[entry{c.Kind, c.ID, c.State}]++
		}
	}
	return out, nil
}

func cmdLedger(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	all, err := book(storyOf(ts).stage, args[0])
	ts.Check(err)
	got := 0
	for e, n := range all {
		if e.kind == fleet.ChangeKind(args[1]) && e.state == fleet.State(args[2]) {
			got += n
		}
	}
	if want := number(ts, args[3]); got != want {
		ts.Fatalf("the ledger has %d changes of kind %s that are %s, want %d; all: %v", got, args[1], args[2], want, all)
	}
}

func cmdDie(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	storyOf(ts).stage.KillAt(args[0], args[1], fc.When(args[2] == "after"))
}

// wantAccount checks that the ledger knows the end of every change, and that what
// was done to the instance was done once.
func wantAccount(t *testing.T, s *stage.Stage, id string) {
	t.Helper()
	all, err := book(s, "attach-role")
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for e, n := range all {
		switch {
		case e.state == open:
			t.Errorf("%d times the end of %s %s is not known", n, e.kind, e.id)
		case e.state == fleet.Done && e.id == id:
			done += n
		case e.state == fleet.Done && n > 1:
			t.Errorf("%s %s was done %d times", e.kind, e.id, n)
		}
	}
	if done != 1 {
		t.Errorf("the instance's role was set %d times, want 1; all: %v", done, all)
	}
}
