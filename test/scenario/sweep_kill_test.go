package scenario_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
)

// moments is at how many of them a sweep dies.
const moments = 20

// TestASweepThatDiesAtAnyCallIsFinishedByTheNext kills the sweep with SIGKILL at calls
// spread over all that it makes, every other one after it was carried out. Whatever was
// left then is finished by the platform or by the next sweep.
func TestASweepThatDiesAtAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	s, bare := drifted(t)
	sweepOnce(t, s)
	wantRepaired(t, s, bare)
	all := count(s, "sweep", "*", anyCode)
	if all < moments {
		t.Fatalf("a sweep makes %d calls, too few to die at %d of them", all, moments)
	}
	for n := range moments {
		call, when := n*all/moments+1, fc.When(n%2 == 1)
		t.Run(fmt.Sprintf("call %d of %d, carried out %t", call, all, when), func(t *testing.T) {
			t.Parallel()
			s, bare := drifted(t)
			s.Stack.Kill("sweep", call, when)
			if _, err := night(s); err != nil {
				t.Log(err) // it died before it had begun
			}
			settle(t, s)
			sweepOnce(t, s)
			wantRepaired(t, s, bare)
			wantReports(t, s)
			wantDeath(t, s)
		})
	}
}

// drifted is a fleet of two pages, some without a role, and no role that they could have.
func drifted(t *testing.T) (s *stage.Stage, bare []string) {
	t.Helper()
	s = play(t, stage.Options{Policy: "sweep_here.yaml", Propagation: -1})
	for _, f := range []ecs.FleetSpec{{Count: 3, Role: "-"}, {Count: 110, Role: "app-role"}, {Count: 2, Role: "-"}} {
		if f.Role != "-" {
			standing(t, s, f.Role, "systrust.json")
		}
		seeded, err := s.Server.ECS.SeedFleet(f)
		if err != nil {
			t.Fatal(err)
		}
		if f.Role == "-" {
			bare = append(bare, seeded.IDs...)
		}
	}
	return s, bare
}

// sweepOnce has the timer go off and checks that the newest sweep has its report, with
// all that there is read to its end.
func sweepOnce(t *testing.T, s *stage.Stage) {
	t.Helper()
	run, err := night(s)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, s)
	summary, err := summaryOf(s, run)
	if err != nil {
		t.Fatalf("the report of %s: %v; records:\n%s", run, err, records(t, s))
	}
	seen := 0
	for _, x := range summary.Shards {
		seen += x.Seen
		if x.Fault != "" || len(x.Held) > 0 {
			t.Errorf("shard %s: %s %v", x.Scope, x.Fault, x.Held)
		}
	}
	if len(summary.Shards) != 2 || seen != 115 {
		t.Errorf("%d shards, %d instances seen; want 2 and 115", len(summary.Shards), seen)
	}
}

// outcomesOf are the changes by which a ledger accounts for each call.
var outcomesOf = map[string]fleet.ChangeKind{
	"ecs:AttachInstanceRamRole": fleet.AttachRole,
	"ram:CreateRole":            fleet.EnsureRole,
	"ram:CreatePolicy":          fleet.EnsureRole,
	"ram:AttachPolicyToRole":    fleet.EnsureRole,
}

// wantRepaired checks that each instance got its role, in one write, and that each write
// that the cloud has seen stands in the ledger with its outcome.
func wantRepaired(t *testing.T, s *stage.Stage, bare []string) {
	t.Helper()
	for _, id := range bare {
		wantRole(t, s, id)
	}
	booked, err := book(s, "attach-role")
	if err != nil {
		t.Fatal(err)
	}
	done := map[fleet.ChangeKind]int{}
	for e, n := range booked {
		switch e.state {
		case fleet.Done:
			done[e.kind] += n
		default:
			t.Errorf("the ledger has %s %s as %s", e.kind, e.id, e.state)
		}
	}
	attached := 0
	for _, e := range s.Server.Log.Since(0) {
		if e.Caller != "fleetwarden-attach-role" || e.Product == "mns" || e.Product == "oss" || reads(e) || !carriedOut(e.Code) {
			continue
		}
		kind, known := outcomesOf[e.Product+":"+e.Action]
		if !known || done[kind] == 0 {
			t.Errorf("the ledger does not account for %s:%s", e.Product, e.Action)
		}
		if kind == fleet.AttachRole {
			attached += e.IDs
		}
	}
	if attached != len(bare) || done[fleet.AttachRole] != len(bare) {
		t.Errorf("%d roles were attached, %d by the ledger; want %d", attached, done[fleet.AttachRole], len(bare))
	}
}

func reads(e wire.Entry) bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List"}, func(verb string) bool { return strings.HasPrefix(e.Action, verb) })
}

// Two sweeps begin at the same moment, and events tell of the same instances.
func TestTwoSweepsAndLiveEventsAtOnceDoNothingTwice(t *testing.T) {
	t.Parallel()
	s, bare := drifted(t)
	attached := watchAttached(s)
	if _, err := night(s); err != nil {
		t.Fatal(err)
	}
	beside(t, s)
	for _, id := range bare {
		running(s, id)
	}
	settle(t, s)
	for _, id := range bare {
		if n := attached.of(id); n != 1 {
			t.Errorf("the role was attached to %s %d times", id, n)
		}
	}
	wantRepaired(t, s, bare)
	wantReports(t, s)
}

// wantReports checks that each sweep that was begun has its report.
func wantReports(t *testing.T, s *stage.Stage) {
	t.Helper()
	for _, start := range kept(s, "starts/") {
		if _, err := summaryOf(s, runOf(start)); err != nil {
			t.Errorf("the report of %s: %v", runOf(start), err)
		}
	}
}

// beside has a second sweep run beside the first, as if both had begun at one moment.
func beside(t *testing.T, s *stage.Stage) {
	t.Helper()
	var start sweep.Start
	if err := json.Unmarshal(s.Server.OSS.Object(stack.Bucket, kept(s, "starts/")[0]), &start); err != nil {
		t.Fatal(err)
	}
	start.Run += "2"
	text, err := json.Marshal(start)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Server.OSS.Replace(stack.Bucket, "ledger/starts/"+start.Run+".json", text); err != nil {
		t.Fatal(err)
	}
	for _, scope := range start.Shards {
		ref := fleet.Ref{Scope: scope, Kind: fleet.KindFleet, Try: fleet.Try{Run: start.Run}}
		if scope.Region == "" {
			ref.Kind = fleet.KindAccount
		}
		message, err := json.Marshal(fleet.Messages([]fleet.Ref{ref})[0])
		if err != nil {
			t.Fatal(err)
		}
		inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-sweep"}
		if _, err := s.Server.MNS.Send(inbox, mns.Outgoing{Body: string(message)}); err != nil {
			t.Fatal(err)
		}
	}
}

// attachments counts how often a role was attached to an instance.
type attachments struct {
	mu sync.Mutex
	n  map[string]int
}

func (a *attachments) of(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n[id]
}

func watchAttached(s *stage.Stage) *attachments {
	a, next := &attachments{n: map[string]int{}}, s.Server.Witness()
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		var ids []string
		if after && c.Action == "AttachInstanceRamRole" && json.Unmarshal([]byte(c.Params["InstanceIds"]), &ids) == nil {
			a.mu.Lock()
			for _, id := range ids {
				a.n[id]++
			}
			a.mu.Unlock()
		}
		return next.Drops(c, after)
	})
	return a
}

// The summary says that all of a report is there, so it is written last.
func TestASweepsSummaryIsWrittenLast(t *testing.T) {
	t.Parallel()
	s, _ := drifted(t)
	next := s.Server.Witness()
	var mu sync.Mutex
	var order []string
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		if after && c.Product == "oss" {
			mu.Lock()
			for _, key := range kept(s, "reports/") {
				if !slices.Contains(order, key) {
					order = append(order, key)
				}
			}
			mu.Unlock()
		}
		return next.Drops(c, after)
	})
	sweepOnce(t, s)
	mu.Lock()
	defer mu.Unlock()
	if len(order) != 4 || !strings.HasSuffix(order[3], "/summary.json") {
		t.Errorf("written in the order %q", order)
	}
}
