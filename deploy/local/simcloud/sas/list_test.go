package sas_test

import (
	"encoding/json"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/sas"
)

func (c *cloud) search(in sas.DescribeCloudCenterInstancesRequest) []string {
	c.Helper()
	var ids []string
	for _, i := range ask(c, c.sas.DescribeCloudCenterInstances, &in).Instances {
		ids = append(ids, i.InstanceId)
	}
	return ids
}

func (c *cloud) uuid(id string) string {
	c.Helper()
	got := ask(c, c.sas.DescribeCloudCenterInstances, &sas.DescribeCloudCenterInstancesRequest{Criteria: criteria(c, "instanceId", id)})
	if len(got.Instances) != 1 {
		c.Fatalf("instance %s is found %d times", id, len(got.Instances))
	}
	return got.Instances[0].Uuid
}

func criteria(t testing.TB, pairs ...string) string {
	t.Helper()
	list := []map[string]string{}
	for kv := range slices.Chunk(pairs, 2) {
		list = append(list, map[string]string{"name": kv[0], "value": kv[1]})
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSearchesAreByNameAndLogic(t *testing.T) {
	c := newCloud(t)
	a := c.seed(ecs.FleetSpec{Count: 2, Name: "web"})
	b := c.seed(ecs.FleetSpec{Count: 1, Region: "cn-shanghai", Agent: "offline", OS: "windows"})
	n := c.seed(ecs.FleetSpec{Count: 1, Agent: "never"})
	c.seed(ecs.FleetSpec{Count: 1, Agent: "unknown"})
	c.seed(ecs.FleetSpec{Count: 1, Account: other})
	all := slices.Concat(a, n, b)
	for _, x := range []struct {
		criteria, exp string
		want          []string
	}{
		{"", "", all},
		{"[]", "", all},
		{criteria(t, "instanceId", a[1]), "", a[1:]},
		{criteria(t, "instanceId", b[0], "instanceId", a[0]), "OR", []string{b[0], a[0]}},
		{criteria(t, "instanceId", b[0], "instanceId", a[0]), "", []string{b[0], a[0]}},
		{criteria(t, "instanceId", b[0], "instanceId", a[0]), "AND", nil},
		{criteria(t, "regionId", "cn-shanghai"), "AND", b},
		{criteria(t, "regionId", "cn-shanghai", "osType", "windows"), "AND", b},
		{criteria(t, "regionId", "cn-shanghai", "osType", "linux"), "AND", nil},
		{criteria(t, "regionId", "cn-shanghai", "instanceName", "web"), "OR", slices.Concat(a, b)},
		{criteria(t, "clientStatus", "offline"), "", b},
		{criteria(t, "clientSubStatus", "online"), "", a},
		{criteria(t, "clientSubStatus", "uninstalled"), "", nil}, // never has no status at all
		{criteria(t, "runningStatus", "notRunning"), "", nil},
		{criteria(t, "uuidList", c.uuid(a[0])+","+c.uuid(b[0])), "", []string{a[0], b[0]}},
	} {
		got := c.search(sas.DescribeCloudCenterInstancesRequest{Criteria: x.criteria, LogicalExp: x.exp})
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s %s: %s", x.exp, x.criteria, diff)
		}
	}
	for _, bad := range []sas.DescribeCloudCenterInstancesRequest{
		{Criteria: "x"}, {Criteria: criteria(t, "InstanceId", a[0])}, {LogicalExp: "and"}, {UseNextToken: true, NextToken: "x"},
		{ResourceDirectoryAccountId: 5},
	} {
		if _, err := c.sas.DescribeCloudCenterInstances(call("X", nil), &bad); codeOf(err) != "InvalidParameter" {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestPagesMeetWithoutGapsOrRepeats(t *testing.T) {
	c := newCloud(t)
	want := slices.Concat(c.seed(ecs.FleetSpec{Count: 130}), c.seed(ecs.FleetSpec{Count: 75, Region: "cn-shanghai"}))
	var ids []string
	for page := 1; ; page++ {
		got := ask(c, c.sas.DescribeCloudCenterInstances, &sas.DescribeCloudCenterInstancesRequest{CurrentPage: page, PageSize: 1000})
		if got.PageInfo.PageSize != 100 || *got.PageInfo.TotalCount != 205 || got.PageInfo.Count != len(got.Instances) {
			t.Fatalf("page %d counts itself as %+v", page, got.PageInfo)
		}
		if len(got.Instances) == 0 {
			break
		}
		for _, i := range got.Instances {
			ids = append(ids, i.InstanceId)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", criteria(t, interleave("instanceId", want)...)} {
		ids = nil
		in := &sas.DescribeCloudCenterInstancesRequest{UseNextToken: true, Criteria: text}
		for {
			got := ask(c, c.sas.DescribeCloudCenterInstances, in)
			if got.PageInfo.TotalCount != nil || len(got.Instances) > 20 {
				t.Fatalf("a page by token says %+v", got.PageInfo)
			}
			for _, i := range got.Instances {
				ids = append(ids, i.InstanceId)
			}
			if in.NextToken = got.PageInfo.NextToken; in.NextToken == "" {
				break
			}
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Error(diff)
		}
	}
}

func interleave(name string, values []string) (pairs []string) {
	for _, v := range values {
		pairs = append(pairs, name, v)
	}
	return pairs
}

func FuzzNoSearchPanics(f *testing.F) {
	f.Add(`[{"name":"instanceId","value":"i-1"}]`, "OR", "")
	f.Add(`[{"name":"uuidList","value":",, "}]`, "AND", "c2FzOjA6MQ")
	f.Add(`null`, "", "x")
	f.Fuzz(func(t *testing.T, text, exp, token string) {
		c := newCloud(t)
		c.seed(ecs.FleetSpec{Count: 2})
		_, err := c.sas.DescribeCloudCenterInstances(call("X", nil), &sas.DescribeCloudCenterInstancesRequest{
			Criteria: text, LogicalExp: exp, NextToken: token, UseNextToken: true,
		})
		if err != nil && codeOf(err) != "InvalidParameter" {
			t.Error(err)
		}
	})
}

func BenchmarkListAHundredThousandByToken(b *testing.B) {
	c := newCloud(b)
	c.seed(ecs.FleetSpec{Count: 100_000})
	text := criteria(b, "regionId", region)
	for b.Loop() {
		in := &sas.DescribeCloudCenterInstancesRequest{UseNextToken: true, PageSize: 100, Criteria: text, LogicalExp: "AND"}
		for {
			got := ask(c, c.sas.DescribeCloudCenterInstances, in)
			if in.NextToken = got.PageInfo.NextToken; in.NextToken == "" {
				break
			}
		}
	}
}

// counted counts how many instances Security Center looks at.
type counted struct {
	sas.Servers
	looked *int
}

func (s counted) Machine(account, id string) (ecs.Machine, bool) {
	*s.looked++
	return s.Servers.Machine(account, id)
}

func (s counted) Machines(account, region string, place uint64) iter.Seq2[uint64, ecs.Machine] {
	return func(yield func(uint64, ecs.Machine) bool) {
		for at, m := range s.Servers.Machines(account, region, place) {
			*s.looked++
			if !yield(at, m) {
				return
			}
		}
	}
}

func TestACallLooksAtNoMoreInstancesThanItNeeds(t *testing.T) {
	looked := 0
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	w := simcloud.NewWorld(clock, []string{account}, []string{region})
	c := &cloud{TB: t, clock: clock, ecs: ecs.New(w, everything{}, everything{})}
	c.sas = sas.New(w, counted{c.ecs, &looked})
	c.ecs.SetSecurity(c.sas)
	ids := c.seed(ecs.FleetSpec{Count: 5000})
	var named []string
	for _, id := range ids[4000:4100] {
		named = append(named, "instanceId", id)
	}
	if got := c.search(sas.DescribeCloudCenterInstancesRequest{Criteria: criteria(t, named...), LogicalExp: "OR", PageSize: 100}); len(got) != 100 || looked > 100 {
		t.Errorf("%d of 100 ids are found among 5,000 by looking at %d", len(got), looked)
	}
	in := sas.DescribeCloudCenterInstancesRequest{UseNextToken: true, PageSize: 100}
	looked = 0
	for pages := 1; ; pages++ {
		out := ask(c, c.sas.DescribeCloudCenterInstances, &in)
		if in.NextToken = out.PageInfo.NextToken; in.NextToken != "" {
			continue
		}
		if pages != 50 || looked > 5000+pages {
			t.Errorf("%d pages are found by looking at %d instances", pages, looked)
		}
		return
	}
}
