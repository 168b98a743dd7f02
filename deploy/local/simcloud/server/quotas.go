package server

import (
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// quotasRequest is the quotas to hold from now on. The first that fits a call
// holds; those published come last. None at all stand for the generous default.
type quotasRequest struct {
	Quotas    []quotaRequest `json:"quotas"`
	Published bool           `json:"published"`
}

// quotaRequest is wire.Quota with a window in whole seconds of virtual time.
type quotaRequest struct {
	Product       string `json:"product"`
	Action        string `json:"action"`
	Calls         int    `json:"calls"`
	WindowSeconds int    `json:"windowSeconds"`
}

// quotas serves POST /_sim/quotas:
// {"quotas":[{"product":"ecs","action":"DescribeInstances","calls":500,"windowSeconds":60}],"published":true}.
func (s *Server) quotas(in quotasRequest) (any, error) {
	rules := []wire.Quota{}
	for _, q := range in.Quotas {
		rules = append(rules, wire.Quota{
			Product: q.Product, Action: q.Action, Calls: q.Calls, Window: time.Duration(q.WindowSeconds) * time.Second,
		})
	}
	if in.Published {
		rules = append(rules, wire.PublishedQuotas()...)
	}
	return map[string]any{"quotas": len(rules)}, s.Router.SetQuotas(rules)
}
