package ecs

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type describeCommands struct {
	RegionID   *string `json:"RegionId,omitempty" xml:"RegionId,omitempty"`
	Provider   *string `json:"Provider,omitempty" xml:"Provider,omitempty"`
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

// Commands returns the ids of the account's own Cloud Assistant commands by their names, with
// DescribeCommands; of several with one name, the last listed.
func (c *Client) Commands(ctx context.Context, region fleet.Region) (map[string]string, error) {
	out, req := map[string]string{}, &describeCommands{RegionID: new(string(region)), Provider: new("User"), MaxResults: new(50)}
	for {
		page, err := aliyun.Do[describeCommands, commandPage](ctx, c.session, api(region, "DescribeCommands"), req)
		if err != nil {
			return nil, err
		}
		for _, x := range page.Commands.Command {
			out[x.Name] = x.CommandID
		}
		switch {
		case page.NextToken == "":
			return out, nil
		case req.NextToken != nil && *req.NextToken == page.NextToken:
			return nil, errCircle
		}
		req.NextToken = &page.NextToken
	}
}
