package ecs

import (
	"context"
	"slices"
	"time"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// instances is the part of DescribeInstances' answer that we read. The SDK's own
// struct has a hundred fields for each instance.
type instances struct {
	RequestID string `json:"RequestId"`
	NextToken string `json:"NextToken"`
	Instances struct {
		Instance []instance `json:"Instance"`
	} `json:"Instances"`
}

type instance struct {
	InstanceID          string `json:"InstanceId"`
	InstanceName        string `json:"InstanceName"`
	Status              string `json:"Status"`
	InstanceType        string `json:"InstanceType"`
	InstanceTypeFamily  string `json:"InstanceTypeFamily"`
	ImageID             string `json:"ImageId"`
	OSType              string `json:"OSType"`
	InstanceNetworkType string `json:"InstanceNetworkType"`
	ResourceGroupID     string `json:"ResourceGroupId"`
	StoppedMode         string `json:"StoppedMode"`
	CreationTime        string `json:"CreationTime"`
	VPCAttributes       struct {
		VPCID     string `json:"VpcId"`
		VSwitchID string `json:"VSwitchId"`
	} `json:"VpcAttributes"`
	MetadataOptions struct {
		HTTPTokens string `json:"HttpTokens"`
	} `json:"MetadataOptions"`
	Tags struct {
		Tag []struct {
			TagKey   string `json:"TagKey"`
			TagValue string `json:"TagValue"`
		} `json:"Tag"`
	} `json:"Tags"`
}

func (i *instance) listing() fleet.Listing {
	l := fleet.Listing{
		Status: i.Status, Type: i.InstanceType, Family: i.InstanceTypeFamily, ImageID: i.ImageID, Name: i.InstanceName,
		VPC: i.VPCAttributes.VPCID, VSwitch: i.VPCAttributes.VSwitchID, ResourceGroup: i.ResourceGroupID,
		Classic: i.InstanceNetworkType == "classic", OSType: i.OSType, HTTPTokens: i.MetadataOptions.HTTPTokens,
		StoppedMode: i.StoppedMode, Created: parseTime(i.CreationTime), Tags: make(map[string]string, len(i.Tags.Tag)),
	}
	for _, t := range i.Tags.Tag {
		l.Tags[t.TagKey] = t.TagValue
	}
	return l
}

// Listings reads instances by id with DescribeInstances, 100 ids a call. An id
// that is missing from the map was asked for and not found.
func (c *Client) Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	out := make(map[string]fleet.Listing, len(ids))
	for part := range slices.Chunk(ids, maxInstanceIDs) {
		list, err := idList(part)
		if err != nil {
			return nil, err
		}
		err = c.listings(ctx, &sdk.DescribeInstancesRequest{
			RegionId: new(string(region)), InstanceIds: list,
			MaxResults: new(int32(maxInstanceIDs)), // the default page holds 10
			// MetadataOptions come only when asked for.
			AdditionalAttributes: []*string{new("META_OPTIONS")},
		}, out)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// listings reads to the end of the list, though one page should hold all: what
// stands on another page must not be taken for gone.
func (c *Client) listings(ctx context.Context, req *sdk.DescribeInstancesRequest, out map[string]fleet.Listing) error {
	for {
		page, err := aliyun.Do[sdk.DescribeInstancesRequest, instances](ctx, c.session, api(fleet.Region(*req.RegionId), "DescribeInstances"), req)
		if err != nil {
			return err
		}
		for i := range page.Instances.Instance {
			out[page.Instances.Instance[i].InstanceID] = page.Instances.Instance[i].listing()
		}
		if page.NextToken == "" {
			return nil
		}
		req.NextToken = &page.NextToken
	}
}

// CreatedSince reads the instances that were created at or after since, to the
// minute, with DescribeInstances, 100 a page, at most limit of them.
func (c *Client) CreatedSince(ctx context.Context, region fleet.Region, since time.Time, limit int) (map[string]fleet.Listing, error) {
	out := map[string]fleet.Listing{}
	req := &sdk.DescribeInstancesRequest{
		RegionId: new(string(region)), MaxResults: new(int32(maxInstanceIDs)), AdditionalAttributes: []*string{new("META_OPTIONS")},
		Filter: []*sdk.DescribeInstancesRequestFilter{{Key: new("CreationStartTime"), Value: new(since.UTC().Format(ecsTime))}},
	}
	for {
		page, err := aliyun.Do[sdk.DescribeInstancesRequest, instances](ctx, c.session, api(region, "DescribeInstances"), req)
		if err != nil {
			return nil, err
		}
		for i := range page.Instances.Instance {
			if len(out) == limit {
				return out, nil
			}
			out[page.Instances.Instance[i].InstanceID] = page.Instances.Instance[i].listing()
		}
		// With tokens the total count means nothing; an empty page ends it too.
		if page.NextToken == "" || len(page.Instances.Instance) == 0 {
			return out, nil
		}
		req.NextToken = &page.NextToken
	}
}
