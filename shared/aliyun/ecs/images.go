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

// maxImageIDs is for DescribeImages: its page holds at most 100.
const maxImageIDs = 100

// images is the part of DescribeImages' answer that we read.
type images struct {
	RequestID  string `json:"RequestId"`
	TotalCount int    `json:"TotalCount"`
	Images     struct {
		Image []struct {
			ImageID         string `json:"ImageId"`
			ImageOwnerAlias string `json:"ImageOwnerAlias"`
			BootMode        string `json:"BootMode"`
		} `json:"Image"`
	} `json:"Images"`
}

// Images reads images by id with DescribeImages, 100 a call, expired public ones too. An id
// missing from the answer is returned with Gone set.
func (c *Client) Images(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Image, error) {
	out := make(map[string]fleet.Image, len(ids))
	for part := range slices.Chunk(ids, maxImageIDs) {
		page, err := aliyun.Do[sdk.DescribeImagesRequest, images](ctx, c.session, api(region, "DescribeImages"), &sdk.DescribeImagesRequest{
			RegionId: new(string(region)), ImageId: new(strings.Join(part, ",")),
			ShowExpired: new(true), PageSize: new(int32(maxImageIDs)),
			Status: new("Creating,Waiting,Available,UnAvailable,CreateFailed,Deprecated"),
		})
		if err != nil {
			return nil, err
		}
		if n := len(page.Images.Image); page.TotalCount > n {
			return nil, fmt.Errorf("reading images: the answer holds %d of %d", n, page.TotalCount)
		}
		for _, id := range part {
			out[id] = fleet.Image{ID: id, Gone: true}
		}
		for _, i := range page.Images.Image {
			out[i.ImageID] = fleet.Image{ID: i.ImageID, Owner: i.ImageOwnerAlias, BootMode: i.BootMode}
		}
	}
	return out, nil
}
