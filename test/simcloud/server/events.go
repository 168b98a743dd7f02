package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"fleetwarden/test/simcloud"
)

// cloudEvent is a CloudEvent as a service would send it. The two aliyun
// attributes say whose bus it goes to; they default to the home account and
// region.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	DataSchema      string          `json:"dataschema"`
	Data            json.RawMessage `json:"data"`
	Account         string          `json:"aliyunaccountid"`
	Region          string          `json:"aliyunregionid"`
}

// events publishes a CloudEvent on the default bus.
func (s *Server) events(r *http.Request) (any, error) {
	var in cloudEvent
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.Account == "" {
		in.Account = Sharer
	}
	if in.Region == "" {
		in.Region = Home
	}
	switch {
	case in.Source == "" || in.Type == "" || len(in.Data) == 0:
		return nil, bad("source, type and data are needed")
	case !slices.Contains(s.World.Accounts, in.Account):
		return nil, bad("no account %q", in.Account)
	case !slices.Contains(s.World.Regions, in.Region):
		return nil, bad("no region %q", in.Region)
	}
	s.World.Publish(simcloud.Event{
		Account: in.Account, Region: in.Region, ID: in.ID, Source: in.Source,
		Type: in.Type, Subject: in.Subject, Time: in.Time, Data: in.Data,
	})
	return map[string]any{"published": true}, nil
}
