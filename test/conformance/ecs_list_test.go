package conformance_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// TestPagingToTheEndLosesAndRepeatsNothing while instances come and go.
func TestPagingToTheEndLosesAndRepeatsNothing(t *testing.T) {
	x := newInstances(t)
	want := x.seed(t, ecs.FleetSpec{Count: 250})
	seen := map[string]int{}
	in := &ecssdk.DescribeInstancesRequest{RegionId: tea.String(server.Home), MaxResults: tea.Int32(100)}
	pages := 0
	for more := true; more; pages++ {
		out, err := x.DescribeInstances(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range out.Body.Instances.Instance {
			seen[tea.StringValue(i.InstanceId)]++
		}
		if n := tea.Int32Value(out.Body.TotalCount); n >= 250 {
			t.Errorf("TotalCount is %d: with tokens it must not be of use", n)
		}
		in.NextToken = out.Body.NextToken
		more = tea.StringValue(out.Body.NextToken) != ""
		x.deleteNow(t, tea.StringValue(out.Body.Instances.Instance[0].InstanceId))
	}
	if pages != 3 {
		t.Errorf("%d pages, want 3", pages)
	}
	for _, id := range want {
		if seen[id] != 1 {
			t.Fatalf("%s was listed %d times", id, seen[id])
		}
	}
	in.NextToken = tea.String("made-up")
	_, err := x.DescribeInstances(in)
	wantCode(t, "400 InvalidParameter.NextToken", err)
}

func (x *instances) deleteNow(t *testing.T, id string) {
	t.Helper()
	if _, err := x.DeleteInstance(&ecssdk.DeleteInstanceRequest{InstanceId: tea.String(id), Force: tea.Bool(true)}); err != nil {
		t.Fatal(err)
	}
}

func TestPageSizesAreMovedIntoTheirRange(t *testing.T) {
	x := newInstances(t)
	x.seed(t, ecs.FleetSpec{Count: 600})
	for _, c := range []struct{ asked, instances, disks int }{{1, 10, 10}, {50, 50, 50}, {101, 100, 101}, {501, 100, 500}} {
		out, err := x.DescribeInstances(&ecssdk.DescribeInstancesRequest{RegionId: tea.String(server.Home), MaxResults: tea.Int32(int32(c.asked))})
		if err != nil {
			t.Fatal(err)
		}
		disks, err := x.DescribeDisks(&ecssdk.DescribeDisksRequest{RegionId: tea.String(server.Home), MaxResults: tea.Int32(int32(c.asked))})
		if err != nil {
			t.Fatal(err)
		}
		if i, d := len(out.Body.Instances.Instance), len(disks.Body.Disks.Disk); i != c.instances || d != c.disks {
			t.Errorf("MaxResults %d gave %d instances and %d disks, want %d and %d", c.asked, i, d, c.instances, c.disks)
		}
	}
	out, err := x.DescribeInstances(&ecssdk.DescribeInstancesRequest{RegionId: tea.String(server.Home), PageNumber: tea.Int32(7), PageSize: tea.Int32(100)})
	if err != nil {
		t.Fatal(err)
	}
	if n := tea.Int32Value(out.Body.TotalCount); n != 600 || len(out.Body.Instances.Instance) != 0 {
		t.Errorf("page 7 of 6 holds %d of %d", len(out.Body.Instances.Instance), n)
	}
}

func TestRolesComeTenAPageUnlessAsked(t *testing.T) {
	x := newInstances(t)
	x.seed(t, ecs.FleetSpec{Count: 120, Role: "app"})
	x.seed(t, ecs.FleetSpec{Count: 5, Role: "-"})
	for _, c := range []struct{ size, want int }{{0, 10}, {50, 50}, {100, 50}} {
		in := &ecssdk.DescribeInstanceRamRoleRequest{RegionId: tea.String(server.Home), RamRoleName: tea.String("app")}
		if c.size > 0 {
			in.PageSize = tea.Int32(int32(c.size))
		}
		out, err := x.DescribeInstanceRamRole(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(out.Body.InstanceRamRoleSets.InstanceRamRoleSet); got != c.want || tea.Int32Value(out.Body.TotalCount) != 120 {
			t.Errorf("page size %d gave %d of %d, want %d of 120", c.size, got, tea.Int32Value(out.Body.TotalCount), c.want)
		}
	}
}

func TestAnInstanceWithoutARoleIsShownInEitherWay(t *testing.T) {
	x := newInstances(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Role: "-"})[0]
	if role, there := x.roles(t, id)[id]; !there || role != "" {
		t.Errorf("it is shown: %t, with role %q", there, role)
	}
	x.ECS.HideRoleless(true)
	if _, there := x.roles(t, id)[id]; there {
		t.Error("it is shown although hidden")
	}
}

func TestDescribeInstancesFilters(t *testing.T) {
	x := newInstances(t)
	old := x.seed(t, ecs.FleetSpec{Count: 2, Tags: map[string]string{"ack.aliyun.com": "c1"}})
	x.advance(t, 48*time.Hour)
	classic := x.seed(t, ecs.FleetSpec{Count: 1, Network: "classic", InstanceType: "ecs.g6.large", ResourceGroup: "rg-1"})
	stopped := x.seed(t, ecs.FleetSpec{Count: 1, Status: "Stopped", HTTPTokens: "optional"})
	both := func(a, b []string) []string { return append(slices.Clone(a), b...) }
	s := tea.String
	for name, c := range map[string]struct {
		in   ecssdk.DescribeInstancesRequest
		want []string
	}{
		"all":            {ecssdk.DescribeInstancesRequest{}, both(both(old, classic), stopped)},
		"by id":          {ecssdk.DescribeInstancesRequest{InstanceIds: idArray(t, stopped[0], "i-x", stopped[0])}, stopped},
		"by no id":       {ecssdk.DescribeInstancesRequest{InstanceIds: s("[]")}, nil},
		"by status":      {ecssdk.DescribeInstancesRequest{Status: s("Running")}, both(old, classic)},
		"by family":      {ecssdk.DescribeInstancesRequest{InstanceTypeFamily: s("ecs.g6")}, classic},
		"by VPC":         {ecssdk.DescribeInstancesRequest{VpcId: s("vpc-local")}, both(old, stopped)},
		"by network":     {ecssdk.DescribeInstancesRequest{InstanceNetworkType: s("classic")}, classic},
		"by tokens":      {ecssdk.DescribeInstancesRequest{HttpTokens: s("optional")}, stopped},
		"by group":       {ecssdk.DescribeInstancesRequest{ResourceGroupId: s("rg-1")}, classic},
		"by tag":         {ecssdk.DescribeInstancesRequest{Tag: []*ecssdk.DescribeInstancesRequestTag{{Key: s("ack.aliyun.com")}}}, old},
		"by other value": {ecssdk.DescribeInstancesRequest{Tag: []*ecssdk.DescribeInstancesRequestTag{{Key: s("ack.aliyun.com"), Value: s("c2")}}}, nil},
		"by creation": {ecssdk.DescribeInstancesRequest{Filter: []*ecssdk.DescribeInstancesRequestFilter{
			{Key: s("CreationStartTime"), Value: s("2026-01-06T00:00Z")},
		}}, both(classic, stopped)},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.RegionId = s(server.Home)
			out, err := x.DescribeInstances(&c.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range out.Body.Instances.Instance {
				got = append(got, tea.StringValue(i.InstanceId))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := x.DescribeInstances(&ecssdk.DescribeInstancesRequest{RegionId: s(server.Home), InstanceIds: s("i-1")})
	wantCode(t, "400 InvalidParameter", err)
}

func TestDiskIdsAreAFilterEvenWhenEmpty(t *testing.T) {
	x := newInstances(t)
	x.seed(t, ecs.FleetSpec{Count: 20, Drift: map[string]float64{"badDisk": 0.1}})
	count := func(in ecssdk.DescribeDisksRequest) int {
		in.RegionId, in.MaxResults = tea.String(server.Home), tea.Int32(100)
		out, err := x.DescribeDisks(&in)
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Body.Disks.Disk)
	}
	for name, c := range map[string]struct {
		in   ecssdk.DescribeDisksRequest
		want int
	}{
		"no filter":     {ecssdk.DescribeDisksRequest{}, 20},
		"empty array":   {ecssdk.DescribeDisksRequest{DiskIds: tea.String("[]")}, 0},
		"category":      {ecssdk.DescribeDisksRequest{Category: tea.String("cloud_efficiency")}, 2},
		"all":           {ecssdk.DescribeDisksRequest{Category: tea.String("all"), DiskType: tea.String("system")}, 20},
		"data disks":    {ecssdk.DescribeDisksRequest{DiskType: tea.String("data")}, 0},
		"not encrypted": {ecssdk.DescribeDisksRequest{Encrypted: tea.Bool(false)}, 20},
		"encrypted":     {ecssdk.DescribeDisksRequest{Encrypted: tea.Bool(true)}, 0},
		"no instance":   {ecssdk.DescribeDisksRequest{InstanceId: tea.String("i-x")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := count(c.in); got != c.want {
				t.Errorf("%d disks, want %d", got, c.want)
			}
		})
	}
}

func TestExpiredImagesAreShownOnlyOnRequest(t *testing.T) {
	x := newInstances(t)
	const expired = "aliyun_2_1903_x64_20G_uefi_alibase_20200529.vhd"
	ask := func(in ecssdk.DescribeImagesRequest) map[string]string {
		in.RegionId, in.PageSize = tea.String(server.Home), tea.Int32(100)
		out, err := x.DescribeImages(&in)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, i := range out.Body.Images.Image {
			got[tea.StringValue(i.ImageId)] = tea.StringValue(i.BootMode)
		}
		return got
	}
	ids := tea.String(uefiImage + "," + plainImage + "," + expired)
	if diff := cmp.Diff(map[string]string{uefiImage: "UEFI", plainImage: "BIOS"}, ask(ecssdk.DescribeImagesRequest{ImageId: ids})); diff != "" {
		t.Error(diff)
	}
	if got := ask(ecssdk.DescribeImagesRequest{ImageId: ids, ShowExpired: tea.Bool(true)}); got[expired] != "UEFI" {
		t.Errorf("with ShowExpired it is %v", got)
	}
	if got := ask(ecssdk.DescribeImagesRequest{ImageOwnerAlias: tea.String("self")}); len(got) != 0 {
		t.Errorf("own images: %v", got)
	}
	if got := ask(ecssdk.DescribeImagesRequest{InstanceType: tea.String("ecs.g5.large")}); got[uefiImage] != "" || got[plainImage] == "" {
		t.Errorf("images for g5: %v", got)
	}
}

func TestAHundredThousandInstancesAreSmall(t *testing.T) {
	x := newInstances(t)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, start := heap(), time.Now()
	x.seed(t, ecs.FleetSpec{Count: 100_000, Drift: map[string]float64{"noRole": 0.01}})
	took, used := time.Since(start), heap()-before
	t.Logf("100,000 instances: %d MiB, %v", used>>20, took)
	if used > 200<<20 {
		t.Errorf("they take %d MiB, the limit is 200", used>>20)
	}
	runtime.KeepAlive(x)
}
