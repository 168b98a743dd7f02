package ecs

import (
	"context"
	"fmt"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// maxDiskPage is the largest page of DescribeDisks by token.
const maxDiskPage = 500

// SystemDiskPage reads one page of a region's system disks, at most 500, with
// DescribeDisks; only those of one category unless it is "". An unattached disk has no
// Instance. token and next are as for [Client.Page].
func (c *Client) SystemDiskPage(ctx context.Context, region fleet.Region, category, token string) (page []fleet.SystemDisk, next string, err error) {
	req := allSystemDisks(region, category)
	req.MaxResults, req.NextToken = new(int32(maxDiskPage)), aliyun.Optional(token)
	got, err := aliyun.Do[sdk.DescribeDisksRequest, disks](ctx, c.session, api(region, "DescribeDisks"), req)
	switch {
	case err != nil:
		return nil, "", err
	case token != "" && got.NextToken == token:
		return nil, "", fmt.Errorf("listing disks of %s: %w", region, errCircle)
	}
	for _, d := range got.Disks.Disk {
		if d.Type == "system" {
			page = append(page, fleet.SystemDisk{Instance: d.InstanceID, Category: d.Category})
		}
	}
	return page, got.NextToken, nil
}

// CountSystemDisks counts a region's system disks, attached or not, with DescribeDisks;
// only those of one category unless it is "".
func (c *Client) CountSystemDisks(ctx context.Context, region fleet.Region, category string) (int, error) {
	return c.countDisks(ctx, allSystemDisks(region, category))
}

// CountLooseSystemDisks counts a region's unattached system disks.
func (c *Client) CountLooseSystemDisks(ctx context.Context, region fleet.Region) (int, error) {
	req := allSystemDisks(region, "")
	req.Status = new("Available")
	return c.countDisks(ctx, req)
}

// countDisks requests no page, as CountInstances does: with MaxResults or NextToken the
// TotalCount is meaningless, and PageNumber and PageSize are announced for removal (field
// comments of DescribeDisks and DescribeInstances). The answer has the first ten.
func (c *Client) countDisks(ctx context.Context, req *sdk.DescribeDisksRequest) (int, error) {
	got, err := aliyun.Do[sdk.DescribeDisksRequest, disks](ctx, c.session, api(fleet.Region(*req.RegionId), "DescribeDisks"), req)
	if err != nil {
		return 0, err
	}
	return counted("disks", got.TotalCount, len(got.Disks.Disk))
}

// CountInstances counts a region's instances, with DescribeInstances.
func (c *Client) CountInstances(ctx context.Context, region fleet.Region) (int, error) {
	type count struct {
		RequestID  string `json:"RequestId"`
		TotalCount int    `json:"TotalCount"`
		Instances  struct {
			Instance []struct{} `json:"Instance"`
		} `json:"Instances"`
	}
	got, err := aliyun.Do[sdk.DescribeInstancesRequest, count](ctx, c.session, api(region, "DescribeInstances"),
		&sdk.DescribeInstancesRequest{RegionId: new(string(region))})
	if err != nil {
		return 0, err
	}
	return counted("instances", got.TotalCount, len(got.Instances.Instance))
}

// counted is a total that the first page does not contradict.
func counted(what string, total, shown int) (int, error) {
	if total < shown {
		return 0, fmt.Errorf("counting %s: the answer shows %d and counts %d", what, shown, total)
	}
	return total, nil
}

func allSystemDisks(region fleet.Region, category string) *sdk.DescribeDisksRequest {
	return &sdk.DescribeDisksRequest{RegionId: new(string(region)), DiskType: new("system"), Category: aliyun.Optional(category)}
}
