package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

// ledgerFolder is one folder of the ledger, the runs of one kind in it, or what was settled
// in it.
var ledgerFolder = regexp.MustCompile(`^acs:oss:\*:\*:fleetwarden-\*/ledger/([a-z-]+/(?:look-|(?:found|cards|rate|sent)/)?)\*(\.settled\.json)?$`)

// An undo relies on the ledger, so a function writes only its own part of it. The sweep may
// settle another function's open intents, and no more. It makes its memory, which ends
// graces, from the parts of its own runs: a plan may write those of plans alone, whose runs
// have their own ids and leave no memory.
func TestAFunctionWritesIntoItsOwnPartOfTheLedger(t *testing.T) {
	own := map[string][]string{
		"sweep":    {"starts", "sweeps", "reports", "memory"},
		"backfill": {"starts/look-", "sweeps/look-", "plans", "applies", "replays", "backfill"},
		"notify":   {"notify/cards", "notify/rate", "notify/sent"},
	}
	changing := fleet.Owners()
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "*", "*.json"))
	top, terr := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "*.json"))
	if err != nil || terr != nil || len(files) == 0 || len(top) == 0 {
		t.Fatalf("no RAM files: %v, %v", err, terr)
	}
	for _, path := range append(files, top...) {
		for _, g := range grants(t, path) {
			if g.action == "oss:GetBucketVersioning" {
				continue // that no object is ever replaced
			}
			if strings.HasPrefix(g.action, "oss:") && !slices.Contains([]string{"oss:PutObject", "oss:GetObject", "oss:ListObjects"}, g.action) {
				t.Errorf("%s may do %s: objects of the ledger are written once, read and listed, and never deleted", path, g.action)
			}
			if g.action != "oss:PutObject" {
				continue
			}
			part := ledgerFolder.FindStringSubmatch(g.resource)
			if part == nil {
				t.Errorf("%s may write %s, which is not one folder of the ledger", path, g.resource)
				continue
			}
			part[1] = strings.TrimSuffix(part[1], "/")
			name := strings.TrimSuffix(filepath.Base(path), ".json")
			function := name
			for f := range own {
				if strings.HasPrefix(name, f+"-") {
					function = f
				}
			}
			switch settled := part[2] != ""; {
			case part[1] == "notify/found" && slices.Contains(finders(), function):
			case settled && function == "sweep" && slices.Contains(fleet.Writers(), part[1]):
			case !settled && slices.Contains(own[function], part[1]):
			case !settled && slices.Contains(changing, part[1]) && (function == part[1] || strings.HasPrefix(function, part[1]+"-")):
			default:
				t.Errorf("%s may write into %s, which is not its own", path, g.resource)
			}
		}
	}
}

// finders are the functions whose findings the function notify delivers: those that judge or
// examine, and the sweep about itself. Backfill answers an operator, and watch-shares judges
// nothing.
func finders() (out []string) {
	for _, f := range fleet.Functions() {
		if !slices.Contains([]string{fleet.FunctionNotify, fleet.FunctionBackfill, fleet.FunctionWatchShares}, f.Name) {
			out = append(out, f.Name)
		}
	}
	return out
}

// A pass leaves an object in the ledger and a message that names it. None but notify may write
// that a card was sent.
func TestEachFunctionThatFindsSomethingMayNotifyOfIt(t *testing.T) {
	for _, name := range names(every) {
		got := grants(t, filepath.Join(top, "deploy", "ram", name+".json"))
		for _, g := range []grant{
			{"oss:PutObject", "acs:oss:*:*:fleetwarden-*/ledger/notify/found/*"},
			{"mns:SendMessage", "acs:mns:*:*:/queues/fleetwarden-notify/messages"},
			{"mns:BatchSendMessage", "acs:mns:*:*:/queues/fleetwarden-notify/messages"},
		} {
			want := slices.Contains(finders(), name)
			if g.action != "oss:PutObject" { // backfill redrives
				want = name != fleet.FunctionWatchShares
			}
			if slices.Contains(got, g) != want {
				t.Errorf("deploy/ram/%s.json allows %s on %s: %v", name, g.action, g.resource, !want)
			}
		}
	}
}

// An intent that any writer left open is settled by the sweep, which needs the right to.
func TestTheSweepMaySettleTheIntentsOfEachWriter(t *testing.T) {
	var may []string
	for _, g := range grants(t, filepath.Join(top, "deploy/ram/sweep.json")) {
		if g.action == "oss:PutObject" {
			may = append(may, g.resource)
		}
	}
	for _, function := range fleet.Writers() {
		if !slices.ContainsFunc(may, func(r string) bool { return strings.HasSuffix(r, "/ledger/"+function+"/*.settled.json") }) {
			t.Errorf("deploy/ram/sweep.json lets the sweep settle no intents of %s: %v", function, may)
		}
	}
	text, err := os.ReadFile(filepath.Join(top, "functions/sweep/main.go"))
	if err != nil || !strings.Contains(string(text), "fleet.Writers()") {
		t.Errorf("the sweep does not search the intents of fleet.Writers() (%v)", err)
	}
}
