package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

// place is a cloud with a fleet, and a ledger in a folder.
type place struct {
	t      *testing.T
	cloud  *server.Server
	folder string
	ids    []string
	owners error // of [Call.Owners]
}

func aPlace(t *testing.T, specs ...simecs.FleetSpec) *place {
	t.Helper()
	srv, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() }) // the test is over
	p := &place{t: t, cloud: srv, folder: t.TempDir()}
	for _, spec := range specs {
		seeded, err := srv.ECS.SeedFleet(spec)
		if err != nil {
			t.Fatal(err)
		}
		p.ids = append(p.ids, seeded.IDs...)
	}
	if err := srv.World.Clock.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	return p
}

// typed runs a command line, and returns what it shows and how often it called each API.
func (p *place) typed(line string) (out string, calls map[string]int, err error) {
	p.t.Helper()
	cloud := aliyuntest.Cloud(p.t, p.cloud.URL(), aliyuntest.Admin())
	session := cloud.NewSession(math.MaxInt32)
	pol, err := policy.Load("policy.yaml", []byte("version: 1\nregions: [cn-hangzhou, cn-shanghai]\ncontrols: {instanceRole: {mode: enforce, attachAfter: 0s}}\n"))
	if err != nil {
		p.t.Fatal(err)
	}
	ledgerAt, err := invocation.ParseLedger("file://" + p.folder)
	if err != nil {
		p.t.Fatal(err)
	}
	var shown bytes.Buffer
	c := &Call{Output: JSON{&shown}, Owners: func(context.Context) error { return p.owners }, Open: func(context.Context) (*invocation.Invocation, error) {
		home := fleet.Scope{Account: server.Sharer, Region: server.Home}
		inv := (&invocation.Process{Ledger: ledgerAt}).Open(home, session, pol, ledger.Pass{Function: fleet.FunctionBackfill})
		inv.Options.Record = func(fleet.Record) error { return nil }
		return inv, nil
	}}
	all := []Command{Check(), Sweep(func(context.Context, *invocation.Invocation, sweep.Result) error { return nil }), Plan(), Apply(), Runs(), Show(), Why()}
	for _, m := range append(all, Policy(nil).Sub...) {
		rest, ok := strings.CutPrefix(line, m.Name+" ")
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		set := flag.NewFlagSet(m.Name, flag.ContinueOnError)
		run := m.Bind(c, set)
		args, err := interspersed(set, words)
		if err != nil {
			p.t.Fatal(err)
		}
		err = run(p.t.Context(), args)
		calls = map[string]int{}
		for api, results := range session.Calls() {
			for _, n := range results {
				calls[api] += n
			}
		}
		return shown.String(), calls, err
	}
	p.t.Fatalf("there is no command %s", line)
	return "", nil, nil
}

// Flags that name a part of the fleet have that part read, and no more.
func TestAPartOfTheFleetCostsThatPartsCalls(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 1000, InstanceType: "ecs.g7t.large", Role: "-"},
		simecs.FleetSpec{Count: 20, InstanceType: "ecs.g7t.large", Role: "-", Tags: map[string]string{"env": "prod"}})
	for line, want := range map[string]map[string]int{
		"plan --control instance-role --region cn-hangzhou":                 {"ecs:DescribeInstances": 11, "ecs:DescribeInstanceRamRole": 21},
		"plan --control instance-role --region cn-shanghai":                 {"ecs:DescribeInstances": 1},
		"plan --control instance-role --id " + p.ids[3]:                     {"ecs:DescribeInstances": 2, "ecs:DescribeInstanceRamRole": 1},
		"sweep --control instance-role --region cn-hangzhou --max 100":      {"ecs:DescribeInstances": 1, "ecs:DescribeInstanceRamRole": 2},
		"sweep --control instance-role --region cn-hangzhou --tag env=prod": {"ecs:DescribeInstances": 1, "ecs:DescribeInstanceRamRole": 1},
		"check --control instance-role " + p.ids[3]:                         {"ecs:DescribeInstances": 2, "ecs:DescribeInstanceRamRole": 1},
	} {
		_, calls, err := p.typed(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		maps.DeleteFunc(calls, func(api string, _ int) bool { return !strings.HasPrefix(api, "ecs:") })
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestAnInstanceThatIsElsewhereIsNamedWithItsRegion(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 1, InstanceType: "ecs.g7t.large", Region: server.Another})
	_, _, err := p.typed("check " + p.ids[0] + " i-nowhere")
	if err == nil || !strings.Contains(err.Error(), p.ids[0]+" is in cn-shanghai, not in cn-hangzhou: add --region cn-shanghai") ||
		!strings.Contains(err.Error(), "i-nowhere is in no region of account") {
		t.Error(err)
	}
	out, _, err := p.typed("check --region cn-shanghai " + p.ids[0])
	if err != nil || !strings.Contains(out, `"type":"pass"`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, _, err := p.typed("plan --id i-nowhere"); err == nil || !strings.Contains(err.Error(), "1 instance is in none of these accounts and regions of the policy: i-nowhere") {
		t.Error(err)
	}
}

// A page costs as many calls as stand here, and none of them writes.
func TestAPageCostsTheseCallsAndWritesNothing(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 2, InstanceType: "ecs.g7t.large", Role: "-"})
	out, calls, err := p.typed("why --control instance-role " + p.ids[0])
	if err != nil || !strings.Contains(out, `"type":"why"`) {
		t.Errorf("%v\n%s", err, out)
	}
	want := map[string]int{
		// where it is; as it is
		"ecs:DescribeInstances": 2, "ecs:DescribeInstanceRamRole": 2, "sas:DescribeCloudCenterInstances": 2, "ecs:DescribeCloudAssistantStatus": 1, "ecs:DescribeInvocations": 2,
		// for the verdicts
		"ecs:DescribeDisks": 1, "ecs:DescribeImages": 1, "kms:DescribeAccountKmsStatus": 1, "ram:GetRole": 1,
		// its launch: by its id, and, as there is none, by three names
		"actiontrail:LookupEvents": 4, "actiontrail:DescribeTrails": 1, "actiontrail:GetTrailStatus": 1,
		// passes that changed nothing
		"sls:GetLogs": 1,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	names, _, err := ledger.NewFolder(p.folder).List(t.Context(), "", "")
	if err != nil || len(names) > 0 {
		t.Errorf("%q, %v", names, err)
	}
}

// The newest deployment of the instance's region counts, and one that cannot be read is no reason
// to take an older one.
func TestTheNewestDeploymentIsRead(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	for name, body := range map[string]string{
		"deployments/20260104T000000Z-cn-hangzhou-0000000a.json": `{"v": 1, "at": "2026-01-04T00:00:00Z", "region": "cn-hangzhou", "home": "cn-hangzhou", "functions": [{"name": "fleetwarden-attach-role"}], "policy": "old"}`,
		"deployments/20260105T000000Z-cn-hangzhou-0000000b.json": `{"v": 1, "at": "2026-01-05T00:00:00Z", "region": "cn-hangzhou", "home": "cn-hangzhou", "functions": [{"name": "fleetwarden-attach-role"}], "policy": "new"}`,
		"deployments/20260106T000000Z-cn-shanghai-0000000c.json": `{"v": 1, "at": "2026-01-06T00:00:00Z", "region": "cn-shanghai", "home": "cn-hangzhou", "functions": [{"name": "fleetwarden-attach-role"}], "policy": "there"}`,
	} {
		if err := store.Put(t.Context(), name, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := newestDeployment(t.Context(), store, server.Home); err != nil || d.Policy != "new" {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := newestDeployment(t.Context(), store, "cn-beijing"); err != nil || !d.At.IsZero() || !d.Missing || !d.Removed.IsZero() {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := newestDeployment(t.Context(), ledger.NewFolder(t.TempDir()), "cn-beijing"); err != nil || d.Missing {
		t.Errorf("of a ledger without records: %+v, %v", d, err)
	}
	const removal = `{"v": 1, "at": "2026-01-07T00:00:00Z", "region": "cn-shanghai", "home": "cn-hangzhou", "policy": "there"}`
	if err := store.Put(t.Context(), "deployments/20260107T000000Z-cn-shanghai-0000000e.json", []byte(removal)); err != nil {
		t.Fatal(err)
	}
	if d, err := newestDeployment(t.Context(), store, "cn-shanghai"); err != nil || !d.At.IsZero() || !d.Missing || d.Removed.Day() != 7 {
		t.Errorf("of a region that was removed: %+v, %v", d, err)
	}
	if err := store.Put(t.Context(), "deployments/20260107T000000Z-cn-hangzhou-0000000d.json", []byte(`{"at": `)); err != nil {
		t.Fatal(err)
	}
	if d, err := newestDeployment(t.Context(), store, server.Home); err == nil {
		t.Errorf("%+v", d)
	}
}

// A record that names the resource, and is about another, says nothing of it: a share of another
// account, or an instance with the same role.
func TestARecordAboutAnotherIsNoneOfTheResource(t *testing.T) {
	home, other := fleet.Scope{Account: "1000000000000001"}, fleet.Scope{Account: "1000000000000003"}
	mine := fleet.Ref{Scope: home, Kind: fleet.KindInstance, ID: "i-1"}
	finding := func(account fleet.AccountID, kind fleet.Kind, id string) fleet.Record {
		return fleet.Record{Finding: &fleet.FindingRecord{Control: "c", Rule: "r", Account: account, Kind: kind, ID: id, Reason: "not i-1"}}
	}
	change := func(account fleet.AccountID, id string) fleet.Record {
		return fleet.Record{Change: &fleet.ChangeRecord{Kind: fleet.EnsureRole, Account: account, ID: id}}
	}
	for name, c := range map[string]struct {
		of     fleet.Ref
		record fleet.Record
		want   bool
		id     string
	}{
		"of the instance":                       {mine, finding(home.Account, fleet.KindInstance, "i-1"), true, ""},
		"of the instance, found elsewhere":      {mine, finding(other.Account, fleet.KindInstance, "i-1"), true, ""},
		"of another instance":                   {mine, finding(home.Account, fleet.KindInstance, "i-2"), false, ""},
		"of its account":                        {mine, finding(home.Account, fleet.KindAccount, ""), false, ""},
		"of its role's change":                  {mine, change(home.Account, "role"), true, ""},
		"of the shares":                         {fleet.Ref{Scope: home, Kind: fleet.KindImageShare}, finding(home.Account, fleet.KindImageShare, ""), true, "image-share"},
		"of the image that is shared":           {fleet.Ref{Scope: home, Kind: fleet.KindImageShare}, finding(home.Account, fleet.KindImage, "m-1"), true, "m-1"},
		"of an image of another account":        {fleet.Ref{Scope: home, Kind: fleet.KindImageShare}, finding(other.Account, fleet.KindImage, "m-1"), false, "m-1"},
		"of the shares of another account":      {fleet.Ref{Scope: home, Kind: fleet.KindImageShare}, finding(other.Account, fleet.KindImageShare, ""), false, ""},
		"of a change for another account":       {fleet.Ref{Scope: home, Kind: fleet.KindImageShare}, change(other.Account, "role"), false, ""},
		"of a pass, which is about no resource": {mine, fleet.Record{Pass: &fleet.Pass{}}, false, ""},
	} {
		text, err := json.Marshal(c.record)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := recordOf(string(text), c.of, c.id+c.of.ID); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func FuzzRecordOf(f *testing.F) {
	f.Add(`{"v":1,"type":"finding","function":"attach-role","finding":{"control":"instance-role","rule":"systrust-role","outcome":"pass"}}`)
	f.Add(`FC Invoke Start RequestId: 1`)
	f.Fuzz(func(t *testing.T, message string) {
		if r, ok := recordOf(message, fleet.Ref{Kind: fleet.KindInstance, ID: "i-1"}, "i-1"); ok && r.Rule == "" && r.Kind == "" && !strings.Contains(message, "change") {
			t.Errorf("%q: %+v", message, r)
		}
	})
}

// An order that cannot be read might be a pause: that, too, is why nothing is changed.
func TestAnOrderThatCannotBeReadIsTheCause(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 1, InstanceType: "ecs.g7t.large", Role: "-"})
	if err := ledger.NewFolder(p.folder).Put(t.Context(), "control/0odd.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	out, _, err := p.typed("why --control instance-role " + p.ids[0])
	if err == nil || !strings.Contains(out, `"cause":{"id":"pause-unread"`) || !strings.Contains(out, "control/0odd.json") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A ledger that is not that of the functions knows nothing of what they do: it is not read, and its
// silence is no cause.
func TestAnotherLedgerThanTheFunctionsIsNotRead(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 1, InstanceType: "ecs.g7t.large", Role: "-"})
	for owners, want := range map[error]bool{Elsewhere{errors.New("the functions have their ledger in oss://b/")}: true, errors.New("denied"): false} {
		p.owners = owners
		out, _, err := p.typed("why --control instance-role " + p.ids[0])
		if got := strings.Contains(out, `{"what":"the ledger","why":"the functions have their ledger in oss://b/"}`); got != want || want != errors.Is(err, errUnread) {
			t.Errorf("%v: %v\n%s", owners, err, out)
		}
	}
}

// A check writes nothing to the cloud or the ledger, and finds what a plan finds.
func TestACheckChangesNothing(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 2, InstanceType: "ecs.g7t.large", Role: "-"})
	out, calls, err := p.typed("check " + strings.Join(p.ids, " "))
	if err != nil || strings.Count(out, `"kind":"attach-role"`) != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	for api := range calls {
		if _, action, _ := strings.Cut(api, ":"); !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "Get") && !strings.HasPrefix(action, "List") {
			t.Errorf("it called %s", api)
		}
	}
	names, _, err := ledger.NewFolder(p.folder).List(t.Context(), "", "")
	if err != nil || len(names) > 0 {
		t.Errorf("%q, %v", names, err)
	}
	if _, _, err := p.typed("check --fail-on high " + p.ids[0]); err == nil || !strings.Contains(err.Error(), "1 finding of severity high or above") {
		t.Error(err)
	}
}
