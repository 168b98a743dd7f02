package clients_test

import (
	"context"
	"slices"
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/operate/doctor/clients"
	"fleetwarden/shared/policy"
)

// account is one with a ledger and the queue of dead letters.
func account(t *testing.T) (*server.Server, doctor.Reads) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.OSS.CreateBucket(server.Sharer, server.Home, "fleetwarden"); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.MNS.Create(mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-dead-letters"}, mns.Defaults()); err != nil {
		t.Fatal(err)
	}
	if err := srv.KMS.SetSecret(server.Sharer, server.Home, "fleetwarden-ops", "https://robot.example.com/CANARY", ""); err != nil {
		t.Fatal(err)
	}
	place, err := invocation.ParseLedger("oss://fleetwarden/ledger")
	if err != nil {
		t.Fatal(err)
	}
	process := &invocation.Process{Ledger: place}
	home := fleet.Scope{Account: server.Sharer, Region: server.Home}
	inv := process.Open(home, aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin()).NewSession(0), policy.Default(), ledger.Pass{Function: fleet.FunctionDoctor})
	return srv, clients.Of(inv, true)
}

// An account without a role of its own is entered by that of the directory, and is not the home
// account.
func TestAnAccountHasItsOwnRoleOrThatOfTheDirectory(t *testing.T) {
	for directory, want := range map[string][]doctor.Account{
		"":                                       {{ID: "1"}, {ID: "2", Role: "Own"}},
		"directory: {role: FleetwardenMember}\n": {{ID: "1", Role: "FleetwardenMember"}, {ID: "2", Role: "Own"}},
	} {
		p, err := policy.Load("p.yaml", []byte("version: 1\n"+directory+`accounts: [{id: "1", name: prod}, {id: "2", role: Own}]`))
		if err != nil {
			t.Fatal(err)
		}
		srv := aliyuntest.Serve(t, server.Options{})
		home := fleet.Scope{Account: server.Sharer, Region: server.Home}
		inv := new(invocation.Process).Open(home, aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin()).NewSession(0), p, ledger.Pass{Function: fleet.FunctionDoctor})
		if got := clients.Of(inv, true).Policy.Accounts; !slices.Equal(got, want) {
			t.Errorf("%q: %+v", directory, got)
		}
	}
}

// reads are those that no other package's tests make.
func reads(ctx context.Context, r doctor.Reads) map[string]func() error {
	queues := r.Queues(server.Home)
	return map[string]func() error{
		"GetQueueAttributes":    func() error { _, err := queues.Queue(ctx, "fleetwarden-dead-letters"); return err },
		"BatchPeekMessage":      func() error { _, err := queues.Peek(ctx, "fleetwarden-dead-letters", 16); return err },
		"DescribeVersionConfig": func() error { _, err := r.Agents.Edition(ctx, server.Home); return err },
		"DescribeSecret":        func() error { _, err := r.Secrets.HasSecret(ctx, server.Home, "fleetwarden-ops"); return err },
		"DescribeCommands":      func() error { _, err := r.Commands.Command(ctx, server.Home, "fleetwarden-agent-linux"); return err },
		"GetBucketVersioning":   func() error { _, err := r.Ledger.Versioning(ctx); return err },
		"ListObjectsV2":         func() error { _, _, err := r.Ledger.List(ctx, "deployments/", ""); return err },
		"DescribeTrails":        func() error { _, err := r.Trails.Trails(ctx, server.Home, server.Home); return err },
		"GetTrailStatus":        func() error { _, err := r.Trails.Trails(ctx, server.Home, server.Home); return err },
		"ListRules":             func() error { return r.Services.Active(ctx, "eventbridge", server.Home) },
		"DescribeMetricLast":    func() error { _, err := r.Depths(server.Home).Depths(ctx, []string{"q"}); return err },
		"TestEventPattern":      func() error { _, err := r.Rules(server.Home).Matches(ctx, "{}", `{"source":["a"]}`); return err },
	}
}

// Each read has an answer, and a refusal is an error of its class, never an answer.
func TestEachReadIsAnsweredOrRefused(t *testing.T) {
	srv, r := account(t)
	for action, read := range reads(t.Context(), r) {
		if err := read(); err != nil {
			t.Errorf("%s: %v", action, err)
		}
		for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Deny: fleet.Denied, simcloud.Unavailable: fleet.Unavailable} {
			if err := srv.Faults.Set(1, []simcloud.Fault{{Action: action, Kind: kind}}, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			if err := read(); fleet.ClassOf(err) != class {
				t.Errorf("%s, %s: %v", action, kind, err)
			}
			if err := srv.Faults.Set(1, nil, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := r.Queues(server.Home).Queue(t.Context(), "none"); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("a queue that does not exist: %v", err)
	}
	for name, want := range map[string]bool{"fleetwarden-ops": true, "fleetwarden-none": false} {
		if got, err := r.Secrets.HasSecret(t.Context(), server.Home, name); got != want || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	for _, state := range []string{"Enabled", "Suspended"} {
		if err := srv.OSS.SetVersioning("fleetwarden", state); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Ledger.Versioning(t.Context()); got != state || err != nil {
			t.Errorf("%s: %q, %v", state, got, err)
		}
	}
}

// A program carries the files that it compares with, whole.
func TestTheFilesOfTheBuildAreWhole(t *testing.T) {
	f := clients.Files()
	for _, function := range fleet.Functions() {
		if f.Roles[function.Name] == "" {
			t.Errorf("no policy of %s", function.Name)
		}
	}
	if len(f.Roles) != len(fleet.Functions()) || len(f.Optional) < 20 || f.Member == "" || len(f.Commands) != 3 || len(f.Delivered) != 6 {
		t.Errorf("%d, %d, %d, %q, %v", len(f.Roles), len(f.Optional), len(f.Member), f.Commands, f.Delivered)
	}
	for name, text := range f.Samples {
		if len(text) < 100 {
			t.Errorf("sample %s is %q", name, text)
		}
	}
}
