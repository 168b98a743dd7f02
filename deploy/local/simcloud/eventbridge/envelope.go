package eventbridge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// envelope is a CloudEvent as the bus delivers it: CloudEvents 1.0 with Alibaba
// Cloud's extensions, all of them strings.
type envelope struct {
	ID                      string          `json:"id"`
	Source                  string          `json:"source"`
	SpecVersion             string          `json:"specversion"`
	Type                    string          `json:"type"`
	DataContentType         string          `json:"datacontenttype"`
	Subject                 string          `json:"subject,omitempty"`
	Time                    string          `json:"time"`
	AliyunAccountID         string          `json:"aliyunaccountid"`
	AliyunPublishTime       string          `json:"aliyunpublishtime"`
	AliyunOriginalAccountID string          `json:"aliyunoriginalaccountid"`
	AliyunEventBusName      string          `json:"aliyuneventbusname"`
	AliyunRegionID          string          `json:"aliyunregionid"`
	AliyunPublishAddr       string          `json:"aliyunpublishaddr"`
	Data                    json.RawMessage `json:"data"`
}

func china() *time.Location { return time.FixedZone("PRC", 8*60*60) }

// stamp is a time as aliyunpublishtime has it.
func stamp(t time.Time) string { return t.In(china()).Format("2006-01-02T15:04:05.000MST") }

// Wrap puts the envelope around an event that is published at the given moment.
// The times are as in the published samples: an offset for time, and for
// aliyunpublishtime the zone's name, which is not RFC 3339.
func Wrap(e simcloud.Event, bus string, published time.Time) ([]byte, error) {
	data := e.Data
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	b, err := json.Marshal(envelope{
		ID: e.ID, Source: e.Source, SpecVersion: "1.0", Type: e.Type, Subject: e.Subject,
		DataContentType:   "application/json;charset=utf-8",
		Time:              e.Time.In(china()).Format("2006-01-02T15:04:05-07:00"),
		AliyunPublishTime: stamp(published),
		AliyunAccountID:   e.Account, AliyunOriginalAccountID: cmp.Or(e.Owner, e.Account),
		AliyunEventBusName: bus, AliyunRegionID: e.Region, AliyunPublishAddr: "127.0.0.1",
		Data: data,
	})
	if err != nil {
		return nil, fmt.Errorf("wrapping event %s: %w", e.Type, err)
	}
	return b, nil
}
