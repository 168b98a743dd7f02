package server_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
)

// askedFour asks four times and answers the codes.
func askedFour(c *caller, version, action string) (codes []string) {
	for range 4 {
		var out struct{ Code string }
		c.call(version, action, url.Values{"RegionId": {server.Home}}, &out)
		codes = append(codes, out.Code)
	}
	return codes
}

func TestQuotasCountPerVirtualMinuteAndAPI(t *testing.T) {
	s, c, _ := fleetOf(t, 1)
	status, got := control(t, s, "POST", "quotas", `{"quotas":[{"product":"ecs","action":"DescribeInstances","calls":3,"windowSeconds":60}]}`)
	if status != 200 || fmt.Sprint(got["quotas"]) != "1" {
		t.Fatalf("got %d %v", status, got)
	}
	want := []string{"", "", "", "Throttling.User"}
	if got := askedFour(c, ecsAPI, "DescribeInstances"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := askedFour(c, ecsAPI, "DescribeRegions"); slices.Contains(got, "Throttling.User") {
		t.Errorf("another API got %q", got)
	}
	control(t, s, "POST", "advance", `{"by":"1m"}`)
	if got := askedFour(c, ecsAPI, "DescribeInstances"); !slices.Equal(got, want) {
		t.Errorf("a minute later: %q", got)
	}
	control(t, s, "POST", "quotas", `{}`)
	if got := askedFour(c, ecsAPI, "DescribeInstances"); slices.Contains(got, "Throttling.User") {
		t.Errorf("without quotas: %q", got)
	}
}

func TestPublishedQuotasComeAfterOnesOwn(t *testing.T) {
	s, c, _ := fleetOf(t, 1)
	_, got := control(t, s, "POST", "quotas", `{"published":true,"quotas":[{"product":"actiontrail","calls":3,"windowSeconds":1}]}`)
	if want := len(wire.PublishedQuotas()) + 1; fmt.Sprint(got["quotas"]) != fmt.Sprint(want) {
		t.Errorf("got %v quotas, want %d", got["quotas"], want)
	}
	const trailAPI = "2020-07-06"
	if got := askedFour(c, trailAPI, "LookupEvents"); !slices.Equal(got, []string{"", "", "", "Throttling.User"}) {
		t.Errorf("with one's own: %q", got)
	}
	control(t, s, "POST", "quotas", `{"published":true}`)
	if got := askedFour(c, trailAPI, "LookupEvents"); !slices.Equal(got, []string{"", "", "Throttling.User", "Throttling.User"}) {
		t.Errorf("with the published ones, two a second: %q", got)
	}
}

func TestQuotasThatCannotBeAreRefused(t *testing.T) {
	s := start(t, server.Options{})
	for _, body := range []string{
		`{"quotas":[{"product":"esc","calls":1,"windowSeconds":60}]}`,
		`{"quotas":[{"product":"ecs","action":"DescribeInstance","calls":1,"windowSeconds":60}]}`,
		`{"quotas":[{"action":"DescribeInstances","calls":1,"windowSeconds":60}]}`,
		`{"quotas":[{"product":"ecs","calls":1}]}`,
		`{"quotas":[{"product":"ecs","calls":-1,"windowSeconds":60}]}`,
		`{"quotas":"published"}`, `{"publish":true}`,
	} {
		if status, got := control(t, s, "POST", "quotas", body); status != 400 || got["error"] == "" {
			t.Errorf("%s: got %d %v", body, status, got)
		}
	}
}
