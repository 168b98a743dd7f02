package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of scripts about sweeps.

// everyNight is what the sweep's timer sends.
var everyNight = []byte(`{"triggerTime":"2026-01-05T19:30:00Z","triggerName":"every-night","payload":""}`)

// night has the timer of the sweep go off, and returns the run that it begins, or else the
// newest there is. The run continues as time passes.
func night(s *stage.Stage) (run string, err error) {
	before := kept(s, "starts/")
	res, err := s.Stack.Invoke(context.Background(), server.Home, "sweep", everyNight)
	if err == nil && res.ErrorType != "" {
		err = fmt.Errorf("the sweep ended with %s: %s", res.ErrorType, res.Body)
	}
	for _, start := range kept(s, "starts/") {
		run = runOf(start)
		if !slices.Contains(before, start) {
			break
		}
	}
	return run, err
}

// runOf is the run that a start is of.
func runOf(start string) string { return strings.TrimSuffix(path.Base(start), ".json") }

func cmdNight(ts *testscript.TestScript, neg bool, _ []string) {
	run, err := night(storyOf(ts).stage)
	if neg {
		if err == nil {
			ts.Fatalf("the sweep has begun")
		}
		fmt.Fprintln(ts.Stderr(), err)
		return
	}
	ts.Check(err)
	ts.Setenv("SWEEP", run)
}

// kept are the names of the ledger's objects that begin so, in their order.
func kept(s *stage.Stage, prefix string) []string {
	keys := s.Server.OSS.Keys(stack.Bucket, "ledger/"+prefix)
	slices.Sort(keys)
	return keys
}

func cmdReport(ts *testscript.TestScript, neg bool, _ []string) {
	s, run := storyOf(ts).stage, ts.Getenv("SWEEP")
	keys := kept(s, "reports/"+run+"/")
	if (len(keys) == 0) != neg {
		ts.Fatalf("sweep %s has the report %q", run, keys)
	}
	dir := ts.MkAbs("report")
	ts.Check(os.RemoveAll(dir))
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, key := range keys {
		ts.Check(os.WriteFile(filepath.Join(dir, path.Base(key)), s.Server.OSS.Object(stack.Bucket, key), 0o644))
	}
}

// summaryOf is the summary of a sweep that has its report.
func summaryOf(s *stage.Stage, run string) (report.Summary, error) {
	return report.DecodeSummary(s.Server.OSS.Object(stack.Bucket, "ledger/reports/"+run+"/summary.json"))
}

func cmdShard(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	summary, err := summaryOf(storyOf(ts).stage, ts.Getenv("SWEEP"))
	ts.Check(err)
	account, region, _ := strings.Cut(args[0], "/")
	scope := fleet.Scope{Account: fleet.AccountID(account), Region: fleet.Region(region)}
	i := slices.IndexFunc(summary.Shards, func(x report.Shard) bool { return x.Scope == scope })
	if i < 0 {
		ts.Fatalf("the sweep has no shard %s", args[0])
	}
	text, err := json.MarshalIndent(summary.Shards[i], "", " ")
	ts.Check(err)
	got := facts(summary.Shards[i])
	for k, v := range pairs(ts, args[1:]) {
		if _, ok := got[k]; !ok {
			got[k] = "0"
		}
		if !(stage.Record{k: got[k]}).Match(map[string]string{k: v}) {
			ts.Fatalf("%s is %q in\n%s", k, got[k], text)
		}
	}
}

// facts are the words by which scripts ask for a shard.
func facts(x report.Shard) map[string]string {
	out := map[string]string{"seen": strconv.Itoa(x.Seen), "fault": x.Fault, "held": ""}
	for _, c := range x.Counts {
		out[c.Rule+"/"+string(c.Outcome)] = strconv.Itoa(c.N)
	}
	for _, c := range x.Changes {
		out[string(c.Kind)+"/"+string(c.State)] = strconv.Itoa(c.N)
	}
	for _, h := range x.Held {
		out["held"] += fmt.Sprintf("%s %d %s;", h.Control, h.N, h.Why)
	}
	return out
}

func cmdCorrupt(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	keys := kept(storyOf(ts).stage, expand(ts, args[0]))
	if len(keys) == 0 {
		ts.Fatalf("there is no object %s", args[0])
	}
	ts.Check(storyOf(ts).stage.Server.OSS.Replace(stack.Bucket, keys[len(keys)-1], []byte(args[1])))
}
