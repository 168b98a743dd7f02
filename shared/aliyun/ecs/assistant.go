package ecs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

const (
	// maxAssistants is for DescribeCloudAssistantStatus.
	maxAssistants = 50
	// invocationPage is for DescribeInvocations.
	invocationPage = 50
)

// invocationTag is the tag of our invocations, by which they are found again. Its value is
// the hour of the call, in UTC: the order of DescribeInvocations is not published, and
// records of 30 days are kept, so that recent ones need a filter.
const invocationTag = "fleetwarden-hour"

func hour(t time.Time) string { return t.UTC().Format("2006-01-02T15") }

type assistants struct {
	RequestID string `json:"RequestId"`
	Set       struct {
		Status []struct {
			InstanceID string `json:"InstanceId"`
			Online     string `json:"CloudAssistantStatus"` // "true" or "false"
			Version    string `json:"CloudAssistantVersion"`
			Heartbeat  string `json:"LastHeartbeatTime"`
		} `json:"InstanceCloudAssistantStatus"`
	} `json:"InstanceCloudAssistantStatusSet"`
}

// Assistants reads the Cloud Assistant clients of instances, 50 ids a call, with
// DescribeCloudAssistantStatus. An instance missing from the answer has none.
func (c *Client) Assistants(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Assistant, error) {
	out := make(map[string]fleet.Assistant, len(ids))
	for part := range slices.Chunk(ids, maxAssistants) {
		page, err := aliyun.Do[sdk.DescribeCloudAssistantStatusRequest, assistants](ctx, c.session, api(region, "DescribeCloudAssistantStatus"),
			&sdk.DescribeCloudAssistantStatusRequest{RegionId: new(string(region)), InstanceId: dara.StringSlice(part)})
		if err != nil {
			return nil, err
		}
		for _, s := range page.Set.Status {
			out[s.InstanceID] = fleet.Assistant{Online: s.Online == "true", Version: s.Version, LastHeartbeat: parseTime(s.Heartbeat)}
		}
	}
	return out, nil
}

// invocations is the part of DescribeInvocations' answer that we read. It omits the
// parameters, which include an install code.
type invocations struct {
	RequestID   string `json:"RequestId"`
	NextToken   string `json:"NextToken"`
	Invocations struct {
		Invocation []struct {
			InvokeID        string `json:"InvokeId"`
			CommandName     string `json:"CommandName"`
			CreationTime    string `json:"CreationTime"`
			InvokeInstances struct {
				InvokeInstance []struct {
					InstanceID       string `json:"InstanceId"`
					InvocationStatus string `json:"InvocationStatus"`
					ExitCode         int    `json:"ExitCode"`
					ErrorCode        string `json:"ErrorCode"`
				} `json:"InvokeInstance"`
			} `json:"InvokeInstances"`
		} `json:"Invocation"`
	} `json:"Invocations"`
}

// Invocations reads our own invocations made after since, by instance, newest first,
// with DescribeInvocations: one search for each hour since then.
func (c *Client) Invocations(ctx context.Context, region fleet.Region, since time.Time) (map[string][]fleet.Invocation, error) {
	out := map[string][]fleet.Invocation{}
	now := c.session.Now()
	for at := since.UTC().Truncate(time.Hour); !at.After(now); at = at.Add(time.Hour) {
		if err := c.invocationsOf(ctx, region, hour(at), since, out); err != nil {
			return nil, err
		}
	}
	for _, runs := range out {
		slices.SortStableFunc(runs, func(a, b fleet.Invocation) int { return b.Created.Compare(a.Created) })
	}
	return out, nil
}

// invocationsOf follows the pages of one hour to their end.
func (c *Client) invocationsOf(ctx context.Context, region fleet.Region, hour string, since time.Time, out map[string][]fleet.Invocation) error {
	req := &sdk.DescribeInvocationsRequest{
		RegionId: new(string(region)), MaxResults: new(int32(invocationPage)),
		Tag: []*sdk.DescribeInvocationsRequestTag{{Key: new(invocationTag), Value: &hour}},
	}
	for {
		page, err := aliyun.Do[sdk.DescribeInvocationsRequest, invocations](ctx, c.session, api(region, "DescribeInvocations"), req)
		if err != nil {
			return err
		}
		page.collect(since, out)
		if page.NextToken == "" || len(page.Invocations.Invocation) == 0 {
			return nil
		}
		req.NextToken = &page.NextToken
	}
}

// collect adds a page's runs to out, except those made before since.
func (p *invocations) collect(since time.Time, out map[string][]fleet.Invocation) {
	for _, i := range p.Invocations.Invocation {
		created := parseTime(i.CreationTime)
		if created.Before(since) {
			continue
		}
		for _, on := range i.InvokeInstances.InvokeInstance {
			out[on.InstanceID] = append(out[on.InstanceID], fleet.Invocation{
				ID: i.InvokeID, Command: i.CommandName, Status: on.InvocationStatus, ExitCode: on.ExitCode, ErrorCode: on.ErrorCode, Created: created,
			})
		}
	}
}

// commandTimeout is how long a command of ours may run on an instance, in seconds. The
// default of 60 is too short for an installation.
const commandTimeout = 600

type invoked struct {
	RequestID string `json:"RequestId"`
	InvokeID  string `json:"InvokeId"`
}

// Invoke runs a command that was created at deployment on at most 100 instances, with
// InvokeCommand, and returns the invocation's id. If one instance is unfit the whole
// call fails. Parameters may hold secrets: they are sent, and never part of an error.
func (c *Client) Invoke(ctx context.Context, region fleet.Region, commandID string, parameters map[string]fleet.Secret, ids []string) (string, error) {
	req := &sdk.InvokeCommandShrinkRequest{
		RegionId: new(string(region)), CommandId: &commandID, InstanceId: dara.StringSlice(ids), Timeout: new(int64(commandTimeout)),
		Tag: []*sdk.InvokeCommandShrinkRequestTag{{Key: new(invocationTag), Value: new(hour(c.session.Now()))}},
	}
	if len(parameters) > 0 {
		req.ParametersShrink = plain(parameters)
	}
	return invoke(ctx, c, region, "InvokeCommand", req)
}

// invoke makes a call that starts an invocation, and returns the invocation's id.
func invoke[Req any](ctx context.Context, c *Client, region fleet.Region, action string, req *Req) (string, error) {
	resp, err := aliyun.Do[Req, invoked](ctx, c.session, write(region, action), req)
	if err != nil {
		return "", err
	}
	return resp.InvokeID, nil
}

// Script is a command that is sent with its content.
type Script struct {
	Name string
	// Type is RunShellScript or RunPowerShellScript.
	Type    string
	Content string
}

// runScript runs a script on at most 100 instances, with RunCommand, and returns the
// invocation's id. That permission is root on every instance it covers: prefer
// [Client.Invoke].
func (c *Client) runScript(ctx context.Context, region fleet.Region, s Script, parameters map[string]fleet.Secret, ids []string) (string, error) {
	return invoke(ctx, c, region, "RunCommand", &sdk.RunCommandShrinkRequest{
		RegionId: new(string(region)), Name: &s.Name, Type: &s.Type, InstanceId: dara.StringSlice(ids), Timeout: new(int64(commandTimeout)),
		CommandContent: new(base64.StdEncoding.EncodeToString([]byte(s.Content))), ContentEncoding: new("Base64"),
		EnableParameter: new(true), ParametersShrink: plain(parameters), KeepCommand: new(false),
		Tag: []*sdk.RunCommandShrinkRequestTag{{Key: new(invocationTag), Value: new(hour(c.session.Now()))}},
	})
}

// Scripts runs scripts instead of commands that deployment created: an invocation names the
// script instead of a command's id.
type Scripts struct {
	*Client
	Scripts map[string]Script
}

// Invoke runs the script of that name.
func (s Scripts) Invoke(ctx context.Context, region fleet.Region, name string, parameters map[string]fleet.Secret, ids []string) (string, error) {
	script, ok := s.Scripts[name]
	if !ok {
		return "", fmt.Errorf("running a script: there is none for %s", name)
	}
	return s.runScript(ctx, region, script, parameters, ids)
}

// plain writes parameters as the JSON object that Cloud Assistant takes.
func plain(parameters map[string]fleet.Secret) *string {
	open := make(map[string]string, len(parameters))
	for k, v := range parameters {
		open[k] = string(v)
	}
	text, _ := json.Marshal(open) // texts always have a JSON form
	return new(string(text))
}

type userData struct {
	RequestID string `json:"RequestId"`
	UserData  string `json:"UserData"`
}

// UserData reads an instance's user data, as Base64, with DescribeUserData, which
// takes one instance a call.
func (c *Client) UserData(ctx context.Context, region fleet.Region, id string) (fleet.Secret, error) {
	resp, err := aliyun.Do[sdk.DescribeUserDataRequest, userData](ctx, c.session, api(region, "DescribeUserData"),
		&sdk.DescribeUserDataRequest{RegionId: new(string(region)), InstanceId: &id})
	if err != nil {
		return "", err
	}
	return fleet.Secret(resp.UserData), nil
}
