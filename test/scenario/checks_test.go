package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"

	"github.com/rogpeppe/go-internal/testscript"
)

func cmdRole(ts *testscript.TestScript, neg bool, args []string) {
	s, region, want := storyOf(ts), server.Home, ""
	if r, ok := strings.CutPrefix(args[0], "-region="); ok {
		region, args = r, args[1:]
	}
	if len(args) > 1 {
		want = args[1]
	}
	ids := strings.Split(args[0], ",")
	roles, err := s.stage.Roles(context.Background(), region, ids...)
	ts.Check(err)
	for _, id := range ids {
		if (roles[id] == want) == neg {
			ts.Fatalf("instance %s has the role %q", id, roles[id])
		}
	}
}

func cmdRecord(ts *testscript.TestScript, neg bool, args []string) {
	count := -1
	if len(args) > 0 && strings.HasPrefix(args[0], "-count=") {
		count = number(ts, strings.TrimPrefix(args[0], "-count="))
		args = args[1:]
	}
	want := pairs(ts, args)
	records, err := storyOf(ts).stage.Records()
	ts.Check(err)
	found := 0
	for _, r := range records {
		if r.Match(want) {
			found++
			ts.Logf("%s", show(r))
		}
	}
	switch {
	case neg && found > 0:
		ts.Fatalf("%d such records", found)
	case !neg && count >= 0 && found != count:
		ts.Fatalf("%d such records, not %d; all:\n%s", found, count, showAll(records))
	case !neg && found == 0:
		ts.Fatalf("no such record; all:\n%s", showAll(records))
	}
}

// show prints what distinguishes records.
func show(r stage.Record) string {
	var b strings.Builder
	for _, k := range []string{"type", "function", "control", "rule", "outcome", "kind", "id", "state", "before", "after", "reason", "why", "remedy", "calls"} {
		if r[k] != "" {
			fmt.Fprintf(&b, "%s=%q ", k, r[k])
		}
	}
	return b.String()
}

func showAll(records []stage.Record) string {
	lines := make([]string, len(records))
	for i, r := range records {
		lines[i] = show(r)
	}
	return strings.Join(lines, "\n")
}

func cmdDump(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	records, err := storyOf(ts).stage.Records()
	ts.Check(err)
	ts.Logf("%s", showAll(records))
}

func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s, counted := storyOf(ts).stage, anyCode
	if args[0] == "-done" {
		counted, args = carriedOut, args[1:]
	}
	got := count(s, args[0], args[1], counted)
	most, bound := strings.CutPrefix(args[2], "<=")
	if want := number(ts, most); got > want || !bound && got < want {
		ts.Fatalf("%s called %s %d times, not %s; all: %v", args[0], args[1], got, args[2], s.Calls("fleetwarden-"+args[0]))
	}
}

// count counts a function's calls of an API, "*" for all, by the code of their answer.
func count(s *stage.Stage, function, api string, counted func(code string) bool) int {
	n := 0
	for _, c := range s.Server.Log.Totals() {
		if c.Caller == "fleetwarden-"+function && (api == "*" || api == c.Product+":"+c.Action) && counted(c.Code) {
			n += c.Count
		}
	}
	return n
}

func anyCode(string) bool { return true }

// carriedOut reports whether a call with that answer was, or may have been, carried
// out: it succeeded, or its answer was lost.
func carriedOut(code string) bool { return code == "" || code == "Timeout" || code == "Empty" }

func cmdDenied(ts *testscript.TestScript, neg bool, args []string) {
	found, caller := false, "fleetwarden-"+args[0]
	if args[0] == "member" {
		caller = stack.Member
	}
	for _, p := range storyOf(ts).stage.Server.RAM.Permissions() {
		if p.Caller != caller || p.Allowed || len(args) > 1 && p.Action != args[1] {
			continue
		}
		found = true
		ts.Logf("denied: %s on %s", p.Action, p.Resource)
	}
	if found == neg {
		ts.Fatalf("%s was denied something: %t", args[0], found)
	}
}

func cmdRefused(ts *testscript.TestScript, neg bool, args []string) {
	found := false
	for _, i := range storyOf(ts).stage.Stack.Invocations() {
		if i.Function == args[0] && i.Refused != "" && (neg || strings.Contains(i.Refused, args[1])) {
			found = true
			ts.Logf("%s", i.Refused)
		}
	}
	if found == neg {
		ts.Fatalf("the platform was refused something in the name of %s: %t", args[0], found)
	}
}

// deadLetterQueue receives the events that no function could use.
var deadLetterQueue = mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-dead-letters"}

func cmdLetters(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	queue := deadLetterQueue
	if len(args) > 1 {
		queue.Name = args[1]
	}
	if got := storyOf(ts).stage.Server.MNS.Visible(queue); got != number(ts, args[0]) {
		ts.Fatalf("there are %d messages in %s", got, queue.Name)
	}
}

// digest is what changes are made to: all products' state, without the queues, which
// hold what waits, and without others that are named.
func digest(s *stage.Stage, without ...string) (string, error) {
	resp, err := http.Get(s.Server.URL() + "/_sim/world?digest=1")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var d struct{ Products map[string]string }
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil {
		return "", err
	}
	for _, product := range append(without, "mns") {
		delete(d.Products, product)
	}
	text, err := json.Marshal(d.Products)
	return string(text), err
}

func cmdDigest(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s := storyOf(ts)
	now, err := digest(s.stage)
	ts.Check(err)
	s.digests[args[0]] = now
}

func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	before, ok := s.digests[args[0]]
	if !ok {
		ts.Fatalf("no digest %s was noted", args[0])
	}
	now, err := digest(s.stage)
	ts.Check(err)
	if (now == before) == neg {
		ts.Fatalf("the world's digest was %s and is %s", before, now)
	}
}

func cmdSilent(ts *testscript.TestScript, neg bool, args []string) {
	logs, err := storyOf(ts).stage.Logs()
	ts.Check(err)
	if strings.Contains(logs, args[0]) != neg {
		ts.Fatalf("the functions' output speaks of %q: %t", args[0], !neg)
	}
}
