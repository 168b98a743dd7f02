package server_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// page is an answer to DescribeInstances.
type page struct {
	RequestID string `json:"RequestId"`
	Code      string
	Instances struct{ Instance []struct{ InstanceID string } }
	NextToken string
}

func (p page) ids() (ids []string) {
	for _, i := range p.Instances.Instance {
		ids = append(ids, i.InstanceID)
	}
	return ids
}

// fleetOf starts a cloud with instances in the home region.
func fleetOf(t *testing.T, n int) (*server.Server, *caller, []string) {
	t.Helper()
	s := start(t, server.Options{})
	f, err := s.ECS.SeedFleet(ecs.FleetSpec{Count: n})
	if err != nil {
		t.Fatal(err)
	}
	return s, newCaller(t, s), f.IDs
}

func (c *caller) instances(token string) page {
	c.tb.Helper()
	var out page
	c.call(ecsAPI, "DescribeInstances", url.Values{"RegionId": {server.Home}, "MaxResults": {"10"}, "NextToken": {token}}, &out)
	return out
}

func plan(t *testing.T, s *server.Server, faults string) {
	t.Helper()
	if status, got := control(t, s, "POST", "faults", `{"faults":[`+faults+`]}`); status != 200 {
		t.Fatal(got)
	}
}

func TestAPageComesTwice(t *testing.T) {
	s, c, ids := fleetOf(t, 30)
	plan(t, s, `{"kind":"repeat-page","action":"DescribeInstances","region":"cn-hangzhou","count":1}`)
	first := c.instances("")
	again := c.instances(first.NextToken)
	if !slices.Equal(first.ids(), ids[:10]) || !slices.Equal(again.ids(), first.ids()) || again.NextToken != first.NextToken {
		t.Errorf("the second page is %v, want the first again", again.ids())
	}
	if again.RequestID == first.RequestID {
		t.Error("two answers have one request id")
	}
	second := c.instances(again.NextToken)
	third := c.instances(second.NextToken)
	if diff := cmp.Diff(ids[10:], append(second.ids(), third.ids()...)); diff != "" || third.NextToken != "" {
		t.Errorf("then the listing continues to its end: %s", diff)
	}
}

func TestARepeatedPageIsTheOneOfTheSameListing(t *testing.T) {
	s, c, _ := fleetOf(t, 30)
	plan(t, s, `{"kind":"repeat-page"}`)
	all := c.instances("")
	var stopped, next page
	q := url.Values{"RegionId": {server.Home}, "MaxResults": {"10"}, "Status": {"Stopped"}}
	c.call(ecsAPI, "DescribeInstances", q, &stopped)
	q.Set("NextToken", all.NextToken)
	c.call(ecsAPI, "DescribeInstances", q, &next)
	if len(next.ids()) != 0 {
		t.Errorf("a listing of stopped instances repeats %v of another", next.ids())
	}
	if again := c.instances(all.NextToken); !slices.Equal(again.ids(), all.ids()) {
		t.Errorf("got %v, want the page before", again.ids())
	}
}

func TestATokenExpires(t *testing.T) {
	s, c, _ := fleetOf(t, 30)
	plan(t, s, `{"kind":"expired-page","product":"ecs","count":1}`)
	first := c.instances("")
	if first.Code != "" {
		t.Fatalf("a call without a token got %s", first.Code)
	}
	if got := c.instances(first.NextToken).Code; got != "InvalidParameter.NextToken" {
		t.Errorf("the expired token got %q", got)
	}
	if got := c.instances(c.instances("").NextToken); len(got.ids()) != 10 {
		t.Errorf("a new listing got %q", got.Code)
	}
}

func TestARegionOrAnAccountIsDenied(t *testing.T) {
	s, c, _ := fleetOf(t, 1)
	ask := func(region string) string {
		var out struct{ Code string }
		return fmt.Sprint(c.call(ecsAPI, "DescribeInstances", url.Values{"RegionId": {region}}, &out), " ", out.Code)
	}
	for fault, want := range map[string][2]string{
		`{"kind":"deny","region":"cn-shanghai"}`:                              {"200 ", "403 Forbidden.RAM"},
		`{"kind":"deny","account":"1000000000000001"}`:                        {"403 Forbidden.RAM", "403 Forbidden.RAM"},
		`{"kind":"deny","account":"1000000000000002"}`:                        {"200 ", "200 "},
		`{"kind":"deny","account":"1000000000000001","region":"cn-hangzhou"}`: {"403 Forbidden.RAM", "200 "},
		`{"kind":"unavailable","region":"cn-shanghai"}`:                       {"200 ", "503 ServiceUnavailable"},
	} {
		plan(t, s, fault)
		if got := [2]string{ask(server.Home), ask(server.Another)}; got != want {
			t.Errorf("%s: got %q, want %q", fault, got, want)
		}
	}
}

func TestAMisspeltFaultIsRefused(t *testing.T) {
	s := start(t, server.Options{})
	for _, fault := range []string{`{"kind":"deny","regoin":"x"}`, `{"kind":"page-repeat"}`} {
		if status, _ := control(t, s, "POST", "faults", `{"faults":[`+fault+`]}`); status != 400 {
			t.Errorf("%s: got %d", fault, status)
		}
	}
}
