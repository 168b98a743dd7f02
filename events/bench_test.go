package events_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"fleetwarden/events"
)

// plainEvent is what reading a launch with encoding/json takes: the same
// members, into a struct of texts.
type plainEvent struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Time            string `json:"time"`
	Account         string `json:"aliyunaccountid"`
	OriginalAccount string `json:"aliyunoriginalaccountid"`
	RegionID        string `json:"aliyunregionid"`
	Data            struct {
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
		Parameters plainParameters `json:"requestParameters"`
		Response   struct {
			InstanceID     string `json:"InstanceId"`
			InstanceIDSets struct {
				InstanceIDSet []string `json:"InstanceIdSet"`
			} `json:"InstanceIdSets"`
		} `json:"responseElements"`
		Referenced map[string][]string `json:"referencedResources"`
	} `json:"data"`
}

type plainParameters struct {
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
}

func compactSample(tb testing.TB, name string) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, read(tb, filepath.Join("samples", name))); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func decodeAll(tb testing.TB, payload []byte) (refs int) {
	for ev, err := range events.Decode(payload) {
		if err != nil {
			tb.Fatal(err)
		}
		refs += len(ev.Refs)
	}
	return refs
}

func benchmarkDecode(b *testing.B, sample string) {
	payload := compactSample(b, sample)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		decodeAll(b, payload)
	}
}

func BenchmarkDecodeRunInstances(b *testing.B)    { benchmarkDecode(b, "run-instances-api.json") }
func BenchmarkDecodeRunInstances100(b *testing.B) { benchmarkDecode(b, "run-instances-100.json") }
func BenchmarkDecodeStateChange(b *testing.B)     { benchmarkDecode(b, "state-change-running.json") }
func BenchmarkDecodeWindow(b *testing.B)          { benchmarkDecode(b, "window-of-events.json") }
func BenchmarkDecodeNotForUs(b *testing.B)        { benchmarkDecode(b, "snapshot-completed.json") }
func BenchmarkDecodeOtherCall(b *testing.B)       { benchmarkDecode(b, "attach-role-own.json") }

func BenchmarkEncodingJSONRunInstances(b *testing.B) {
	payload := compactSample(b, "run-instances-api.json")
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		var ev plainEvent
		if err := json.Unmarshal(payload, &ev); err != nil {
			b.Fatal(err)
		}
	}
}
