package sas_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/test/simcloud/ecs"
	"fleetwarden/test/simcloud/sas"
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
