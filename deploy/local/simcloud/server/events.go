package server

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones of events, where the machine has none
	"unicode"

	"fleetwarden/deploy/local/simcloud"
)

// cloudEvent is a CloudEvent as a service would send it, or as EventBridge has
// published it: attributes that are not listed here, such as aliyunpublishtime, are
// allowed and left to the bus to set. The aliyun attributes say whose bus it goes to;
// they default to the home account and region.
type cloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"`
	Data        json.RawMessage `json:"data"`
	Account     string          `json:"aliyunaccountid"`
	Owner       string          `json:"aliyunoriginalaccountid"`
	Region      string          `json:"aliyunregionid"`
}

// events publishes a CloudEvent on the default bus.
func (s *Server) events(r *http.Request) (any, error) {
	var in cloudEvent
	if err := readOpen(r, &in); err != nil {
		return nil, err
	}
	in.Account = cmp.Or(in.Account, Sharer)
	in.Owner = cmp.Or(in.Owner, in.Account)
	in.Region = cmp.Or(in.Region, Home)
	at, err := eventTime(in.Time)
	switch {
	case err != nil:
		return nil, bad("time: %v", err)
	case in.SpecVersion != "" && in.SpecVersion != "1.0":
		return nil, bad("specversion %q is not 1.0", in.SpecVersion)
	case in.Source == "" || in.Type == "" || len(in.Data) == 0:
		return nil, bad("source, type and data are needed")
	case !slices.Contains(s.World.Accounts, in.Account):
		return nil, bad("no account %q", in.Account)
	case !slices.Contains(s.World.Regions, in.Region):
		return nil, bad("no region %q", in.Region)
	}
	s.World.Publish(simcloud.Event{
		Account: in.Account, Owner: in.Owner, Region: in.Region, ID: in.ID, Source: in.Source,
		Type: in.Type, Subject: in.Subject, Time: at, Data: in.Data,
	})
	return map[string]any{"published": true}, nil
}

// eventTime reads the time of a CloudEvent: RFC 3339, or with a zone's name in place of
// the offset, as EventBridge's samples show it: "2020-11-19T21:04:42.179PRC",
// "2020-08-17T16:04:46.149Asia/Shanghai". Without one it is now, which is zero here.
func eventTime(text string) (time.Time, error) {
	const clock = len("2006-01-02T15:04:05")
	if text == "" {
		return time.Time{}, nil
	}
	letter := -1
	if len(text) > clock {
		letter = strings.IndexFunc(text[clock:], unicode.IsLetter)
	}
	if letter < 0 || text[clock+letter:] == "Z" {
		return time.Parse(time.RFC3339, text)
	}
	zone, err := time.LoadLocation(text[clock+letter:])
	if err != nil {
		return time.Time{}, err
	}
	return time.ParseInLocation("2006-01-02T15:04:05", text[:clock+letter], zone)
}
