package ecs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/dara"

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
	StartTime           string `json:"StartTime"`
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
		StoppedMode: i.StoppedMode, Created: parseTime(i.CreationTime), Started: parseTime(i.StartTime), Tags: make(map[string]string, len(i.Tags.Tag)),
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
		req := anyInstance(region)
		req.InstanceIds = aliyun.List(part...)
		if err := c.listings(ctx, req, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// listings reads to the end of the list, though one page should suffice: an instance on
// another page must not count as gone.
func (c *Client) listings(ctx context.Context, req *sdk.DescribeInstancesRequest, out map[string]fleet.Listing) error {
	for {
		page, err := c.instances(ctx, req)
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
	req := anyInstance(region)
	req.Filter = []*sdk.DescribeInstancesRequestFilter{{Key: new("CreationStartTime"), Value: new(since.UTC().Format(ecsTime))}}
	for {
		page, err := c.instances(ctx, req)
		if err != nil {
			return nil, err
		}
		for i := range page.Instances.Instance {
			if len(out) == limit {
				return out, nil
			}
			out[page.Instances.Instance[i].InstanceID] = page.Instances.Instance[i].listing()
		}
		// With tokens the total count is meaningless; an empty page ends it too.
		if page.NextToken == "" || len(page.Instances.Instance) == 0 {
			return out, nil
		}
		req.NextToken = &page.NextToken
	}
}

// Page reads one page of all instances of a region, at most 100, in the cloud's order,
// with DescribeInstances. token is "" for the first page, then the next of the page
// before; next is "" after the last page, and only then: a page may be short or empty
// and others follow. While the list is read, the fleet changes: an instance may stand
// on two pages.
func (c *Client) Page(ctx context.Context, s fleet.Scope, token string) (page []fleet.Instance, next string, err error) {
	return Some{Client: c}.Page(ctx, s, token)
}

// Some lists the instances with all of these tags and of this resource group; an empty one
// takes any.
type Some struct {
	*Client
	Tags  map[string]string
	Group string
}

// Page is [Client.Page].
func (c Some) Page(ctx context.Context, s fleet.Scope, token string) (page []fleet.Instance, next string, err error) {
	req := anyInstance(s.Region)
	req.NextToken, req.ResourceGroupId = aliyun.Optional(token), aliyun.Optional(c.Group)
	for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
		req.Tag = append(req.Tag, &sdk.DescribeInstancesRequestTag{Key: new(key), Value: aliyun.Optional(c.Tags[key])})
	}
	got, err := c.instances(ctx, req)
	if err != nil {
		return nil, "", err
	}
	page = make([]fleet.Instance, len(got.Instances.Instance))
	for i := range page {
		page[i] = fleet.Instance{
			Ref:    fleet.Ref{Scope: s, Kind: fleet.KindInstance, ID: got.Instances.Instance[i].InstanceID},
			Listed: fleet.See(got.Instances.Instance[i].listing()),
		}
	}
	return page, got.NextToken, nil
}

// anyInstance requests all fields of a listing, 100 instances a page.
func anyInstance(region fleet.Region) *sdk.DescribeInstancesRequest {
	return &sdk.DescribeInstancesRequest{
		RegionId:   new(string(region)),
		MaxResults: new(int32(maxInstanceIDs)), // the default page holds 10
		// MetadataOptions come only when asked for.
		AdditionalAttributes: []*string{new("META_OPTIONS")},
	}
}

// errCircle ends an endless list: the cloud named the page just read as the next one.
var errCircle = errors.New("the listing goes in circles: the next page is the one just read")

// instances reads one page.
func (c *Client) instances(ctx context.Context, req *sdk.DescribeInstancesRequest) (*instances, error) {
	page, err := aliyun.Do[sdk.DescribeInstancesRequest, instances](ctx, c.session, api(fleet.Region(*req.RegionId), "DescribeInstances"), req)
	if err != nil {
		return nil, err
	}
	if page.NextToken != "" && page.NextToken == dara.StringValue(req.NextToken) {
		return nil, fmt.Errorf("listing instances of %s: %w", *req.RegionId, errCircle)
	}
	return page, nil
}
