package ecs_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fleet"
)

const (
	region = fleet.Region(server.Home)
	role   = simecs.FleetRole
	trust  = `{"Version":"1","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`
)

type bench struct {
	*server.Server
	*ecs.Client
	session *aliyun.Session
}

func newClient(t *testing.T, url string) (*ecs.Client, *aliyun.Session) {
	t.Helper()
	return newClientOf(t, url, aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"})
}

// weak is the client of a user without rights.
func (b *bench) weak(t *testing.T) (*ecs.Client, *aliyun.Session) {
	t.Helper()
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	return newClientOf(t, b.URL(), aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
}

func newClientOf(t *testing.T, url string, k aliyun.Keys) (*ecs.Client, *aliyun.Session) {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, k)
	s := cloud.NewSession(0)
	return ecs.New(s), s
}

func newBench(t *testing.T, faults ...simcloud.Fault) *bench {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if err := srv.RAM.AddRole(server.Sharer, role, trust, nil); err != nil {
		t.Fatal(err)
	}
	client, session := newClient(t, srv.URL())
	return &bench{srv, client, session}
}

func (b *bench) seed(t *testing.T, f simecs.FleetSpec) *simecs.Fleet {
	t.Helper()
	fleet, err := b.ECS.SeedFleet(f)
	if err != nil {
		t.Fatal(err)
	}
	return fleet
}

// batches are the numbers of ids in the calls of one action.
func (b *bench) batches(action string) (sizes []int) {
	for _, e := range b.Log.Since(0) {
		if e.Action == action {
			sizes = append(sizes, e.IDs)
		}
	}
	return sizes
}

func TestListingsAreReadByTheHundred(t *testing.T) {
	b := newBench(t)
	fleet := b.seed(t, simecs.FleetSpec{Count: 250})
	got, err := b.Listings(t.Context(), region, append(fleet.IDs, "i-unknown"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{100, 100, 51}, b.batches("DescribeInstances")); diff != "" {
		t.Error(diff)
	}
	for _, id := range fleet.IDs {
		if _, ok := got[id]; !ok {
			t.Errorf("%s is missing", id)
		}
	}
	if _, ok := got["i-unknown"]; ok || len(got) != 250 {
		t.Errorf("got %d listings, i-unknown among them: %v", len(got), ok)
	}
}

func TestListingHoldsWhatTheRulesAsk(t *testing.T) {
	b := newBench(t)
	sound := b.seed(t, simecs.FleetSpec{Count: 1, Name: "a name", ResourceGroup: "rg-1", Tags: map[string]string{"team": "a"}}).IDs[0]
	odd := b.seed(t, simecs.FleetSpec{Count: 1, Network: "classic", Status: "Stopped", HTTPTokens: "optional", NoVTPM: true}).IDs[0]
	got, err := b.Listings(t.Context(), region, []string{sound, odd})
	if err != nil {
		t.Fatal(err)
	}
	l := got[sound]
	if l.Created.IsZero() || l.ImageID == "" || l.VPC == "" || l.VSwitch == "" {
		t.Errorf("the listing is incomplete: %+v", l)
	}
	_, vtpm := l.Tags[fleet.TagSupportVTPM]
	want := fleet.Listing{Status: "Running", Type: "ecs.g7t.large", Family: "ecs.g7t", Name: "a name", ResourceGroup: "rg-1",
		OSType: "linux", HTTPTokens: "required", StoppedMode: "Not-applicable"}
	have := fleet.Listing{Status: l.Status, Type: l.Type, Family: l.Family, Name: l.Name, ResourceGroup: l.ResourceGroup,
		OSType: l.OSType, HTTPTokens: l.HTTPTokens, StoppedMode: l.StoppedMode, Classic: l.Classic}
	if diff := cmp.Diff(want, have); diff != "" || !vtpm || l.Tags["team"] != "a" {
		t.Errorf("%s\ntags %v", diff, l.Tags)
	}
	if l := got[odd]; !l.Classic || l.Status != "Stopped" || l.HTTPTokens != "optional" || l.VPC != "" || len(l.Tags) != 0 {
		t.Errorf("got %+v", l)
	}
}

func TestFailedListingIsAnErrorAndNotAnEmptyRegion(t *testing.T) {
	b := newBench(t, simcloud.Fault{Product: "ecs", Kind: simcloud.Empty})
	got, err := b.Listings(t.Context(), region, []string{"i-1"})
	if got != nil || fleet.ClassOf(err) != fleet.Unavailable {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestListingsGoOnAfterAShortPage(t *testing.T) {
	client, _ := newClient(t, pages(t, map[string]string{
		"":  `{"RequestId":"R","NextToken":"n","Instances":{"Instance":[{"InstanceId":"i-1"}]}}`,
		"n": `{"RequestId":"R","Instances":{"Instance":[{"InstanceId":"i-2"}]}}`,
	}))
	got, err := client.Listings(t.Context(), region, []string{"i-1", "i-2"})
	if err != nil || len(got) != 2 {
		t.Errorf("got %v, %v, want both instances", got, err)
	}
}

// pages answers each request by its NextToken.
func pages(t *testing.T, answers map[string]string) (url string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[r.FormValue("NextToken")]))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestMetadataOptionsAreAskedFor(t *testing.T) {
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.FormValue("AdditionalAttributes.1")
		_, _ = w.Write([]byte(`{"RequestId":"R"}`))
	}))
	defer srv.Close()
	client, _ := newClient(t, srv.URL)
	if _, err := client.Listings(t.Context(), region, []string{"i-1"}); err != nil || asked != "META_OPTIONS" {
		t.Errorf("got %v, asked for %q: the cloud leaves them out otherwise", err, asked)
	}
}

func TestUnknownRegionIsInvalid(t *testing.T) {
	b := newBench(t)
	_, err := b.Listings(t.Context(), "moon-1", []string{"i-1"})
	if fleet.ClassOf(err) != fleet.Invalid {
		t.Errorf("got %v, want invalid: the instances may well be there", err)
	}
}
