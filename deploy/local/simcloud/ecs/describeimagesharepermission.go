package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeImageSharePermissionRequest are the parameters of
// DescribeImageSharePermission.
type DescribeImageSharePermissionRequest struct {
	ImageId              string
	PageNumber, PageSize int
}

// DescribeImageSharePermissionResponse is a page of the accounts that an image is
// shared with by ModifyImageSharePermission.
type DescribeImageSharePermissionResponse struct {
	ImageId, RegionId string
	Accounts          struct{ Account []SharedAccount }
	ShareGroups       struct{ ShareGroup []ShareGroup }
	PageOf
}

// SharedAccount is an account that an image is shared with.
type SharedAccount struct{ AliyunId, SharedTime string }

// ShareGroup is a group of accounts: all, for a community image (assumed).
type ShareGroup struct{ Group string }

// DescribeImageSharePermission lists whom an image of one's own is shared with,
// 10 accounts a page by default and up to 100. It is asked for as image/<id>.
func (s *Service) DescribeImageSharePermission(c *wire.Call, in *DescribeImageSharePermissionRequest) (*DescribeImageSharePermissionResponse, error) {
	p, sp := paging{}.byNumber(in.PageNumber, in.PageSize, 10, 100), s.at(c)
	img := sp.images.Get(in.ImageId)
	if img == nil {
		return nil, noImage(in.ImageId)
	}
	out := &DescribeImageSharePermissionResponse{ImageId: img.id, RegionId: sp.region, PageOf: PageOf{len(img.shares), p.number, p.size}}
	out.Accounts.Account, out.ShareGroups.ShareGroup = []SharedAccount{}, []ShareGroup{}
	for n, x := range img.shares {
		if n/p.size == p.number-1 {
			out.Accounts.Account = append(out.Accounts.Account, SharedAccount{x.account, x.at.UTC().Format("2006-01-02T15:04:05Z")})
		}
	}
	if img.community {
		out.ShareGroups.ShareGroup = append(out.ShareGroups.ShareGroup, ShareGroup{"all"})
	}
	return out, nil
}
