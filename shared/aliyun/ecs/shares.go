package ecs

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

const (
	// maxSnapshotIDs is for DescribeSnapshots.
	maxSnapshotIDs = 100
	// sharePage is for DescribeImageSharePermission, at most 50 accounts an image.
	sharePage = 100
	// diskPage is for DescribeDisks.
	diskPage = 500
)

type regions struct {
	RequestID string `json:"RequestId"`
	Regions   struct {
		Region []struct {
			RegionID string `json:"RegionId"`
		} `json:"Region"`
	} `json:"Regions"`
}

// Regions lists the regions that the account can use, asking that of home.
func (c *Client) Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error) {
	got, err := aliyun.Do[sdk.DescribeRegionsRequest, regions](ctx, c.session, api(home, "DescribeRegions"), &sdk.DescribeRegionsRequest{})
	if err != nil {
		return nil, err
	}
	var out []fleet.Region
	for _, r := range got.Regions.Region {
		out = append(out, fleet.Region(r.RegionID))
	}
	return out, nil
}

type snapshots struct {
	RequestID string `json:"RequestId"`
	NextToken string `json:"NextToken"`
	Snapshots struct {
		Snapshot []struct {
			SnapshotID string `json:"SnapshotId"`
			Encrypted  bool   `json:"Encrypted"`
			KMSKeyID   string `json:"KMSKeyId"`
		} `json:"Snapshot"`
	} `json:"Snapshots"`
}

// Encryptions reads how snapshots are encrypted, with DescribeSnapshots at 100 ids a
// call. An id that is missing from the map was not found.
func (c *Client) Encryptions(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Encryption, error) {
	out := make(map[string]fleet.Encryption, len(ids))
	for part := range slices.Chunk(ids, maxSnapshotIDs) {
		req := &sdk.DescribeSnapshotsRequest{RegionId: new(string(region)), SnapshotIds: aliyun.List(part...), MaxResults: new(int32(maxSnapshotIDs))}
		for {
			page, err := aliyun.Do[sdk.DescribeSnapshotsRequest, snapshots](ctx, c.session, api(region, "DescribeSnapshots"), req)
			if err != nil {
				return nil, err
			}
			for _, s := range page.Snapshots.Snapshot {
				out[s.SnapshotID] = fleet.Encryption{Encrypted: s.Encrypted, Key: s.KMSKeyID}
			}
			if page.NextToken == "" {
				break
			}
			req.NextToken = &page.NextToken
		}
	}
	return out, nil
}

type ownImages struct {
	RequestID  string `json:"RequestId"`
	TotalCount int    `json:"TotalCount"`
	Images     struct {
		Image []struct {
			ImageID            string `json:"ImageId"`
			IsSelfShared       string `json:"IsSelfShared"`
			DiskDeviceMappings struct {
				DiskDeviceMapping []struct {
					SnapshotID string `json:"SnapshotId"`
					Encrypted  string `json:"Encrypted"`
				} `json:"DiskDeviceMapping"`
			} `json:"DiskDeviceMappings"`
		} `json:"Image"`
	} `json:"Images"`
}

// OwnImages lists the images of the account itself, with DescribeImages at 100 a page.
func (c *Client) OwnImages(ctx context.Context, region fleet.Region) ([]fleet.OwnImage, error) {
	var out []fleet.OwnImage
	for number := int32(1); ; number++ {
		page, err := aliyun.Do[sdk.DescribeImagesRequest, ownImages](ctx, c.session, api(region, "DescribeImages"), &sdk.DescribeImagesRequest{
			RegionId: new(string(region)), ImageOwnerAlias: new("self"), PageNumber: &number, PageSize: new(int32(maxImageIDs)),
			Status: new("Creating,Waiting,Available,UnAvailable,Deprecated"),
		})
		if err != nil {
			return nil, err
		}
		for _, i := range page.Images.Image {
			image := fleet.OwnImage{ID: i.ImageID, Shared: i.IsSelfShared == "true"}
			for _, m := range i.DiskDeviceMappings.DiskDeviceMapping {
				if m.Encrypted == "true" {
					image.Sealed = append(image.Sealed, m.SnapshotID)
				}
			}
			out = append(out, image)
		}
		if done, err := complete("images", len(out), len(page.Images.Image), page.TotalCount); done {
			return out, err
		}
	}
}

// complete reports whether a list has been read to its end. Pages may be shorter than
// requested, and an answer may omit the total. An empty page before the end means that
// resources may be missing.
func complete(what string, have, page, total int) (bool, error) {
	if page == 0 && have < total {
		return true, fmt.Errorf("listing %s: the pages hold %d of %d", what, have, total)
	}
	return page == 0 || total > 0 && have >= total, nil
}

type sharePermission struct {
	RequestID  string `json:"RequestId"`
	TotalCount int    `json:"TotalCount"`
	Accounts   struct {
		Account []struct {
			AliyunID string `json:"AliyunId"`
		} `json:"Account"`
	} `json:"Accounts"`
}

// ImageSharees lists the accounts that an image is shared with directly, with
// DescribeImageSharePermission.
func (c *Client) ImageSharees(ctx context.Context, region fleet.Region, image string) ([]fleet.AccountID, error) {
	var out []fleet.AccountID
	for number := int32(1); ; number++ {
		page, err := aliyun.Do[sdk.DescribeImageSharePermissionRequest, sharePermission](ctx, c.session, api(region, "DescribeImageSharePermission"),
			&sdk.DescribeImageSharePermissionRequest{RegionId: new(string(region)), ImageId: &image, PageNumber: &number, PageSize: new(int32(sharePage))})
		if err != nil {
			return nil, err
		}
		for _, a := range page.Accounts.Account {
			out = append(out, fleet.AccountID(a.AliyunID))
		}
		if done, err := complete("sharees of image "+image, len(out), len(page.Accounts.Account), page.TotalCount); done {
			return out, err
		}
	}
}

type sealedDisks struct {
	RequestID string `json:"RequestId"`
	NextToken string `json:"NextToken"`
	Disks     struct {
		Disk []struct {
			DiskID   string `json:"DiskId"`
			KMSKeyID string `json:"KMSKeyId"`
		} `json:"Disk"`
	} `json:"Disks"`
}

// DiskUnderOwnKey returns one disk that is encrypted with another key than ECS's service
// key; "" for none. A disk without a reported key counts as one with the service key.
func (c *Client) DiskUnderOwnKey(ctx context.Context, region fleet.Region, serviceKey string) (string, error) {
	req := &sdk.DescribeDisksRequest{RegionId: new(string(region)), Encrypted: new(true), MaxResults: new(int32(diskPage))}
	for {
		page, err := aliyun.Do[sdk.DescribeDisksRequest, sealedDisks](ctx, c.session, api(region, "DescribeDisks"), req)
		if err != nil {
			return "", err
		}
		for _, d := range page.Disks.Disk {
			if d.KMSKeyID != "" && d.KMSKeyID != serviceKey {
				return d.DiskID, nil
			}
		}
		if page.NextToken == "" {
			return "", nil
		}
		req.NextToken = &page.NextToken
	}
}
