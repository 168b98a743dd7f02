package ecs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// RoleNames reads the RAM roles of instances with DescribeInstanceRamRole, 50 ids a call.
// An instance without a role may be missing from the answer or have an empty name in it;
// both give "".
func (c *Client) RoleNames(ctx context.Context, region fleet.Region, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for part := range slices.Chunk(ids, maxRoleIDs) {
		list, err := idList(part)
		if err != nil {
			return nil, err
		}
		page, err := aliyun.Do[sdk.DescribeInstanceRamRoleRequest, sdk.DescribeInstanceRamRoleResponseBody](ctx, c.session,
			api(region, "DescribeInstanceRamRole"), &sdk.DescribeInstanceRamRoleRequest{
				RegionId: new(string(region)), InstanceIds: list,
				PageSize: new(int32(maxRoleIDs)), // the default page holds 10
			})
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			out[id] = ""
		}
		if page.InstanceRamRoleSets == nil {
			continue
		}
		sets := page.InstanceRamRoleSets.InstanceRamRoleSet
		if total := int(deref(page.TotalCount)); total > len(sets) {
			return nil, fmt.Errorf("reading the roles of instances: the answer holds %d of %d", len(sets), total)
		}
		for _, set := range sets {
			out[deref(set.InstanceId)] = deref(set.RamRoleName)
		}
	}
	return out, nil
}

// AttachRole attaches role to instances, at most 100 a call, with AttachInstanceRamRole. An
// HTTP 200 can carry failures of single instances: the map has an answer for each id that
// the cloud mentioned. "200" alone means success; the documented sample of a success lacks
// the Success field.
func (c *Client) AttachRole(ctx context.Context, region fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	resp, err := aliyun.Do[sdk.AttachInstanceRamRoleRequest, sdk.AttachInstanceRamRoleResponseBody](ctx, c.session,
		write(region, "AttachInstanceRamRole"), &sdk.AttachInstanceRamRoleRequest{
			RegionId: new(string(region)), InstanceIds: list, RamRoleName: &role,
		})
	if err != nil {
		return nil, err
	}
	out := make(map[string]fleet.BatchAnswer, len(ids))
	if resp.AttachInstanceRamRoleResults != nil {
		for _, r := range resp.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult {
			out[deref(r.InstanceId)] = answer("AttachInstanceRamRole", deref(r.Code), deref(r.Message), deref(resp.RequestId))
		}
	}
	return out, nil
}

// DetachRole detaches role from instances, at most 100 a call, with
// DetachInstanceRamRole. Answers are as for [Client.AttachRole].
func (c *Client) DetachRole(ctx context.Context, region fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	resp, err := aliyun.Do[sdk.DetachInstanceRamRoleRequest, sdk.DetachInstanceRamRoleResponseBody](ctx, c.session,
		write(region, "DetachInstanceRamRole"), &sdk.DetachInstanceRamRoleRequest{
			RegionId: new(string(region)), InstanceIds: list, RamRoleName: &role,
		})
	if err != nil {
		return nil, err
	}
	out := make(map[string]fleet.BatchAnswer, len(ids))
	if resp.DetachInstanceRamRoleResults != nil {
		for _, r := range resp.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult {
			out[deref(r.InstanceId)] = answer("DetachInstanceRamRole", deref(r.Code), deref(r.Message), deref(resp.RequestId))
		}
	}
	return out, nil
}

// answer reads one entry of a batch answer. Its code is both the HTTP status and the error
// code.
func answer(action, code, message, requestID string) fleet.BatchAnswer {
	if code == "200" || strings.EqualFold(code, "success") {
		return fleet.BatchAnswer{RequestID: requestID}
	}
	return fleet.BatchAnswer{RequestID: requestID, Err: aliyun.NewError("ecs:"+action, 200, code, message, requestID, true)}
}
