package ecs

import (
	"context"
	"slices"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

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
				RegionId: new(string(region)), ResourceType: new("instance"), ResourceId: pointers(part),
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
	resp, err := aliyun.Do[sdk.StopInstancesRequest, sdk.StopInstancesResponseBody](ctx, c.session, write(region, "StopInstances"),
		&sdk.StopInstancesRequest{
			RegionId: new(string(region)), InstanceId: pointers(ids),
			StoppedMode: new("KeepCharging"), ForceStop: new(false),
			BatchOptimization: new("SuccessFirst"), // one that cannot be stopped does not block the others
		})
	if err != nil {
		return nil, err
	}
	out := make(map[string]fleet.BatchAnswer, len(ids))
	if resp.InstanceResponses != nil {
		for _, r := range resp.InstanceResponses.InstanceResponse {
			out[deref(r.InstanceId)] = answer("StopInstances", deref(r.Code), deref(r.Message), deref(resp.RequestId))
		}
	}
	return out, nil
}

// Untag removes one tag from instances with UntagResources, 50 a call, whatever its value.
// Instances without it are unchanged.
func (c *Client) Untag(ctx context.Context, region fleet.Region, key string, ids []string) error {
	for part := range slices.Chunk(ids, maxTagged) {
		_, err := aliyun.Do[sdk.UntagResourcesRequest, sdk.UntagResourcesResponseBody](ctx, c.session, write(region, "UntagResources"),
			&sdk.UntagResourcesRequest{
				RegionId: new(string(region)), ResourceType: new("instance"), ResourceId: pointers(part), TagKey: []*string{&key},
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
	resp, err := aliyun.Do[sdk.StartInstancesRequest, sdk.StartInstancesResponseBody](ctx, c.session, write(region, "StartInstances"),
		&sdk.StartInstancesRequest{
			RegionId: new(string(region)), InstanceId: pointers(ids),
			BatchOptimization: new("SuccessFirst"), // one that cannot be started does not block the others
		})
	if err != nil {
		return nil, err
	}
	out := make(map[string]fleet.BatchAnswer, len(ids))
	if resp.InstanceResponses != nil {
		for _, r := range resp.InstanceResponses.InstanceResponse {
			out[deref(r.InstanceId)] = answer("StartInstances", deref(r.Code), deref(r.Message), deref(resp.RequestId))
		}
	}
	return out, nil
}

func pointers(ids []string) []*string {
	out := make([]*string, len(ids))
	for i := range ids {
		out[i] = &ids[i]
	}
	return out
}
