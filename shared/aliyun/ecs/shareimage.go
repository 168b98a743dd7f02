package ecs

import (
	"context"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// ShareImage shares an image of the account with others, at most 10, with
// ModifyImageSharePermission: ECS ignores further ones without a word.
func (c *Client) ShareImage(ctx context.Context, region fleet.Region, image string, with []fleet.AccountID) error {
	accounts := make([]string, len(with))
	for i, id := range with {
		accounts[i] = string(id)
	}
	_, err := aliyun.Do[sdk.ModifyImageSharePermissionRequest, sdk.ModifyImageSharePermissionResponseBody](ctx, c.session,
		write(region, "ModifyImageSharePermission"), &sdk.ModifyImageSharePermissionRequest{
			RegionId: new(string(region)), ImageId: &image, AddAccount: pointers(accounts),
		})
	return err
}
