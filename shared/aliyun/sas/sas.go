// Package sas reads Security Center (Sas, 2018-12-03) in fleet values: the agents of
// instances, and the codes that install them. It decides nothing.
//
// DescribeCloudCenterInstances has our own response struct: that of the typed SDK in use
// drops ClientSubStatus, which distinguishes "offline" from "not installed".
package sas

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/sas-20181203/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// PageSize is the number of machines per page. The documentation of
// DescribeCloudCenterInstances gives the default, 20, and no maximum: 100 is an assumption.
// If the cloud's pages are smaller, they are followed to their end, and a fleet costs a
// call for each of its pages.
const PageSize = 100

// Client calls Security Center for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

func api(region fleet.Region, action string) aliyun.API {
	return aliyun.API{Product: aliyun.SAS, Action: action, Region: region}
}

func write(region fleet.Region, action string) aliyun.API {
	return aliyun.API{Product: aliyun.SAS, Action: action, Region: region, Write: true}
}

type machines struct {
	RequestID string `json:"RequestId"`
	Instances []struct {
		InstanceID      string `json:"InstanceId"`
		ClientStatus    string `json:"ClientStatus"`
		ClientSubStatus string `json:"ClientSubStatus"`
		// LastLoginTimestamp is when the agent was last online, in Unix milliseconds.
		LastLoginTimestamp int64 `json:"LastLoginTimestamp"`
	} `json:"Instances"`
	PageInfo struct {
		TotalCount int `json:"TotalCount"`
	} `json:"PageInfo"`
}

// criterion is one condition of a search; names are case-sensitive.
type criterion struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Agents reads the agents of instances by id. An instance that Security Center does
// not list is missing from the map.
func (c *Client) Agents(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Agent, error) {
	out := make(map[string]fleet.Agent, len(ids))
	for part := range slices.Chunk(ids, PageSize) {
		criteria := make([]criterion, len(part))
		for i, id := range part {
			criteria[i] = criterion{"instanceId", id}
		}
		if err := c.search(ctx, region, criteria, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// search follows the pages of one search to their end.
func (c *Client) search(ctx context.Context, region fleet.Region, criteria []criterion, out map[string]fleet.Agent) error {
	for page, seen := int32(1), 0; ; page++ {
		got, err := aliyun.Do[sdk.DescribeCloudCenterInstancesRequest, machines](ctx, c.session, api(region, "DescribeCloudCenterInstances"),
			&sdk.DescribeCloudCenterInstancesRequest{
				Criteria: aliyun.List(criteria...), LogicalExp: new("OR"), MachineTypes: new("ecs"),
				PageSize: new(int32(PageSize)), CurrentPage: &page, NoGroupTrace: new(true), Lang: new("en"),
			})
		if err != nil {
			return err
		}
		for _, m := range got.Instances {
			a := fleet.Agent{Known: true, Status: m.ClientStatus, Sub: m.ClientSubStatus}
			if m.LastLoginTimestamp > 0 {
				a.LastOnline = time.UnixMilli(m.LastLoginTimestamp).UTC()
			}
			out[m.InstanceID] = a
		}
		switch seen += len(got.Instances); {
		case seen >= got.PageInfo.TotalCount:
			return nil
		case len(got.Instances) == 0: // the missing ones may be listed all the same
			return fmt.Errorf("listing machines of Security Center: the pages hold %d of %d", seen, got.PageInfo.TotalCount)
		}
	}
}

type edition struct {
	RequestID string `json:"RequestId"`
	Version   *int   `json:"Version"`
}

// Edition reads the edition, with DescribeVersionConfig: 1 is Basic, which is free, and
// greater numbers are editions that are bought.
func (c *Client) Edition(ctx context.Context, region fleet.Region) (int, error) {
	type none struct{}
	got, err := aliyun.Do[none, edition](ctx, c.session, api(region, "DescribeVersionConfig"), &none{})
	switch {
	case err != nil:
		return 0, err
	case got.Version == nil:
		return 0, errors.New("reading Security Center's edition: the answer has none")
	}
	return *got.Version, nil
}

// Refresh refreshes Security Center's asset list, with RefreshAssets.
func (c *Client) Refresh(ctx context.Context, region fleet.Region) error {
	_, err := aliyun.Do[sdk.RefreshAssetsRequest, sdk.RefreshAssetsResponseBody](ctx, c.session, write(region, "RefreshAssets"),
		&sdk.RefreshAssetsRequest{AssetType: new("ecs"), Vendor: new(int32(0))})
	return err
}

// InstallCodes lists the account's install codes with DescribeInstallCodes: 10 calls a
// second for an account.
func (c *Client) InstallCodes(ctx context.Context, region fleet.Region) ([]fleet.InstallCode, error) {
	type none struct{}
	got, err := aliyun.Do[none, sdk.DescribeInstallCodesResponseBody](ctx, c.session, api(region, "DescribeInstallCodes"), &none{})
	if err != nil {
		return nil, err
	}
	var out []fleet.InstallCode
	for _, i := range got.InstallCodes {
		out = append(out, fleet.InstallCode{
			Code: fleet.Secret(dara.StringValue(i.CaptchaCode)), OS: dara.StringValue(i.Os), Vendor: dara.StringValue(i.VendorName), OnlyImage: dara.BoolValue(i.OnlyImage),
			Expires: time.UnixMilli(dara.Int64Value(i.ExpiredDate)).UTC(),
		})
	}
	return out, nil
}

// AddInstallCode creates a code that is valid until expires. The answer does not contain
// it: list the codes again.
func (c *Client) AddInstallCode(ctx context.Context, region fleet.Region, os string, expires time.Time) error {
	_, err := aliyun.Do[sdk.AddInstallCodeRequest, sdk.AddInstallCodeResponseBody](ctx, c.session, write(region, "AddInstallCode"),
		&sdk.AddInstallCodeRequest{Os: &os, VendorName: new("ALIYUN"), ExpiredDate: new(expires.UnixMilli()), OnlyImage: new(false)})
	return err
}

// OneClick starts an installation of the agent by Cloud Assistant, with
// OperateAgentClientInstall, and returns the instances that the answer names. All instances
// are of one region and operating system.
func (c *Client) OneClick(ctx context.Context, region fleet.Region, os string, ids []string) ([]string, error) {
	got, err := aliyun.Do[sdk.OperateAgentClientInstallRequest, sdk.OperateAgentClientInstallResponseBody](ctx, c.session,
		write(region, "OperateAgentClientInstall"), &sdk.OperateAgentClientInstallRequest{
			InstanceIds: new(strings.Join(ids, ",")), Region: new(string(region)), Os: &os,
		})
	if err != nil {
		return nil, err
	}
	var begun []string
	for _, i := range got.AegisCelintInstallResposeList {
		begun = append(begun, dara.StringValue(i.InstanceId))
	}
	return begun, nil
}
