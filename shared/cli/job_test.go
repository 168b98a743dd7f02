package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
)

func TestFlagsMayStandBeforeAndAfterAnID(t *testing.T) {
	for _, c := range []struct {
		args, rest []string
		json       bool
	}{
		{[]string{}, nil, false},
		{[]string{"a"}, []string{"a"}, false},
		{[]string{"--json", "a"}, []string{"a"}, true},
		{[]string{"a", "--json"}, []string{"a"}, true},
		{[]string{"a", "--policy", "p.yaml", "b", "--json"}, []string{"a", "b"}, true},
		{[]string{"a", "--", "--json"}, []string{"a", "--json"}, false},
	} {
		j := &job{out: io.Discard}
		rest, err := j.parse(j.flags("show"), c.args, "", 2)
		if !slices.Equal(rest, c.rest) || j.json != c.json || err != nil {
			t.Errorf("%q: got %q, json %t, %v", c.args, rest, j.json, err)
		}
	}
	j := &job{out: io.Discard}
	if _, err := j.parse(j.flags("show"), []string{"a", "--json", "b"}, "", 1); !errors.As(err, new(wrongUsage)) {
		t.Errorf("one too many: got %v", err)
	}
}

func TestTheExitStatusIsThatOfTheError(t *testing.T) {
	going := t.Context()
	stopped, stop := context.WithCancel(going)
	stop()
	failed := errors.New("it failed")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"done":                      {going, nil, 0},
		"done, as Ctrl-C came":      {stopped, nil, 0},
		"help":                      {going, fmt.Errorf("x: %w", flag.ErrHelp), 0},
		"failed":                    {going, failed, 1},
		"a wrong command line":      {going, wrongUsage{failed}, 2},
		"stopped":                   {stopped, failed, 130},
		"failed and was not wanted": {going, context.Canceled, 1},
	} {
		if got := statusOf(c.ctx, c.err); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestItemsThatAreNotDoneAreAFailure(t *testing.T) {
	for name, c := range map[string]struct {
		states map[fleet.State]int
		waits  bool
		want   string
	}{
		"all done":                  {map[fleet.State]int{fleet.Done: 2, fleet.Started: 1, fleet.Skipped: 1, plan.Over: 1}, true, ""},
		"failed":                    {map[fleet.State]int{fleet.Failed: 1, fleet.Unclear: 1}, true, "2 changes failed"},
		"open":                      {map[fleet.State]int{stateQueued: 1}, true, "1 resource has no outcome yet"},
		"open, without waiting":     {map[fleet.State]int{stateQueued: 1}, false, ""},
		"held":                      {map[fleet.State]int{fleet.Held: 2, fleet.Done: 1}, true, "2 resources were held"},
		"changed by another caller": {map[fleet.State]int{stateStale: 1}, true, "1 resource has changed since: make a new plan"},
	} {
		a := &application{waits: c.waits}
		got := ""
		if err := a.unfinished(c.states); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
