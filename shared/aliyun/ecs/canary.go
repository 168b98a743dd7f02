package ecs

import (
	"context"
	"errors"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Canary asks for a dry run of a launch that cannot launch anything, with RunInstances. It
// succeeds when the launch was refused, by ECS or by RAM, which the trail records; its error is
// that of a call that did not come to that.
func (c *Client) Canary(ctx context.Context, region fleet.Region, token string) error {
	_, err := aliyun.Do[sdk.RunInstancesRequest, sdk.RunInstancesResponseBody](ctx, c.session,
		aliyun.API{Product: aliyun.ECS, Action: "RunInstances", Region: region},
		&sdk.RunInstancesRequest{
			RegionId: new(string(region)), ImageId: new(fleet.CanaryImage), InstanceType: new("ecs.t6-c1m1.large"), Amount: new(int32(1)),
			DryRun: new(true), ClientToken: &token,
		})
	switch {
	case err == nil:
		return errors.New("a dry run of an image that does not exist was accepted")
	case fleet.ClassOf(err).Passing():
		return err
	}
	return nil
}
