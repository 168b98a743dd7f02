package conformance_test

import (
	"errors"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud/server"
)

// The SDK itself reads, from the header of a throttled call, when to come again;
// at that time, and not before, the call goes through.
func TestTheSDKLearnsWhenAThrottledCallGoesThrough(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.pass(15 * time.Second)
	if status := c.control("POST", "quotas", `{"quotas":[{"product":"ecs","action":"DescribeInstances","calls":1,"windowSeconds":60}]}`, nil); status != 200 {
		t.Fatal(status)
	}
	api := ecsClient(t, c.URL(), "local")
	api.DisableSDKError = tea.Bool(true) // otherwise the SDK drops what it has read
	list := func(region string) error {
		_, err := api.DescribeInstances(&ecssdk.DescribeInstancesRequest{RegionId: &region})
		return err
	}
	c.ok(list(server.Home))
	c.ok(list(server.Another)) // each region has its own
	var throttled *openapi.ThrottlingError
	if err := list(server.Home); !errors.As(err, &throttled) {
		t.Fatalf("got %v, want to be throttled", err)
	}
	if code := tea.StringValue(throttled.Code); code != "Throttling.User" {
		t.Errorf("the code is %s", code)
	}
	left := time.Duration(tea.Int64Value(throttled.RetryAfter)) * time.Millisecond
	if left != 45*time.Second {
		t.Errorf("it is to be tried again in %s, want 45s", left)
	}
	c.pass(left - time.Millisecond)
	if err := list(server.Home); !errors.As(err, &throttled) {
		t.Errorf("a moment before, it got %v", err)
	}
	c.pass(time.Millisecond)
	c.ok(list(server.Home))
}
