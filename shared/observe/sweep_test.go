package observe_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

const (
	ecsTrust = `{"Version":"1","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`
	granted  = `{"Version":"1","Statement":[{"Action":"yundun-systrust:*","Effect":"Allow","Resource":"*"}]}`
)

// aFleet is a cloud with n trusted instances, of which each hundredth has no role, each
// hundredth another one and each hundredth another disk, and the session of a sweep.
func aFleet(t *testing.T, n int) (*simecs.Fleet, *aliyun.Session) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	for _, role := range []string{simecs.FleetRole, simecs.WrongRole} {
		if err := srv.RAM.AddRole(server.Sharer, role, ecsTrust, map[string]string{"of-" + role: granted}); err != nil {
			t.Fatal(err)
		}
	}
	seeded, err := srv.ECS.SeedFleet(simecs.FleetSpec{Count: n, Drift: map[string]float64{"noRole": 0.01, "wrongRole": 0.01, "badDisk": 0.01}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.World.Clock.Advance(t.Context(), 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin())
	return seeded, cloud.NewSession(0)
}

// sweep reads all pages of a fleet and what the rules of its instances ask.
func sweep(t *testing.T, s *aliyun.Session) (all []fleet.Instance, roles map[string]fleet.Fact[fleet.Role]) {
	t.Helper()
	instances := ecs.New(s)
	var m observe.Memory
	world := observe.World{
		Listings: instances, RoleNames: instances, Roles: m.Roles(ram.New(s)), Needed: []string{simecs.FleetRole},
		Survey: m.Survey(instances, []string{"cloud_essd"}, s.Now), Images: m.Images(instances),
		KMS: m.KMS(kms.New(s)), Agents: sas.New(s), Assistants: m.Assistants(instances), UserData: instances, Now: s.Now,
		Lacking:     func(in *fleet.Instance) bool { return in.Agent.V.Status != "online" },
		WantsScript: func(*fleet.Instance) bool { return false },
	}
	scope := fleet.Scope{Account: server.Sharer, Region: server.Home}
	roles = map[string]fleet.Fact[fleet.Role]{}
	for token := ""; ; {
		page, next, err := instances.Page(t.Context(), scope, token)
		if err != nil {
			t.Fatal(err)
		}
		b := fleet.Batch{Scope: scope, Seen: page}
		for _, in := range page {
			b.Refs = append(b.Refs, in.Ref)
		}
		w, err := world.Observe(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w.Instances...)
		maps.Copy(roles, w.Roles)
		if next == "" {
			return all, roles
		}
		token = next
	}
}

func TestASweepReadsAFleetAtTheLeastNumberOfCalls(t *testing.T) {
	for n, disks := range map[int]int{
		1000: 1 + 2,     // counted, then all read
		6000: 1 + 9 + 4, // counted, a page of each of 9 categories, compared
	} {
		seeded, s := aFleet(t, n)
		all, roles := sweep(t, s)
		want := map[string]int{
			"ecs:DescribeInstances": n / 100, "ecs:DescribeInstanceRamRole": n / 50, "ecs:DescribeDisks": disks, "ecs:DescribeImages": 1,
			"ram:GetRole": 2, "ram:ListPoliciesForRole": 2, "ram:GetPolicy": 2, "kms:DescribeAccountKmsStatus": 1, "sas:DescribeCloudCenterInstances": n / 100,
		}
		if n > 5000 {
			want["ecs:DescribeInstances"]++ // counted, to compare with disks
		}
		got := map[string]int{}
		for api, results := range s.Calls() {
			got[api] = results["ok"]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d instances: %s", n, diff)
		}
		if len(all) != n || len(roles) != 2 {
			t.Fatalf("read %d of %d instances, %d roles", len(all), n, len(roles))
		}
		check(t, all, seeded)
	}
}

// check compares what was read with what was seeded.
func check(t *testing.T, all []fleet.Instance, seeded *simecs.Fleet) {
	t.Helper()
	wrong := 0
	for _, in := range all {
		role, disk := simecs.FleetRole, "cloud_essd"
		switch {
		case slices.Contains(seeded.Drifted["noRole"], in.Ref.ID):
			role = ""
		case slices.Contains(seeded.Drifted["wrongRole"], in.Ref.ID):
			role = simecs.WrongRole
		case slices.Contains(seeded.Drifted["badDisk"], in.Ref.ID):
			disk = "cloud_efficiency"
		}
		if in.RoleName != fleet.See(role) || in.SystemDisk != fleet.See(disk) || !in.Image.Seen() || !in.Agent.V.Known || in.Gone != fleet.See(false) {
			t.Logf("read %+v", in)
			wrong++
		}
	}
	if wrong != 0 {
		t.Errorf("%d instances were read wrong", wrong)
	}
}
