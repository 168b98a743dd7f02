package ecs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// RoleNames reads the RAM roles of instances with DescribeInstanceRamRole, 50 ids a call.
// An instance without a role may be missing from the answer or have an empty name in it;
// both give "".
func (c *Client) RoleNames(ctx context.Context, region fleet.Region, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for part := range slices.Chunk(ids, maxRoleIDs) {
		page, err := aliyun.Do[sdk.DescribeInstanceRamRoleRequest, sdk.DescribeInstanceRamRoleResponseBody](ctx, c.session,
			api(region, "DescribeInstanceRamRole"), &sdk.DescribeInstanceRamRoleRequest{
				RegionId: new(string(region)), InstanceIds: aliyun.List(part...),
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
		if total := int(dara.Int32Value(page.TotalCount)); total > len(sets) {
			return nil, fmt.Errorf("reading the roles of instances: the answer holds %d of %d", len(sets), total)
		}
		for _, set := range sets {
			out[dara.StringValue(set.InstanceId)] = dara.StringValue(set.RamRoleName)
		}
	}
	return out, nil
}

// maxUsers is how many instances of a role are read.
const maxUsers = 1000

// RoleUsers reads the instances of a region that have a role, with DescribeInstanceRamRole, 50
// a page, and DescribeInstances. One that was released meanwhile is left out. It is an error if
// they are more than 1000, or changed while the pages were read.
func (c *Client) RoleUsers(ctx context.Context, region fleet.Region, role string) (map[string]fleet.Listing, error) {
	ids := map[string]bool{} // a page may repeat one of the page before
	for n := int32(1); ; n++ {
		page, err := aliyun.Do[sdk.DescribeInstanceRamRoleRequest, sdk.DescribeInstanceRamRoleResponseBody](ctx, c.session,
			api(region, "DescribeInstanceRamRole"), &sdk.DescribeInstanceRamRoleRequest{
				RegionId: new(string(region)), RamRoleName: &role, PageNumber: &n, PageSize: new(int32(maxRoleIDs)),
			})
		if err != nil {
			return nil, err
		}
		total := int(dara.Int32Value(page.TotalCount))
		if total > maxUsers {
			return nil, fmt.Errorf("%d instances of %s have the role %s, and at most %d are read", total, region, role, maxUsers)
		}
		read := len(ids)
		if page.InstanceRamRoleSets != nil {
			for _, set := range page.InstanceRamRoleSets.InstanceRamRoleSet {
				ids[dara.StringValue(set.InstanceId)] = true
			}
		}
		switch {
		case len(ids) >= total:
			return c.Listings(ctx, region, slices.Sorted(maps.Keys(ids)))
		case len(ids) == read:
			return nil, fmt.Errorf("reading the instances of %s that have the role %s: the answers hold %d of %d", region, role, len(ids), total)
		}
	}
}

// AttachRole attaches role to instances, at most 100 a call, with AttachInstanceRamRole. An
// HTTP 200 can carry failures of single instances: the map has an answer for each id that
// the cloud mentioned. "200" alone means success; the documented sample of a success lacks
// the Success field.
func (c *Client) AttachRole(ctx context.Context, region fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	return inBatch(ctx, c, region, "AttachInstanceRamRole", &sdk.AttachInstanceRamRoleRequest{
		RegionId: new(string(region)), InstanceIds: aliyun.List(ids...), RamRoleName: &role,
	})
}

// DetachRole detaches role from instances, at most 100 a call, with
// DetachInstanceRamRole. Answers are as for [Client.AttachRole].
func (c *Client) DetachRole(ctx context.Context, region fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	return inBatch(ctx, c, region, "DetachInstanceRamRole", &sdk.DetachInstanceRamRoleRequest{
		RegionId: new(string(region)), InstanceIds: aliyun.List(ids...), RamRoleName: &role,
	})
}

// batch is the answer of a call for several instances: one entry for each, in the place that
// the API has for them.
type batch struct {
	RequestID string `json:"RequestId"`
	Attached  struct {
		Entries []entry `json:"AttachInstanceRamRoleResult"`
	} `json:"AttachInstanceRamRoleResults"`
	Detached struct {
		Entries []entry `json:"DetachInstanceRamRoleResult"`
	} `json:"DetachInstanceRamRoleResults"`
	Powered struct {
		Entries []entry `json:"InstanceResponse"`
	} `json:"InstanceResponses"`
}

type entry struct {
	InstanceID string `json:"InstanceId"`
	Code       string `json:"Code"`
	Message    string `json:"Message"`
}

// inBatch makes a call for several instances and returns the answer of each.
func inBatch[Req any](ctx context.Context, c *Client, region fleet.Region, action string, req *Req) (map[string]fleet.BatchAnswer, error) {
	resp, err := aliyun.Do[Req, batch](ctx, c.session, write(region, action), req)
	if err != nil {
		return nil, err
	}
	out := map[string]fleet.BatchAnswer{}
	for _, e := range slices.Concat(resp.Attached.Entries, resp.Detached.Entries, resp.Powered.Entries) {
		out[e.InstanceID] = answer(action, e.Code, e.Message, resp.RequestID)
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
