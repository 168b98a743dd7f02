package ecs

import (
	"context"
	"slices"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// maxTagged is for TagResources and UntagResources.
const maxTagged = 50

// Tag sets one tag on instances with TagResources, 50 a call. An existing one gets the new
// value.
func (c *Client) Tag(ctx context.Context, region fleet.Region, key, value string, ids []string) error {
	for part := range slices.Chunk(ids, maxTagged) {
		_, err := aliyun.Do[sdk.TagResourcesRequest, sdk.TagResourcesResponseBody](ctx, c.session, write(region, "TagResources"),
			&sdk.TagResourcesRequest{
				RegionId: new(string(region)), ResourceType: new("instance"), ResourceId: dara.StringSlice(part),
				Tag: []*sdk.TagResourcesRequestTag{{Key: &key, Value: &value}},
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// Stop stops running instances with StopInstances, at most 100 a call: gently, and
// without giving up their resources. Where economical mode is on for the account,
// leaving StoppedMode out would mean StopCharging.
func (c *Client) Stop(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error) {
	return inBatch(ctx, c, region, "StopInstances", &sdk.StopInstancesRequest{
		RegionId: new(string(region)), InstanceId: dara.StringSlice(ids),
		StoppedMode: new("KeepCharging"), ForceStop: new(false),
		BatchOptimization: new("SuccessFirst"), // one that cannot be stopped does not block the others
	})
}

// Untag removes one tag from instances with UntagResources, 50 a call, whatever its value.
// Instances without it are unchanged.
func (c *Client) Untag(ctx context.Context, region fleet.Region, key string, ids []string) error {
	for part := range slices.Chunk(ids, maxTagged) {
		_, err := aliyun.Do[sdk.UntagResourcesRequest, sdk.UntagResourcesResponseBody](ctx, c.session, write(region, "UntagResources"),
			&sdk.UntagResourcesRequest{
				RegionId: new(string(region)), ResourceType: new("instance"), ResourceId: dara.StringSlice(part), TagKey: []*string{&key},
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// Start starts stopped instances with StartInstances, at most 100 a call. Answers are as
// for [Client.Stop].
func (c *Client) Start(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error) {
	return inBatch(ctx, c, region, "StartInstances", &sdk.StartInstancesRequest{
		RegionId: new(string(region)), InstanceId: dara.StringSlice(ids),
		BatchOptimization: new("SuccessFirst"), // one that cannot be started does not block the others
	})
}
