package stage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/dara"
)

// Launch is what an operator asks for. Empty fields are left out of the request.
type Launch struct {
	As       Keys // whose call it is; the zero Keys are the operator's
	Region   string
	Type     string
	Image    string
	Category string // of the system disk
	VSwitch  string
	Amount   int
	Role     string
	// Trusted is SecurityOptions.TrustedSystemMode.
	Trusted      string
	Confidential string
	// Hardening is SecurityEnhancementStrategy, Tokens is HttpTokens.
	Hardening, Tokens string
	TemplateName      string
	Tags              map[string]string
	UserData          string // Base64
	DryRun            bool
	// Console makes the trail record look like a purchase in the console.
	Console bool
	// BuyPage makes it look like a purchase on the buy page.
	BuyPage bool
}

func (s *Stage) ecs(k Keys) (*sdk.Client, error) {
	host := s.Server.URL()[len("http://"):]
	c, err := sdk.NewClient(&openapi.Config{AccessKeyId: &k.ID, AccessKeySecret: &k.Secret, SecurityToken: optional(k.Token), Endpoint: &host, Protocol: new("http")})
	if err != nil {
		return nil, fmt.Errorf("making an ECS client: %w", err)
	}
	return c, nil
}

// playing has the local cloud record a call as one of the console's.
func playing(page string) *dara.ExtendsParameters {
	return &dara.ExtendsParameters{Headers: map[string]*string{"x-sim-console": &page}}
}

// Run calls RunInstances with the official SDK and returns the new instances' ids.
func (s *Stage) Run(_ context.Context, l Launch) ([]string, error) {
	c, err := s.ecs(cmp.Or(l.As, Operator))
	if err != nil {
		return nil, err
	}
	runtime := &dara.RuntimeOptions{}
	if l.Console {
		runtime.ExtendsParameters = playing("true")
	}
	if l.BuyPage {
		runtime.ExtendsParameters = playing("buy-page")
	}
	req := &sdk.RunInstancesRequest{
		RegionId: &l.Region, InstanceType: optional(l.Type), ImageId: optional(l.Image), VSwitchId: optional(l.VSwitch),
		SecurityGroupId: new("sg-local"), RamRoleName: optional(l.Role), UserData: optional(l.UserData),
		LaunchTemplateName:          optional(l.TemplateName),
		SecurityEnhancementStrategy: optional(l.Hardening), HttpTokens: optional(l.Tokens),
		SystemDisk: &sdk.RunInstancesRequestSystemDisk{Category: optional(l.Category)},
		SecurityOptions: &sdk.RunInstancesRequestSecurityOptions{
			TrustedSystemMode: optional(l.Trusted), ConfidentialComputingMode: optional(l.Confidential),
		},
	}
	if l.Amount > 0 {
		req.Amount = new(int32(l.Amount))
	}
	if l.DryRun {
		req.DryRun = new(true)
	}
	for k, v := range l.Tags {
		req.Tag = append(req.Tag, &sdk.RunInstancesRequestTag{Key: &k, Value: &v})
	}
	resp, err := c.RunInstancesWithOptions(req, runtime)
	if err != nil {
		return nil, fmt.Errorf("launching: %w", err)
	}
	var ids []string
	for _, id := range resp.Body.InstanceIdSets.InstanceIdSet {
		ids = append(ids, *id)
	}
	return ids, nil
}

// Create calls CreateInstance, which has no SecurityOptions.
func (s *Stage) Create(_ context.Context, l Launch) ([]string, error) {
	c, err := s.ecs(cmp.Or(l.As, Operator))
	if err != nil {
		return nil, err
	}
	resp, err := c.CreateInstance(&sdk.CreateInstanceRequest{
		RegionId: &l.Region, InstanceType: optional(l.Type), ImageId: optional(l.Image), VSwitchId: optional(l.VSwitch),
		SecurityGroupId: new("sg-local"), RamRoleName: optional(l.Role),
		SystemDisk: &sdk.CreateInstanceRequestSystemDisk{Category: optional(l.Category)},
	})
	if err != nil {
		return nil, fmt.Errorf("creating: %w", err)
	}
	return []string{*resp.Body.InstanceId}, nil
}

// Call calls any RPC API as anybody, with flat parameters such as Tag.1.Key.
func (s *Stage) Call(ctx context.Context, k Keys, version, action string, params map[string]string) (map[string]any, error) {
	c, err := s.ecs(k)
	if err != nil {
		return nil, err
	}
	query := map[string]*string{}
	for name, v := range params {
		query[name] = &v
	}
	answer, err := c.CallApiWithCtx(ctx, &openapiutil.Params{
		Action: &action, Version: &version, Protocol: new("HTTP"), Pathname: new("/"), Method: new("POST"),
		AuthType: new("AK"), Style: new("RPC"), ReqBodyType: new("formData"), BodyType: new("json"),
	}, &openapiutil.OpenApiRequest{Query: query}, &dara.RuntimeOptions{})
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", action, err)
	}
	body, _ := answer["body"].(map[string]any)
	return body, nil
}

// Roles returns the RAM roles of instances by their ids, of those that have one, with
// DescribeInstanceRamRole for fifty at a time.
func (s *Stage) Roles(_ context.Context, region string, ids ...string) (map[string]string, error) {
	c, err := s.ecs(Operator)
	if err != nil {
		return nil, err
	}
	roles := make(map[string]string, len(ids))
	for some := range slices.Chunk(ids, 50) {
		resp, err := c.DescribeInstanceRamRole(&sdk.DescribeInstanceRamRoleRequest{RegionId: &region, InstanceIds: new(`["` + strings.Join(some, `","`) + `"]`), PageSize: new(int32(50))})
		if err != nil {
			return nil, fmt.Errorf("asking for the roles of %s: %w", strings.Join(some, ", "), err)
		}
		for _, set := range resp.Body.InstanceRamRoleSets.InstanceRamRoleSet {
			if set.InstanceId != nil && set.RamRoleName != nil && *set.RamRoleName != "" {
				roles[*set.InstanceId] = *set.RamRoleName
			}
		}
	}
	return roles, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
