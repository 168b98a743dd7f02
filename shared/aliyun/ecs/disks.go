package ecs

import (
	"context"
	"slices"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// disks is the part of DescribeDisks' answer that we read.
type disks struct {
	RequestID string `json:"RequestId"`
	NextToken string `json:"NextToken"`
	// TotalCount counts only where pages are asked for by number.
	TotalCount int `json:"TotalCount"`
	Disks      struct {
		Disk []struct {
			DiskID     string `json:"DiskId"`
			InstanceID string `json:"InstanceId"`
			Type       string `json:"Type"`
			Category   string `json:"Category"`
		} `json:"Disk"`
	} `json:"Disks"`
}

// SystemDisksByID returns the categories of those system disks among diskIDs that
// are attached, by instance id, with DescribeDisks at 100 ids a call.
func (c *Client) SystemDisksByID(ctx context.Context, region fleet.Region, diskIDs []string) (map[string]string, error) {
	out := map[string]string{}
	for part := range slices.Chunk(diskIDs, maxDiskIDs) {
		err := c.systemDisks(ctx, &sdk.DescribeDisksRequest{RegionId: new(string(region)), DiskIds: aliyun.List(part...), MaxResults: new(int32(maxDiskIDs))}, out)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SystemDiskOf returns the category of one instance's system disk, or "" when the
// cloud shows none. DescribeDisks takes only one instance a call.
func (c *Client) SystemDiskOf(ctx context.Context, region fleet.Region, instanceID string) (string, error) {
	out := map[string]string{}
	err := c.systemDisks(ctx, &sdk.DescribeDisksRequest{
		RegionId: new(string(region)), InstanceId: &instanceID, DiskType: new("system"), MaxResults: new(int32(10)),
	}, out)
	return out[instanceID], err
}

func (c *Client) systemDisks(ctx context.Context, req *sdk.DescribeDisksRequest, out map[string]string) error {
	page, err := aliyun.Do[sdk.DescribeDisksRequest, disks](ctx, c.session, api(fleet.Region(*req.RegionId), "DescribeDisks"), req)
	if err != nil {
		return err
	}
	for _, d := range page.Disks.Disk {
		if d.Type == "system" && d.InstanceID != "" {
			out[d.InstanceID] = d.Category
		}
	}
	return nil
}
