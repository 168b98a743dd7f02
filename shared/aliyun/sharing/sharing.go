// Package sharing reads Resource Sharing (2020-01-10): which snapshots and images an
// account shares, and with whom. It changes nothing and decides nothing.
package sharing

import (
	"context"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls Resource Sharing for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

// The two sides of a resource share, as AssociationType names them.
const (
	resources = "Resource"
	targets   = "Target"
)

// pageSize is the largest page of associations.
const pageSize = 100

type noParameters struct{}

type regions struct {
	RequestID string `json:"RequestId"`
	Regions   []struct {
		RegionID string `json:"RegionId"`
	} `json:"Regions"`
}

// Regions lists the regions where Resource Sharing is served, with a call of home's
// DescribeRegions.
func (c *Client) Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error) {
	got, err := aliyun.Do[noParameters, regions](ctx, c.session,
		aliyun.API{Product: aliyun.ResourceSharing, Action: "DescribeRegions", Region: home}, &noParameters{})
	if err != nil {
		return nil, err
	}
	out := make([]fleet.Region, len(got.Regions))
	for i, r := range got.Regions {
		out[i] = fleet.Region(r.RegionID)
	}
	return out, nil
}

// Absent reports whether Resource Sharing is known not to be served in a region.
func (c *Client) Absent(region fleet.Region) bool { return aliyun.ResourceSharing.Absent(region) }

type request struct {
	AssociationType *string `json:"AssociationType,omitempty" xml:"AssociationType,omitempty"`
	MaxResults      *int32  `json:"MaxResults,omitempty" xml:"MaxResults,omitempty"`
	NextToken       *string `json:"NextToken,omitempty" xml:"NextToken,omitempty"`
}

type response struct {
	RequestID                 string        `json:"RequestId"`
	NextToken                 string        `json:"NextToken"`
	ResourceShareAssociations []association `json:"ResourceShareAssociations"`
}

type association struct {
	ResourceShareID   string `json:"ResourceShareId"`
	EntityID          string `json:"EntityId"`
	EntityType        string `json:"EntityType"`
	AssociationStatus string `json:"AssociationStatus"`
	UpdateTime        string `json:"UpdateTime"`
}

// stands reports whether the association exists, or was requested and not refused
// permanently: its owner retries one that failed for want of the share role.
func (a association) stands() bool {
	return a.AssociationStatus != "Disassociating" && a.AssociationStatus != "Disassociated"
}

// Shared lists the snapshots ([fleet.KindSnapshotShare]) and images
// ([fleet.KindImageShare]) of the account's resource shares in a region, also those whose
// association is not finished or has failed, with ListResourceShareAssociations: once for
// the resources, once for the sharees. Resources without a sharee are left out; Keys are
// not read.
func (c *Client) Shared(ctx context.Context, region fleet.Region) (map[fleet.Kind][]fleet.SharedResource, error) {
	found, err := c.associations(ctx, region, resources)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	with, err := c.associations(ctx, region, targets)
	if err != nil {
		return nil, err
	}
	sharees, changed := map[string][]fleet.Sharee{}, map[string]time.Time{}
	for _, a := range with {
		changed[a.ResourceShareID] = later(changed[a.ResourceShareID], a)
		if s, ok := fleet.ShareeOf(a.EntityID); ok && a.stands() {
			sharees[a.ResourceShareID] = append(sharees[a.ResourceShareID], s)
		}
	}
	out := map[fleet.Kind][]fleet.SharedResource{}
	at := map[string]int{}
	for _, a := range found {
		kind, ok := kinds[a.EntityType]
		if !ok || !a.stands() || len(sharees[a.ResourceShareID]) == 0 {
			continue
		}
		i, seen := at[a.EntityID]
		if !seen {
			i = len(out[kind])
			at[a.EntityID] = i
			out[kind] = append(out[kind], fleet.SharedResource{Region: region, ID: a.EntityID})
		}
		r := &out[kind][i]
		r.Sharees = append(r.Sharees, sharees[a.ResourceShareID]...)
		if t := later(changed[a.ResourceShareID], a); t.After(r.Changed) {
			r.Changed = t
		}
	}
	return out, nil
}

// kinds are the types of shared resources in Resource Sharing's spelling.
var kinds = map[string]fleet.Kind{"Snapshot": fleet.KindSnapshotShare, "Image": fleet.KindImageShare}

// later is the later of t and the association's last change.
func later(t time.Time, a association) time.Time {
	if at, err := time.Parse(time.RFC3339, a.UpdateTime); err == nil && at.After(t) {
		return at
	}
	return t
}

// associations reads one side to its end.
func (c *Client) associations(ctx context.Context, region fleet.Region, side string) ([]association, error) {
	var out []association
	req := &request{AssociationType: &side, MaxResults: new(int32(pageSize))}
	for {
		page, err := aliyun.Do[request, response](ctx, c.session,
			aliyun.API{Product: aliyun.ResourceSharing, Action: "ListResourceShareAssociations", Region: region}, req)
		if err != nil {
			return nil, err
		}
		out = append(out, page.ResourceShareAssociations...)
		if page.NextToken == "" {
			return out, nil
		}
		req.NextToken = &page.NextToken
	}
}
