package undo_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/oss"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

const bucket = "fleetwarden-" + server.Sharer

// scene is an account of the local cloud, worked on over HTTP: by an administrator, who
// plays the functions, and by backfill with the rights that it has in deploy/ram.
type scene struct {
	*server.Server
	admin, backfill parts
	free, taken     string // instances: without a role, and with another one
	shard           string
}

// session signs with keys, and does not wait.
func (s *scene) session(t *testing.T, k aliyun.Keys) *aliyun.Session {
	t.Helper()
	cloud := aliyuntest.Cloud(t, s.URL(), k)
	return cloud.NewSession(0)
}

func partsOf(s *aliyun.Session) parts {
	store := ledger.Below(oss.Open(s, oss.Place{Bucket: bucket, Region: server.Home}), "ledger/")
	return parts{ecs.New(s), ram.New(s), store, s, pol()}
}

// newScene seeds the account. without is an action that backfill may not do.
func newScene(t *testing.T, without string) *scene {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{Propagation: -1})
	s := &scene{Server: srv, shard: "fleetwarden-share-image-1"}
	rootTrust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + server.Sharer + `:root"]}}]}`
	for _, err := range []error{
		srv.RAM.AddRole(server.Sharer, systrust, rampolicy.ECSTrust(), nil),
		srv.RAM.AddRole(server.Sharer, simecs.WrongRole, rampolicy.ECSTrust(), nil),
		srv.RAM.AddRole(server.Sharer, fleet.ImageShareRole, trusting("1000000000000009"), map[string]string{"fleetwarden-share-image-2": granting("k-9")}),
		srv.RAM.AddRole(server.Sharer, "Backfill", rootTrust, rights(t, without)),
		srv.OSS.CreateBucket(server.Sharer, server.Home, bucket),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.free, s.taken = s.seed(t, "-"), s.seed(t, simecs.WrongRole)
	admin := s.session(t, aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"})
	s.admin = partsOf(admin)
	if err := s.admin.ram.CreatePolicy(t.Context(), s.shard, granting("k-1"), ""); err != nil {
		t.Fatal(err)
	}
	got, err := sts.AssumeRole(t.Context(), admin, server.Home, sts.Role{Account: server.Sharer, Name: "Backfill", Session: "undo"})
	if err != nil {
		t.Fatal(err)
	}
	s.backfill = partsOf(s.session(t, got.Keys))
	return s
}

func (s *scene) seed(t *testing.T, role string) string {
	t.Helper()
	f, err := s.ECS.SeedFleet(simecs.FleetSpec{Count: 1, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return f.IDs[0]
}

// rights are backfill's policies, as deployed, without one action.
func rights(t *testing.T, without string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, file := range map[string]string{"base": "backfill.json", "undo": "optional/backfill-undo.json"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "ram", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		if name == "undo" && without != "" {
			text = []byte(strings.Replace(string(text), `"`+without+`"`, `"none:None"`, 1))
		}
		out[name] = string(text)
	}
	return out
}

// undoActions are what the undo's own policy allows.
func undoActions(t *testing.T) (out []string) {
	t.Helper()
	var doc struct{ Statement []struct{ Action any } }
	if err := json.Unmarshal([]byte(rights(t, "")["undo"]), &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Statement {
		switch a := s.Action.(type) {
		case string:
			out = append(out, a)
		case []any:
			for _, x := range a {
				out = append(out, x.(string))
			}
		}
	}
	return out
}

// later lets the cloud's time pass: instances stop and start.
func (s *scene) later(t *testing.T) {
	t.Helper()
	if err := s.World.Clock.Advance(t.Context(), 15*time.Minute); err != nil {
		t.Fatal(err)
	}
}

// work is a run that makes one change of each kind.
func (s *scene) work(t *testing.T) {
	t.Helper()
	image := role(fleet.ImageShareRole)
	before, err := s.admin.ram.Bare(t.Context(), image.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		function, control string
		changes           []fleet.Change
	}{
		{"attach-role", policy.ControlInstanceRole, []fleet.Change{
			{Kind: fleet.GrantRole, Ref: role(systrust), Want: least},
			{Kind: fleet.AttachRole, Ref: instance(s.free), Want: systrust},
			{Kind: fleet.ReplaceRole, Ref: instance(s.taken), Before: simecs.WrongRole, Want: systrust},
		}},
		{"validate-instance", policy.ControlTrustedInstance, []fleet.Change{
			{Kind: fleet.TagInstance, Ref: instance(s.free), Want: "fleetwarden:violation=trusted-instance"},
			{Kind: fleet.StopInstance, Ref: instance(s.taken), Before: "Running", Want: stopMark},
		}},
		{"setup-share-role", policy.ControlShareRole, []fleet.Change{
			{Kind: fleet.SetShareTrust, Ref: image, Before: before.Trust, Want: trusting("1000000000000002")},
			{Kind: fleet.SetKeyPolicy, Ref: policyRef(s.shard), Before: granting("k-1"), Want: granting("k-2")},
			{Kind: fleet.AttachKeyPolicy, Ref: policyRef(s.shard), Want: image.ID},
			{Kind: fleet.DetachKeyPolicy, Ref: policyRef("fleetwarden-share-image-2"), Before: image.ID},
			{Kind: fleet.MarkUnused, Ref: image, Want: "20260105T000000Z-0011223344556677"},
		}},
	} {
		for _, c := range x.changes {
			if d := s.admin.make(x.function, "run-1", x.control, c); d.err != nil || len(d.changes(fleet.Done)) != 1 {
				t.Fatalf("%s: %v %+v", c.Kind, d.err, d.records)
			}
		}
	}
	s.later(t)
}

// state is what the run works on, as an administrator sees it.
func (s *scene) state(t *testing.T) map[string]string {
	t.Helper()
	ctx, ids := t.Context(), []string{s.free, s.taken}
	out := map[string]string{}
	listed, err := s.admin.ecs.Listings(ctx, server.Home, ids)
	names, err2 := s.admin.ecs.RoleNames(ctx, server.Home, ids)
	tags, err3 := s.admin.ram.RoleTags(ctx, fleet.ImageShareRole)
	doc, err4 := s.admin.ram.Fresh(ctx, fleet.Policy{Name: s.shard, Type: fleet.CustomPolicy})
	for _, err := range []error{err, err2, err3, err4} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, l := range listed {
		delete(l.Tags, "fleetwarden:stopped") // stays
		out[id] = fmt.Sprint(names[id], " ", l.Status, " ", l.Tags)
	}
	for _, name := range []string{systrust, fleet.ImageShareRole} {
		r, err := s.admin.ram.Role(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		var policies []string
		for _, p := range r.Policies {
			policies = append(policies, p.Name)
		}
		slices.Sort(policies)
		out[name] = fmt.Sprint(r.Trust, policies)
	}
	out["mark"], out["document"] = tags[fleet.TagUnused], doc
	return out
}

func TestARunIsUndoneOverTheWireWithTheRightsOfDeployAlone(t *testing.T) {
	s := newScene(t, "")
	before := s.state(t)
	s.work(t)
	after := s.state(t)
	if maps.Equal(before, after) {
		t.Fatal("the run changed nothing")
	}
	for _, x := range []struct {
		run, as string
		want    map[string]string
	}{{"run-1", "undo-1", before}, {"undo-1", "undo-2", after}, {"undo-2", "undo-3", before}} {
		d := s.backfill.undo(x.run, x.as)
		s.later(t)
		if d.err != nil || len(d.changes(fleet.Done)) != 10 {
			t.Errorf("%s: %v, done %v", x.as, d.err, says(d.changes(fleet.Done)))
		}
		if diff := cmp.Diff(x.want, s.state(t)); diff != "" {
			t.Errorf("%s: %s", x.as, diff)
		}
	}
	for _, p := range s.RAM.Permissions() {
		if p.Caller == "Backfill" && !p.Allowed {
			t.Errorf("denied %s on %s", p.Action, p.Resource)
		}
	}
}

func TestNoRightOfAnUndoIsUnused(t *testing.T) {
	for _, action := range undoActions(t) {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, action)
			s.work(t)
			whole := true
			for _, runs := range [][2]string{{"run-1", "undo-1"}, {"undo-1", "undo-2"}} {
				d := s.backfill.undo(runs[0], runs[1])
				s.later(t)
				whole = whole && d.err == nil && len(d.changes(fleet.Done)) == 10
			}
			if whole {
				t.Error("it also works without")
			}
		})
	}
}

// Whatever call fails, the next undo finishes. TestAnUndoThatWasKilledIsFinishedByTheNext kills an
// undo before and after each write.
func TestAnUndoThatFailsOverTheWireIsFinishedByTheNext(t *testing.T) {
	kinds := []simcloud.FaultKind{simcloud.Throttle, simcloud.TimeoutBefore, simcloud.TimeoutAfter}
	for n, action := range []string{"DetachInstanceRamRole", "AttachInstanceRamRole", "UntagResources", "StartInstances", "DetachPolicyFromRole",
		"AttachPolicyToRole", "UpdateRole", "CreatePolicyVersion", "PutObject", "DescribeInstances", "GetRole"} {
		kind := kinds[n%len(kinds)]
		t.Run(action+" "+string(kind), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, "")
			before := s.state(t)
			s.work(t)
			if err := s.Faults.Set(1, []simcloud.Fault{{Action: action, Kind: kind}}, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			d := s.backfill.undo("run-1", "undo-1")
			if kind != simcloud.TimeoutAfter && d.err == nil && len(d.changes(fleet.Done)) == 10 {
				t.Error("nothing failed")
			}
			if err := s.Faults.Set(1, nil, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			s.later(t)
			d2 := s.backfill.undo("run-1", "undo-2")
			s.later(t)
			if diff := cmp.Diff(before, s.state(t)); diff != "" || d2.err != nil {
				t.Errorf("%v, %v: %s\n%v", d.err, d2.err, diff, says(d2.changes(fleet.Done)))
			}
		})
	}
}
