package meta_test

import (
	"fmt"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud/meta"
)

func load(t *testing.T) *meta.Table {
	t.Helper()
	table, err := meta.Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func action(t *testing.T, product, name string) *meta.Action {
	t.Helper()
	p, ok := load(t).Product(product)
	if !ok || p.Actions[name] == nil {
		t.Fatalf("no facts about %s %s", product, name)
	}
	return p.Actions[name]
}

func TestParameterIsKnownByItsWireName(t *testing.T) {
	a := action(t, "ecs", "RunInstances")
	for name, want := range map[string]string{
		"Amount": "Integer", "DryRun": "Boolean", "RegionId": "String", "OwnerAccount": "String",
		"SystemDisk.Category": "String", "Tag.1.Key": "String",
		"NetworkInterface.2.SecurityGroupIds.3": "String", "HostNames.1": "String", "DataDisk.16.Size": "Integer",
		"ImageOptions.LoginAsNonRoot": "String",
	} {
		if got, ok := a.TypeOf(name); !ok || got != want {
			t.Errorf("%s: got %q %t, want %s", name, got, ok, want)
		}
	}
	for _, name := range []string{
		"", ".", "Tag", "Tag.", "Tag.1", "Tag.0.Key", "Tag.01.Key", "Tag.+1.Key", "Tag.1001.Key", "Tag.1.Other",
		"Tag.1.Key.2", "HostNames", "HostNames.x", "SystemDiskCategory", "Amount.1", "amount",
	} {
		if typ, ok := a.TypeOf(name); ok {
			t.Errorf("%q is taken for a %s", name, typ)
		}
	}
}

func TestListOfRAMTagsMayComeAsJSONOrNumbered(t *testing.T) {
	a := action(t, "ram", "CreateRole")
	for name, want := range map[string]string{"Tag": "Json", "Tag.1.Key": "String"} {
		if got, ok := a.TypeOf(name); !ok || got != want {
			t.Errorf("%s: got %q %t, want %s", name, got, ok, want)
		}
	}
}

func TestMissingParameterIsNamed(t *testing.T) {
	for _, x := range []struct {
		product, action string
		params          map[string]string
		want            string
	}{
		{"ram", "GetRole", nil, "RoleName"},
		{"ram", "GetRole", map[string]string{"RoleName": "r"}, ""},
		{"ecs", "StartInstances", map[string]string{"RegionId": "r"}, "InstanceId"},
		{"ecs", "StartInstances", map[string]string{"RegionId": "r", "InstanceId.1": "i"}, ""},
	} {
		if got := action(t, x.product, x.action).Missing(x.params); got != x.want {
			t.Errorf("%s %v: got %q, want %q", x.action, x.params, got, x.want)
		}
	}
}

func TestBatchMaximaAreThoseOfTheAPI(t *testing.T) {
	ids := func(n int) map[string]string {
		return map[string]string{"InstanceIds": `["` + strings.Repeat(`i","`, n-1) + `i"]`}
	}
	list := func(n int) map[string]string {
		out := map[string]string{}
		for i := range n {
			out[fmt.Sprintf("InstanceId.%d", i+1)] = "i"
		}
		return out
	}
	for _, x := range []struct {
		action string
		params func(int) map[string]string
		most   int
	}{
		{"AttachInstanceRamRole", ids, 100}, {"DetachInstanceRamRole", ids, 100}, {"DescribeInstanceRamRole", ids, 50},
		{"DescribeInstances", ids, 100}, {"RunCommand", list, 100}, {"DescribeCloudAssistantStatus", list, 50},
	} {
		a := action(t, "ecs", x.action)
		if n, err := a.Count(x.params(x.most)); err != nil || n != x.most {
			t.Errorf("%s with %d ids: %d, %v", x.action, x.most, n, err)
		}
		if _, err := a.Count(x.params(x.most + 1)); err == nil {
			t.Errorf("%s took %d ids", x.action, x.most+1)
		}
	}
}

func TestWritesAndReadsAreDistinguishedByName(t *testing.T) {
	for name, want := range map[string]bool{
		"DescribeInstances": false, "ListTagResources": false, "RunInstances": true, "AttachInstanceRamRole": true, "TagResources": true,
	} {
		if got := action(t, "ecs", name).Write(); got != want {
			t.Errorf("%s: write %t, want %t", name, got, want)
		}
	}
}

func TestParametersDepartFromWhatIsPublished(t *testing.T) {
	for _, x := range []struct {
		product, action string
		params          map[string]string
		want            string
	}{
		{"ecs", "DescribeInstances", map[string]string{"RegionId": "r", "InstanceIds": `["i"]`, "MaxResults": "100"}, "[]"},
		{"ecs", "DescribeInstances", map[string]string{"RegionId": "r", "PageNumber": "1"}, "[withdrawn parameter PageNumber]"},
		{"ecs", "DescribeInstances", map[string]string{"RegionId": "r", "MaxResults": "many"}, "[parameter MaxResults is not of type Integer]"},
		{"ecs", "DescribeInstances", map[string]string{"InstanceID": "i"}, "[unknown parameter InstanceID missing parameter RegionId]"},
		{"ram", "GetRole", map[string]string{}, "[missing parameter RoleName]"},
	} {
		if got := fmt.Sprint(action(t, x.product, x.action).Departs(x.params)); got != x.want {
			t.Errorf("%s %v: got %s, want %s", x.action, x.params, got, x.want)
		}
	}
}
