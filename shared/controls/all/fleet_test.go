package all_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

// here is the fleet's account and region.
var here = fleet.Scope{Account: server.Sharer, Region: server.Home}

// region is one with a fleet of n trusted instances, of which each thousandth lacks a
// role, each thousandth the agent, and each hundredth has another disk.
type region struct {
	*server.Server
	t     *testing.T
	cloud *aliyun.Cloud
}

func aRegion(t *testing.T, n int) region {
	t.Helper()
	drift := map[string]float64{"noRole": 0.001, "noAgent": 0.001, "badDisk": 0.01}
	return aRegionOf(t, simecs.FleetSpec{Count: n, InstanceType: "ecs.g7t.large", Drift: drift})
}

func aRegionOf(t *testing.T, specs ...simecs.FleetSpec) region {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.RAM.AddRole(server.Sharer, simecs.FleetRole, rampolicy.ECSTrust(), map[string]string{policy.PolicyLeast: rampolicy.SysTrustPolicy()}); err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		if _, err := srv.ECS.SeedFleet(spec); err != nil {
			t.Fatal(err)
		}
	}
	if err := srv.World.Clock.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin())
	return region{srv, t, cloud}
}

// pass looks at some pages of the fleet, for a run, with a session of its own, and
// returns what it called.
func (r region) pass(m *all.Memories, run string, from string, pages int) (calls map[string]int, next string) {
	r.t.Helper()
	call := &invocation.Invocation{Home: here, Session: r.cloud.NewSession(0), Members: &invocation.Members{},
		Options: reconcile.Options{Policy: policy.Default().WithHome(here.Account)}}
	control, err := m.Fleet(call, nil)(r.t.Context(), here.Account)
	if err != nil {
		r.t.Fatal(err)
	}
	next = from
	for n := 0; n < pages && (n == 0 || next != ""); n++ {
		var page []fleet.Instance
		if page, next, err = ecs.New(call.Session).Page(r.t.Context(), here, next); err != nil {
			r.t.Fatal(err)
		}
		r.look(control, page, run)
	}
	calls = map[string]int{}
	for api, results := range call.Session.Calls() {
		calls[api] = results["ok"]
	}
	return calls, next
}

// look judges a page. Each fact of it has to be known, except those that no API shows.
func (r region) look(c reconcile.Control[*fleet.World], page []fleet.Instance, run string) {
	r.t.Helper()
	b := fleet.Batch{Scope: here, Seen: page}
	for _, in := range page {
		in.Ref.Try.Run = run
		b.Refs = append(b.Refs, in.Ref)
	}
	w, err := c.Observe(r.t.Context(), b)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, in := range w.Instances {
		if !in.RoleName.Seen() || !in.SystemDisk.Seen() || !in.Image.Seen() || !in.Agent.Seen() {
			r.t.Fatalf("got %+v", in)
		}
	}
}

// shared are the calls for what the instances of a region have in common: the disks
// counted, and 12 pages of them; KMS, the image, the role.
func shared() map[string]int {
	return map[string]int{"ecs:DescribeDisks": 1 + 6, "ecs:DescribeImages": 1, "kms:DescribeAccountKmsStatus": 1,
		"ram:GetRole": 1, "ram:ListPoliciesForRole": 1, "ram:GetPolicy": 1}
}

func plus(all ...map[string]int) map[string]int {
	out := map[string]int{}
	for _, m := range all {
		for k, n := range m {
			out[k] += n
		}
	}
	return out
}

// A page of 100 takes 1 + 2 + 1 calls, and 1 more where an agent is lacking, as it is on
// three of 30 pages.
func TestThreeThousandAreSweptAtTheLeastNumberOfCallsInAnyNumberOfPasses(t *testing.T) {
	r := aRegion(t, 3000)
	var known all.Memories
	total, next := r.pass(&known, "sweep-1", "", 10)
	for range 2 {
		var calls map[string]int
		calls, next = r.pass(&known, "sweep-1", next, 10)
		total = plus(total, calls)
	}
	if next != "" {
		t.Fatal("the fleet was not read to its end")
	}
	want := plus(shared(), map[string]int{"ecs:DescribeInstances": 30, "ecs:DescribeInstanceRamRole": 60, "sas:DescribeCloudCenterInstances": 30,
		"ecs:DescribeCloudAssistantStatus": 3, "ecs:DescribeInvocations": 2})
	if diff := cmp.Diff(want, total); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherRunReadsAgain(t *testing.T) {
	r := aRegion(t, 3000)
	var known all.Memories
	first, _ := r.pass(&known, "sweep-1", "", 1)
	again, _ := r.pass(&known, "sweep-1", "", 1)
	other, _ := r.pass(&known, "sweep-2", "", 1)
	forgot, _ := r.pass(new(all.Memories), "sweep-1", "", 1)
	onlyShared := func(calls map[string]int) map[string]int {
		out := maps.Clone(calls)
		maps.DeleteFunc(out, func(api string, _ int) bool { return shared()[api] == 0 })
		return out
	}
	for name, c := range map[string]struct{ got, want map[string]int }{
		"first": {first, shared()}, "again": {again, map[string]int{}}, "another run": {other, shared()}, "forgot": {forgot, shared()},
	} {
		if diff := cmp.Diff(c.want, onlyShared(c.got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatIsKnownGrowsOld(t *testing.T) {
	r := aRegion(t, 100)
	var known all.Memories
	r.pass(&known, "sweep-1", "", 1)
	for _, c := range []struct {
		after time.Duration
		roles int
	}{{29 * time.Minute, 0}, {2 * time.Minute, 1}, {29 * time.Minute, 0}} {
		if err := r.World.Clock.Advance(t.Context(), c.after); err != nil {
			t.Fatal(err)
		}
		if calls, _ := r.pass(&known, "sweep-1", "", 1); calls["ram:GetRole"] != c.roles {
			t.Errorf("%s later: the role was read %d times, want %d", c.after, calls["ram:GetRole"], c.roles)
		}
	}
}

func TestOnlyTheLastRegionsAreKept(t *testing.T) {
	r := aRegion(t, 100)
	var known all.Memories
	for _, run := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "1", "9"} {
		r.pass(&known, run, "", 1)
	}
	for _, c := range []struct {
		run   string
		roles int
	}{{"1", 0}, {"9", 0}, {"2", 1}} {
		if calls, _ := r.pass(&known, c.run, "", 1); calls["ram:GetRole"] != c.roles {
			t.Errorf("run %s: the role was read %d times, want %d", c.run, calls["ram:GetRole"], c.roles)
		}
	}
}

// A control does not reuse another one's reads: acts may have changed the resources in
// between.
func TestWithoutMemoriesEachControlReadsAgain(t *testing.T) {
	r := aRegion(t, 100)
	call := &invocation.Invocation{Home: here, Session: r.cloud.NewSession(0), Members: &invocation.Members{},
		Options: reconcile.Options{Policy: policy.Default().WithHome(here.Account)}}
	of := all.Fleet(call, nil)
	for range 2 {
		control, err := of(t.Context(), here.Account)
		if err != nil {
			t.Fatal(err)
		}
		page, _, err := ecs.New(call.Session).Page(t.Context(), here, "")
		if err != nil {
			t.Fatal(err)
		}
		r.look(control, page, "apply-1")
		r.look(control, page, "apply-1")
	}
	if n := call.Session.Calls()["ram:GetRole"]["ok"]; n != 2 {
		t.Errorf("the role was read %d times", n)
	}
}

func TestSharesAreReadUnlessTheControlIsOff(t *testing.T) {
	r := aRegion(t, 0)
	for mode, reads := range map[policy.Mode]bool{policy.Audit: true, policy.Off: false} {
		p := *policy.Default().WithHome(here.Account)
		p.ShareRole.Mode = mode
		call := &invocation.Invocation{Home: here, Session: r.cloud.NewSession(0), Members: &invocation.Members{}, Options: reconcile.Options{Policy: &p}}
		control, err := all.Shares(call)(t.Context(), here.Account)
		if err != nil {
			t.Fatal(err)
		}
		account := fleet.Scope{Account: here.Account}
		w, err := control.Observe(t.Context(), fleet.Batch{Scope: account, Refs: []fleet.Ref{{Scope: account, Kind: fleet.KindSnapshotShare}}})
		if err != nil {
			t.Fatal(err)
		}
		if called := len(call.Session.Calls()) > 0; called != reads || (len(w.Sides) > 0) != reads || len(control.Decide(w, &p)) > 0 && !reads {
			t.Errorf("mode %s: called %v, got %+v", mode, call.Session.Calls(), w)
		}
	}
}

// Not assessable rules do not change the posture of a fleet that complies with the policy.
func TestAPerfectFleetHasAFullPosture(t *testing.T) {
	script, err := os.ReadFile("../../acts/agent/testdata/published.txt")
	if err != nil {
		t.Fatal(err)
	}
	data := base64.StdEncoding.EncodeToString(script)
	r := aRegionOf(t, simecs.FleetSpec{Count: 40, InstanceType: "ecs.g7t.large"},
		simecs.FleetSpec{Count: 40, InstanceType: "ecs.g6t.large", Image: "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd", UserData: data},
		simecs.FleetSpec{Count: 20, InstanceType: "ecs.g6.large"})
	p := policy.Default().WithHome(here.Account)
	call := &invocation.Invocation{Home: here, Session: r.cloud.NewSession(0), Members: &invocation.Members{}, Options: reconcile.Options{Policy: p}}
	control, err := all.Fleet(call, nil)(t.Context(), here.Account)
	if err != nil {
		t.Fatal(err)
	}
	page, _, err := ecs.New(call.Session).Page(t.Context(), here, "")
	if err != nil {
		t.Fatal(err)
	}
	b := fleet.Batch{Scope: here, Seen: page}
	for _, in := range page {
		b.Refs = append(b.Refs, in.Ref)
	}
	w, err := control.Observe(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[report.Count]int{}
	for _, v := range control.Decide(w, p) {
		c := report.Count{Control: v.Control, Rule: v.Rule, Outcome: v.Outcome}
		if v.Remark {
			c.Reason = v.Reason
		}
		counts[c]++
	}
	s := report.Summary{Shards: []report.Shard{{Scope: here}}}
	for c, n := range counts {
		c.N = n
		s.Shards[0].Counts = append(s.Shards[0].Counts, c)
	}
	if share, ok := s.Posture().Share(); !ok || share != 1 {
		t.Errorf("a posture of %v, %v: %+v", share, ok, counts)
	}
	var remarks []string
	for _, m := range s.Remarks() {
		remarks = append(remarks, fmt.Sprint(m.Rule, " ", m.Outcome, " ", m.N))
	}
	if want := []string{"trust-client not-assessable 40", "hardening-asked not-assessable 100"}; !slices.Equal(remarks, want) {
		t.Errorf("got %v, want %v", remarks, want)
	}
}

// Who applies a plan judges as the owners do: a grace that the memory of the sweep says has
// ended is over, and without a memory none is.
func TestWhatIsJudgedForAnOwnerKnowsTheMemoryOfTheSweep(t *testing.T) {
	r := aRegionOf(t, simecs.FleetSpec{Count: 1, InstanceType: "ecs.g7t.large", Drift: map[string]float64{"badDisk": 1}})
	if err := r.World.Clock.Advance(t.Context(), 72*time.Hour); err != nil {
		t.Fatal(err)
	}
	p := policy.Default().WithHome(here.Account)
	p.TrustedInstance.Mode, p.TrustedInstance.Consequence, p.TrustedInstance.Grace = policy.Enforce, policy.ConsequenceStop, 24*time.Hour
	session := r.cloud.NewSession(0)
	page, _, err := ecs.New(session).Page(t.Context(), here, "")
	if err != nil {
		t.Fatal(err)
	}
	for want, first := range map[int]time.Duration{0: time.Hour, 1: 25 * time.Hour} {
		call := &invocation.Invocation{Home: here, Session: session, Members: &invocation.Members{}, Store: ledger.NewFolder(t.TempDir()), Options: reconcile.Options{Policy: p}}
		var found memory.Sorter
		defer found.Close()
		at := session.Now().Add(-time.Hour)
		if err := found.Add(memory.Entry{ID: page[0].Ref.ID, Rule: policy.RuleSystemDisk, First: session.Now().Add(-first)}); err != nil {
			t.Fatal(err)
		}
		if _, err := memory.Write(t.Context(), call.Store, memory.Of{Scope: here, Run: "sweep-" + at.Format("20060102T150405Z") + "-abcdef", At: at}, &found, nil); err != nil {
			t.Fatal(err)
		}
		control, err := all.Fleet(call, memory.Reader{Store: call.Store, Now: session.Now})(t.Context(), here.Account)
		if err != nil {
			t.Fatal(err)
		}
		w, err := control.Observe(t.Context(), fleet.Batch{Scope: here, Refs: []fleet.Ref{page[0].Ref}})
		if err != nil {
			t.Fatal(err)
		}
		stops := 0
		for _, v := range control.Decide(w, p) {
			for _, c := range v.Changes {
				if c.Kind == fleet.StopInstance {
					stops++
				}
			}
		}
		if stops != want {
			t.Errorf("found for %s: %d stops, want %d", first, stops, want)
		}
	}
}
