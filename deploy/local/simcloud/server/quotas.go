package server

import (
	"net/http"
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
func (s *Server) quotas(r *http.Request) (any, error) {
	var in quotasRequest
	if err := read(r, &in); err != nil {
		return nil, err
	}
	rules := []wire.Quota{}
	for _, q := range in.Quotas {
		rules = append(rules, wire.Quota{
			Product: q.Product, Action: q.Action, Calls: q.Calls, Window: time.Duration(q.WindowSeconds) * time.Second,
		})
	}
	if in.Published {
		rules = append(rules, wire.PublishedQuotas()...)
	}
	if err := s.Router.SetQuotas(rules); err != nil {
		return nil, bad("%v", err)
	}
	return map[string]any{"quotas": len(rules)}, nil
}
