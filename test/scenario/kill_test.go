package scenario_test

import (
	"fmt"
	"testing"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/stage"
)

// TestAFunctionThatDiesAtAnyCallLeavesNothingUndone kills attach-role with SIGKILL at
// each of its API calls in turn, before it is carried out and after, and lets the
// platform go on. Only one event ever woke the function.
func TestAFunctionThatDiesAtAnyCallLeavesNothingUndone(t *testing.T) {
	t.Parallel()
	stories := map[string]struct {
		o    stage.Options
		role string
	}{
		"a role to make and attach": {stage.Options{}, "-"},
		"a role to replace":         {stage.Options{Policy: "replace.yaml", Optional: []string{"attach-role-replace"}}, "app-role"},
	}
	for name, story := range stories {
		for _, d := range deaths(calls(t, story.o, story.role)) {
			t.Run(name+": "+d.String(), func(t *testing.T) {
				t.Parallel()
				s := play(t, alone("attach-role", story.o))
				standing(t, s, "app-role", "oss-read.json")
				s.Stack.Kill("attach-role", d.call, d.when)
				id := old(t, s, story.role)
				settle(t, s)
				wantRole(t, s, id)
				wantDeath(t, s)
				wantAccount(t, s, id)
			})
		}
	}
}

// death is when a process is killed: at its call of that number, before or after it is carried
// out.
type death struct {
	call int
	when fc.When
}

func (d death) String() string { return fmt.Sprintf("call %d, carried out %t", d.call, d.when) }

// deaths are all moments at which a process of so many calls can die: before each call, which
// leaves the same world as after the one before it, and after the last.
func deaths(calls int) (all []death) {
	for n := range calls {
		all = append(all, death{n + 1, fc.Before})
	}
	return append(all, death{calls, fc.After})
}

// calls is how many calls attach-role needs when nothing happens to it.
func calls(t *testing.T, o stage.Options, role string) int {
	t.Helper()
	s := play(t, alone("attach-role", o))
	standing(t, s, "app-role", "oss-read.json")
	id := old(t, s, role)
	settle(t, s)
	wantRole(t, s, id)
	return count(s, "attach-role", "*", anyCode)
}

// wantDeath checks that a process did die, once, and that nothing was given up.
func wantDeath(t *testing.T, s *stage.Stage) {
	t.Helper()
	died := 0
	for _, i := range s.Stack.Invocations() {
		if i.ErrorType != "" && i.ErrorType != fc.Exhausted { // that one waits for its turn
			died++
		}
	}
	if died != 1 || deadLetters(s) != 0 {
		t.Errorf("%d invocations failed, want 1; %d dead letters, want 0", died, deadLetters(s))
	}
}
