package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"fleetwarden/events"
)

// launchEvent is what reading a launch takes with encoding/json: the members that
// events.Decode reads, into texts, each by its exact name.
type launchEvent struct {
	SpecVersion     string     `json:"specversion"`
	ID              string     `json:"id"`
	Source          string     `json:"source"`
	Type            string     `json:"type"`
	Time            string     `json:"time"`
	Account         string     `json:"aliyunaccountid"`
	OriginalAccount string     `json:"aliyunoriginalaccountid"`
	RegionID        string     `json:"aliyunregionid"`
	Data            launchData `json:"data"`
}

type launchData struct {
	EventID      string `json:"eventId"`
	EventName    string `json:"eventName"`
	EventType    string `json:"eventType"`
	EventTime    string `json:"eventTime"`
	ServiceName  string `json:"serviceName"`
	Region       string `json:"acsRegion"`
	Owner        string `json:"recipientAccountId"`
	ErrorCode    string `json:"errorCode"`
	ErrorMessage string `json:"errorMessage"`
	Identity     struct {
		Type        string `json:"type"`
		UserName    string `json:"userName"`
		PrincipalID string `json:"principalId"`
	} `json:"userIdentity"`
	Parameters struct {
		InstanceType                string `json:"InstanceType"`
		ImageID                     string `json:"ImageId"`
		ImageFamily                 string `json:"ImageFamily"`
		SystemDiskCategory          string `json:"SystemDisk.Category"`
		SystemDiskKMSKeyID          string `json:"SystemDisk.KMSKeyId"`
		VSwitchID                   string `json:"VSwitchId"`
		InterfaceVSwitchID          string `json:"NetworkInterface.1.VSwitchId"`
		InterfaceRole               string `json:"NetworkInterface.1.InstanceType"`
		RAMRoleName                 string `json:"RamRoleName"`
		TrustedSystemMode           string `json:"SecurityOptions.TrustedSystemMode"`
		ConfidentialComputingMode   string `json:"SecurityOptions.ConfidentialComputingMode"`
		SecurityEnhancementStrategy string `json:"SecurityEnhancementStrategy"`
		HTTPTokens                  string `json:"HttpTokens"`
		LaunchTemplateID            string `json:"LaunchTemplateId"`
		LaunchTemplateName          string `json:"LaunchTemplateName"`
		LaunchTemplateVersion       any    `json:"LaunchTemplateVersion"`
		UserData                    string `json:"UserData"`
		Amount                      int    `json:"Amount"`
		MaxAmount                   int    `json:"MaxAmount"`
		DryRun                      bool   `json:"DryRun"`
	} `json:"requestParameters"`
	Response struct {
		InstanceID     string `json:"InstanceId"`
		InstanceIDSets struct {
			InstanceIDSet []string `json:"InstanceIdSet"`
		} `json:"InstanceIdSets"`
	} `json:"responseElements"`
	Referenced map[string][]string `json:"referencedResources"`
}

// The readers return how many instances were launched; less than none for what they
// cannot read. Of them only ours checks the ids, and keeps nothing of the payload.

const unreadable = -1_000_000

func withOurs(payload []byte) (instances int) {
	for ev, err := range events.Decode(payload) {
		if err != nil {
			instances += unreadable
		}
		instances += len(ev.Refs)
	}
	return instances
}

func withEncodingJSON(payload []byte) int {
	var ev launchEvent
	if err := json.Unmarshal(payload, &ev); err != nil {
		return unreadable
	}
	return len(ev.Data.Response.InstanceIDSets.InstanceIDSet)
}

func withCloudEvents(payload []byte) int {
	var ev cloudevents.Event
	var data launchData
	if json.Unmarshal(payload, &ev) != nil || ev.Validate() != nil || ev.DataAs(&data) != nil {
		return unreadable
	}
	return len(data.Response.InstanceIDSets.InstanceIDSet)
}

// peer is the cost of the same work in another program or library.
type peer struct {
	US     float64 `json:"us"`
	Allocs float64 `json:"allocs"`
	// Ratio is our time over theirs.
	Ratio float64 `json:"ratio"`
}

const launchedInSample = 2

// decode measures a RunInstances event of 3 KB from bytes to refs.
func (s *summary) decode(root string, n sizes) error {
	payload, err := compactSample(root, "run-instances-api.json")
	if err != nil {
		return err
	}
	s.DecodeBytes = len(payload)
	var jobs []job
	var allocs []float64
	for _, read := range []func([]byte) int{withOurs, withEncodingJSON, withCloudEvents} {
		if n := read(payload); n != launchedInSample {
			return fmt.Errorf("decoding the sample: %d instances instead of %d", n, launchedInSample)
		}
		jobs = append(jobs, func() error { read(payload); return nil })
		allocs = append(allocs, testing.AllocsPerRun(100, func() { read(payload) }))
	}
	times, ratios, err := beside(4*n.rounds, 500, jobs...)
	if err != nil {
		return err
	}
	s.DecodeUS, s.DecodeAllocs, s.DecodeRatio = microseconds(times[0]), allocs[0], 1/ratios[1]
	for i, name := range []string{"", "encoding/json", "cloudevents sdk"} {
		if i > 0 {
			s.DecodePeers[name] = peer{microseconds(times[i]), allocs[i], 1 / ratios[i]}
		}
	}
	return nil
}

func compactSample(root, name string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, "events", "samples", name))
	if err != nil {
		return nil, fmt.Errorf("reading a sample: %w", err)
	}
	var b bytes.Buffer
	err = json.Compact(&b, text)
	return b.Bytes(), err
}
