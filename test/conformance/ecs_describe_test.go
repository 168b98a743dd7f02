package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

func TestALaunchsTrailRecordNamesWhatItMade(t *testing.T) {
	x := newInstances(t)
	ids := x.launch(t, trustedLaunch(2))
	x.advance(t, time.Hour)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.events {
		if e.Type != "ecs:ActionTrail:ApiCall" {
			continue
		}
		var r struct {
			EventName           string
			RequestParameters   map[string]any
			ReferencedResources map[string][]string
			ResponseElements    struct {
				InstanceIdSets struct{ InstanceIdSet []string }
			}
		}
		if err := json.Unmarshal(e.Data, &r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids, r.ReferencedResources["ACS::ECS::Instance"]); diff != "" {
			t.Errorf("instances: %s", diff)
		}
		if diff := cmp.Diff(ids, r.ResponseElements.InstanceIdSets.InstanceIdSet); diff != "" {
			t.Errorf("the response: %s", diff)
		}
		if n := len(r.ReferencedResources["ACS::ECS::Disk"]); n != 2 {
			t.Errorf("%d disks, want 2", n)
		}
		if got := r.RequestParameters["SecurityOptions.TrustedSystemMode"]; got != "vTPM" {
			t.Errorf("the parameter of the trusted mode is %v", got)
		}
		return
	}
	t.Error("there is no record")
}

func TestUserDataComesBackAsItWasGiven(t *testing.T) {
	x := newInstances(t)
	script := base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\ntrue\n"))
	r := trustedLaunch(1)
	r.UserData = tea.String(script)
	with, without := x.launch(t, r)[0], x.launch(t, trustedLaunch(1))[0]
	for id, want := range map[string]string{with: script, without: ""} {
		out, err := x.DescribeUserData(&ecssdk.DescribeUserDataRequest{RegionId: tea.String(server.Home), InstanceId: tea.String(id)})
		if err != nil {
			t.Fatal(err)
		}
		if got := tea.StringValue(out.Body.UserData); got != want {
			t.Errorf("user data is %q, want %q", got, want)
		}
	}
	_, err := x.DescribeUserData(&ecssdk.DescribeUserDataRequest{RegionId: tea.String(server.Another), InstanceId: tea.String(with)})
	wantCode(t, "404 InvalidInstanceId.NotFound", err)
}

func TestRegionsAreTheWorlds(t *testing.T) {
	x := newInstances(t)
	out, err := x.DescribeRegions(&ecssdk.DescribeRegionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.Body.Regions.Region {
		got = append(got, tea.StringValue(r.RegionId))
	}
	if diff := cmp.Diff([]string{server.Home, server.Another}, got); diff != "" {
		t.Error(diff)
	}
}

func TestATagFilterStopsAtAThousand(t *testing.T) {
	x := newInstances(t)
	x.seed(t, ecs.FleetSpec{Count: 1005, Tags: map[string]string{"team": "a"}})
	tagged := 0
	in := &ecssdk.DescribeInstancesRequest{RegionId: tea.String(server.Home), MaxResults: tea.Int32(100), Tag: []*ecssdk.DescribeInstancesRequestTag{{Key: tea.String("team")}}}
	for more := true; more; {
		out, err := x.DescribeInstances(in)
		if err != nil {
			t.Fatal(err)
		}
		tagged += len(out.Body.Instances.Instance)
		in.NextToken = out.Body.NextToken
		more = tea.StringValue(in.NextToken) != ""
	}
	if tagged != 1000 {
		t.Errorf("by tag %d instances are listed, want 1000", tagged)
	}
	resources := map[string]bool{}
	list := &ecssdk.ListTagResourcesRequest{RegionId: in.RegionId, ResourceType: tea.String("instance"), Tag: []*ecssdk.ListTagResourcesRequestTag{{Key: tea.String("team")}}}
	for more := true; more; {
		out, err := x.ListTagResources(list)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Body.TagResources.TagResource {
			resources[tea.StringValue(r.ResourceId)] = true
		}
		list.NextToken = out.Body.NextToken
		more = tea.StringValue(list.NextToken) != ""
	}
	if len(resources) != 1005 {
		t.Errorf("ListTagResources lists %d, want 1005", len(resources))
	}
}
