// Package eventbridge reads event rules, and what became of events (EventBridge 2020-04-01).
// It compares nothing and knows no rule by name.
package eventbridge

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls EventBridge of one region for one pass.
type Client struct {
	session *aliyun.Session
	region  fleet.Region
}

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session, region fleet.Region) *Client { return &Client{session, region} }

// Rule is an event rule as GetRule shows it.
type Rule struct {
	Name    string   `json:"RuleName"`
	Status  string   `json:"Status"`        // ENABLE or DISABLE
	Pattern string   `json:"FilterPattern"` // JSON
	Targets []Target `json:"Targets"`
}

// Target is the destination of a rule's events.
type Target struct {
	ID         string  `json:"Id"`
	Type       string  `json:"Type"`
	Endpoint   string  `json:"Endpoint"`
	Retry      string  `json:"PushRetryStrategy"`
	DeadLetter Queue   `json:"DeadLetterQueue"`
	Params     []Param `json:"ParamList"`
}

// Queue is the dead-letter queue of a target.
type Queue struct {
	ARN string `json:"Arn"`
}

// Param configures a part of the delivery, such as its body.
type Param struct {
	Key      string `json:"ResourceKey"`
	Form     string `json:"Form"`
	Value    string `json:"Value"`
	Template string `json:"Template"`
}

type getRule struct {
	EventBusName *string `json:"EventBusName,omitempty" xml:"EventBusName,omitempty"`
	RuleName     *string `json:"RuleName,omitempty" xml:"RuleName,omitempty"`
}

// Rule reads a rule of a bus. A rule or a bus that does not exist is an error of class
// [fleet.NotFound].
func (c *Client) Rule(ctx context.Context, bus, name string) (*Rule, error) {
	return ask[getRule, Rule](ctx, c, "GetRule", &getRule{&bus, &name})
}

type listRules struct {
	EventBusName   *string `json:"EventBusName,omitempty" xml:"EventBusName,omitempty"`
	RuleNamePrefix *string `json:"RuleNamePrefix,omitempty" xml:"RuleNamePrefix,omitempty"`
	NextToken      *string `json:"NextToken,omitempty" xml:"NextToken,omitempty"`
	Limit          *int32  `json:"Limit,omitempty" xml:"Limit,omitempty"`
}

// Rules lists the rules of a bus whose names begin with prefix, to their end.
func (c *Client) Rules(ctx context.Context, bus, prefix string) ([]Rule, error) {
	type page struct {
		Rules     []Rule `json:"Rules"`
		NextToken string `json:"NextToken"`
	}
	return list(func(token *string) ([]Rule, string, error) {
		got, err := ask[listRules, page](ctx, c, "ListRules", &listRules{&bus, &prefix, token, new(maxPage)})
		if err != nil {
			return nil, "", err
		}
		return got.Rules, got.NextToken, nil
	})
}

type testPattern struct {
	Event        *string `json:"Event,omitempty" xml:"Event,omitempty"`
	EventPattern *string `json:"EventPattern,omitempty" xml:"EventPattern,omitempty"`
}

// Matches has EventBridge compare an event, a CloudEvent as JSON, with a pattern.
func (c *Client) Matches(ctx context.Context, event, pattern string) (bool, error) {
	got, err := ask[testPattern, struct {
		Result bool `json:"Result"`
	}](ctx, c, "TestEventPattern", &testPattern{&event, &pattern})
	return err == nil && got.Result, err
}

type checkRole struct {
	ProductName *string `json:"ProductName,omitempty" xml:"ProductName,omitempty"`
}

// HasRole reports whether the account has a service-linked role of EventBridge, such as
// AliyunServiceRoleForEventBridgeSendToMNS.
func (c *Client) HasRole(ctx context.Context, role string) (bool, error) {
	got, err := ask[checkRole, struct {
		CheckPass bool `json:"CheckPass"`
	}](ctx, c, "CheckServiceLinkedRoleForProduct", &checkRole{&role})
	return err == nil && got.CheckPass, err
}
