package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/report"
)

func commands() []Command {
	return []Command{Check(), Sweep(nil), Plan(), Apply(), Undo(), Replay(), Redrive(), Doctor(), Pause(), Resume(), Runs(), Show(), Why(), Report(), Policy(nil), Version()}
}

// each yields the commands that can be run, with the words that call them.
func each(yield func(name string, m Command) bool) {
	for _, m := range commands() {
		if m.Bind != nil && !yield(m.Name, m) {
			return
		}
		for _, sub := range m.Sub {
			if !yield(sub.Name, sub) {
				return
			}
		}
	}
}

func TestEachCommandSaysWhatItIsFor(t *testing.T) {
	for name, m := range each {
		set := flag.NewFlagSet(name, flag.ContinueOnError)
		m.Bind(&Call{}, set)
		if m.About == "" || strings.HasSuffix(m.About, ".") || m.Long == "" || (m.Args == "") != (m.Most == 0) {
			t.Errorf("%s: %+v", name, m)
		}
		set.VisitAll(func(f *flag.Flag) {
			if f.Usage == "" || f.Name != strings.ToLower(f.Name) {
				t.Errorf("%s --%s: %q", name, f.Name, f.Usage)
			}
		})
		for line := range strings.Lines(m.Usage()) {
			if len(line) > 100 {
				t.Errorf("%s: a long line: %s", name, line)
			}
		}
	}
}

func TestFlagsMayStandBeforeAndAfterAnID(t *testing.T) {
	for _, c := range []struct {
		args, rest []string
		json       bool
	}{
		{[]string{}, nil, false},
		{[]string{"a"}, []string{"a"}, false},
		{[]string{"--json", "a"}, []string{"a"}, true},
		{[]string{"a", "--json"}, []string{"a"}, true},
		{[]string{"a", "--of", "p.yaml", "b", "--json"}, []string{"a", "b"}, true},
		{[]string{"a", "--", "--json"}, []string{"a", "--json"}, false},
	} {
		set := flag.NewFlagSet("", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		json := set.Bool("json", false, "")
		set.String("of", "", "")
		if rest, err := interspersed(set, c.args); !slices.Equal(rest, c.rest) || *json != c.json || err != nil {
			t.Errorf("%q: got %q, json %t, %v", c.args, rest, *json, err)
		}
	}
}

// A wrong command line calls nothing and shows nothing.
func TestAWrongCommandLineIsSaidBeforeAnyCall(t *testing.T) {
	for line, want := range map[string]string{
		"check":                      "nothing to check",
		"check i-1 --event f":        "not both",
		"check bp1":                  `"bp1" is not an instance id`,
		"check i-1 --wait -1s":       "must not be negative",
		"check i-1 --fail-on bad":    `"bad" is no severity`,
		"check i-1 --region nowhere": `"nowhere" is not the id of a region`,
		"check i-1 --account me":     `"me" is not the number of an account`,
		"check i-1 --control roles":  `there is no control "roles", only agent`,
		"sweep --id i-1":             "fleetwarden check ID",
		"sweep --tag a=1 --tag a=2":  "one that came before",
		"sweep --tag =1":             "has no key",
		"sweep --control share-role --region cn-hangzhou": "is about an account",
		"plan --sweep sweep-1 --tag a=b":                  "leave out --sweep",
		"redrive --function atach-role":                   "there is no function",
		"sweep --max -1":                                  "must not be negative",
		"sweep --fail-on x":                               "is no severity",
		"plan --id sg-1":                                  "is not an instance id",
		"plan --control ,":                                "empty part",
		"apply":                                           "give --plan ID",
		"apply --plan plan-1 --wait -1m":                  "no negative --wait",
		"undo":                                            "give --run RUN",
		"replay":                                          "give --since TIME",
		"replay --resume r":                               "give --apply, too",
		"replay --resume r --since 1h":                    "knows its time",
		"replay --since 1h --region x":                    "is not the id of a region",
		"redrive --max 0":                                 "at least 1",
		"redrive --older -1h":                             "not negative",
		"show":                                            "give the id",
		"show a b":                                        `"b" is one too many`,
		"show plan-1 --csv":                               "are for sweeps",
		"report":                                          "give the id of a sweep",
		"runs x":                                          "one too many",
		"doctor x":                                        "one too many",
		"doctor --category trail":                         "there is no category",
		"pause --for 2h":                                  "give a --reason",
		"pause --reason x":                                "give --for TIME",
		"pause --for 73h --reason x":                      "72h at most",
		"pause --for -1h --reason x":                      "72h at most",
		"pause --for 1h --reason x --control roles": `there is no control "roles"`,
		"pause --for 1h --reason x --account me":    "is not the number of an account",
		"pause --list --for 1h":                     "given alone",
		"resume":                                    "give a --reason",
		"resume --reason x --control roles":         `there is no control "roles"`,
		"why":                                       "give the id of a resource",
		"why bp1":                                   `"bp1" is no id that can be explained: it has to be the id of an instance (i-…)`,
		"why i-1 i-2":                               "one too many",
		"why i-1 --most 0":                          "at least 1",
		"why i-1 --within 0s":                       "more than 0s",
		"why i-1 --since yesterday":                 "neither a time",
		"why i-1 --control share-role":              `there is no control "share-role", only agent, instance-role, trusted-instance`,
		"why i-1 --account me":                      `"me" is not the number of an account`,
	} {
		words := strings.Fields(line)
		var m Command
		for name, c := range each {
			if name == words[0] {
				m = c
			}
		}
		c := &Call{Output: JSON{failing{}}, Open: func(context.Context) (*invocation.Invocation, error) {
			t.Errorf("%s: it connects", line)
			return nil, io.EOF
		}}
		set := flag.NewFlagSet(m.Name, flag.ContinueOnError)
		set.SetOutput(io.Discard)
		run := m.Bind(c, set)
		args, err := interspersed(set, words[1:])
		if err == nil {
			if err = m.Count(args); err == nil {
				err = run(t.Context(), args)
			}
			if !errors.As(err, new(BadUsage)) {
				t.Errorf("%s: %v is no wrong command line", line, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("nothing may be written") }

func TestTheFunctionTakesACommandLine(t *testing.T) {
	asked := Command{Name: "ask", Args: "[ID]", Most: 1, About: "ask", Long: "It asks.", Bind: func(c *Call, set *flag.FlagSet) Run {
		of := set.String("of", "", "the `NAME`")
		return func(_ context.Context, args []string) error {
			return c.Show(map[string]any{"of": *of, "args": args, "inside": c.Inside})
		}
	}}
	for payload, want := range map[string]string{
		`{"args": ["ask", "x", "--of", "y"]}`:   `{"args":["x"],"inside":true,"of":"y"}`,
		`{"args": ["ask", "--json", "--of=z"]}`: `{"args":null,"inside":true,"of":"z"}`,
		`{"args": ["ask", "--help"]}`:           "fleetwarden ask: ask",
		`{"args": ["ask", "x", "y"]}`:           `error: "y" is one too many`,
		`{"args": ["ask", "--no"]}`:             "error: flag provided but not defined",
		`{"args": ["aks"]}`:                     `error: there is no command "aks"`,
		`{"args": []}`:                          "error: no command",
		`{"args": "ask"}`:                       "error: the invocation",
		`{"args": ["ask"]} x`:                   "error: the invocation",
		`{"arguments": ["ask"]}`:                "error: the invocation",
		"":                                      "error: the invocation",
	} {
		var out bytes.Buffer
		err := invoked(t.Context(), &invocation.Invocation{Payload: []byte(payload)}, &out, []Command{asked})
		got := out.String()
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", payload, got, want)
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
		"open":                      {map[fleet.State]int{Queued: 1}, true, "1 resource has no outcome yet"},
		"open, without waiting":     {map[fleet.State]int{Queued: 1}, false, ""},
		"held":                      {map[fleet.State]int{fleet.Held: 2, fleet.Done: 1}, true, "2 resources were held"},
		"changed by another caller": {map[fleet.State]int{Stale: 1}, true, "1 resource has changed since: make a new plan"},
	} {
		a := &application{waits: c.waits}
		if got := fmt.Sprint(a.unfinished(c.states)); got != c.want && (c.want != "" || got != "<nil>") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A check with results that are missing or pending is no success, whatever was found.
func TestACheckEndsAsItsResultsSay(t *testing.T) {
	for name, c := range map[string]struct {
		sum    fleet.Pass
		worst  map[fleet.Severity]int
		failOn string
		want   string
		found  bool
	}{
		"clean":              {},
		"findings":           {worst: map[fleet.Severity]int{fleet.High: 1}},
		"as severe":          {worst: map[fleet.Severity]int{fleet.High: 1, fleet.Low: 1}, failOn: "high", want: "1 finding of severity high or above", found: true},
		"more severe":        {worst: map[fleet.Severity]int{fleet.Critical: 2}, failOn: "low", want: "2 findings", found: true},
		"less severe":        {worst: map[fleet.Severity]int{fleet.Low: 1}, failOn: "high"},
		"not read":           {sum: fleet.Pass{Bad: 1, Outcomes: map[fleet.Outcome]int{fleet.Fault: 1}}, failOn: "low", want: "1 element could not be read"},
		"failed":             {sum: fleet.Pass{Outcomes: map[fleet.Outcome]int{fleet.Fault: 2}}, want: "2 checks failed"},
		"undecided":          {sum: fleet.Pass{Outcomes: map[fleet.Outcome]int{fleet.Undecided: 1}}, want: "1 check could not be decided"},
		"pending, and found": {sum: fleet.Pass{Outcomes: map[fleet.Outcome]int{fleet.Pending: 1}}, worst: map[fleet.Severity]int{fleet.High: 1}, failOn: "high", want: "1 check is pending"},
	} {
		k := &checking{sum: c.sum, worst: c.worst}
		err := k.found(c.failOn)
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) || errors.As(err, new(Found)) != c.found {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A record of several lines is as many lines of JSON, each an object with a type.
func TestRecordsAreLinesWithATypes(t *testing.T) {
	for name, c := range map[string]struct {
		record any
		types  []string
	}{
		"apply":   {Applied{Type: "sum", Items: []Item{{Type: "item"}, {Type: "item"}}}, []string{"item", "item", "sum"}},
		"redrive": {Redriven{Type: "sum", Letters: []redrive.Letter{{}}}, []string{"letter", "sum"}},
		"undo":    {Undone{Type: "sum", Changes: []fleet.ChangeRecord{{}}}, []string{"sum"}},
		"sweep":   {SweepMade{Type: "sweep", Summary: report.Summary{}}, []string{"sweep"}},
	} {
		var out bytes.Buffer
		if err := (JSON{&out}).Show(c.record); err != nil {
			t.Fatal(err)
		}
		var types []string
		for line := range strings.Lines(out.String()) {
			var l struct{ Type string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			types = append(types, l.Type)
		}
		if !slices.Equal(types, c.types) {
			t.Errorf("%s: %q, want %q", name, types, c.types)
		}
	}
	if err := (JSON{failing{}}).Show(1); err == nil {
		t.Error("a broken output is no error")
	}
}

func TestLatestIsTheNewest(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	for _, name := range []string{"starts/sweep-20260105T020000Z-b.json", "starts/look-20260106T020000Z-a.json", "plans/plan-20260106T020001Z-a.json",
		"applies/apply-20260104T020001Z-a.json", "starts/sweep-yesterday.json", "starts/odd.json"} {
		if err := store.Put(t.Context(), name, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := resolve(t.Context(), store, Latest); got != "plan-20260106T020001Z-a" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := resolve(t.Context(), store, "plan-1"); got != "plan-1" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := resolve(t.Context(), ledger.NewFolder(t.TempDir()), Latest); err == nil || !strings.Contains(err.Error(), "no run yet") {
		t.Error(err)
	}
	ids, err := listSince(t.Context(), store, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	if err != nil || len(ids) != 3 || ids[0].id != "plan-20260106T020001Z-a" {
		t.Errorf("%v, %v", ids, err)
	}
}
