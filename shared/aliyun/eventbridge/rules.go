// Package eventbridge reads event rules (EventBridge 2020-04-01). It compares nothing and
// knows no rule by name.
package eventbridge

import (
	"context"
	"net/http"

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

type gotRule struct {
	RequestID string `json:"RequestId"`
	Success   bool   `json:"Success"`
	Code      string `json:"Code"`
	Message   string `json:"Message"`
	Data      Rule   `json:"Data"`
}

// Rule reads a rule of a bus. A rule or a bus that does not exist is an error of class
// [fleet.NotFound].
func (c *Client) Rule(ctx context.Context, bus, name string) (*Rule, error) {
	api := aliyun.API{Product: aliyun.EventBridge, Action: "GetRule", Region: c.region}
	got, err := aliyun.Do[getRule, gotRule](ctx, c.session, api, &getRule{&bus, &name})
	if err != nil {
		return nil, err
	}
	if !got.Success { // EventBridge refuses with HTTP 200
		return nil, aliyun.NewError(api.String(), http.StatusOK, got.Code, got.Message, got.RequestID, false)
	}
	return &got.Data, nil
}
