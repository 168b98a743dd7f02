package ecs

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type describeCommands struct {
	RegionID   *string `json:"RegionId,omitempty" xml:"RegionId,omitempty"`
	Provider   *string `json:"Provider,omitempty" xml:"Provider,omitempty"`
	Name       *string `json:"Name,omitempty" xml:"Name,omitempty"`
	MaxResults *int    `json:"MaxResults,omitempty" xml:"MaxResults,omitempty"`
	NextToken  *string `json:"NextToken,omitempty" xml:"NextToken,omitempty"`
}

type commandPage struct {
	RequestID string `json:"RequestId"`
	NextToken string `json:"NextToken"`
	Commands  struct {
		Command []struct {
			CommandID string `json:"CommandId"`
			Name      string `json:"Name"`
		} `json:"Command"`
	} `json:"Commands"`
}

// Command returns the id of the account's own Cloud Assistant command of a name, with
// DescribeCommands; empty if there is none, and of several the last listed. An account may have
// thousands of commands: the service looks for the name.
func (c *Client) Command(ctx context.Context, region fleet.Region, name string) (id string, err error) {
	req := &describeCommands{RegionID: new(string(region)), Provider: new("User"), Name: &name, MaxResults: new(50)}
	for {
		page, err := aliyun.Do[describeCommands, commandPage](ctx, c.session, api(region, "DescribeCommands"), req)
		if err != nil {
			return "", err
		}
		for _, x := range page.Commands.Command {
			if x.Name == name { // the service may take it for a part of the name
				id = x.CommandID
			}
		}
		switch {
		case page.NextToken == "":
			return id, nil
		case req.NextToken != nil && *req.NextToken == page.NextToken:
			return "", errCircle
		}
		req.NextToken = &page.NextToken
	}
}
