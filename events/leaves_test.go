package events_test

import (
	"strconv"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"

	"github.com/google/go-cmp/cmp"
)

func TestParametersAreReadPastAnyPunctuationInTexts(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 12) + `"]}\\\"[{,"` + strings.Repeat(`]}`, 12)
	want := &fleet.Launch{ImageID: `m-"1`, InstanceType: "ecs.g7t.large", VSwitchID: "vsw-1", Amount: 2, HasUserData: true}
	for what, params := range map[string]string{
		"quotes and braces": `{"Name":"a\"b,}{][:\\","ImageId":"m-\"1","InstanceType":"ecs.g7t.large","VSwitchId":"vsw-1","Amount":2,"UserData":"x"}`,
		"blanks":            "\n{ \"ImageId\" :\t\"m-\\\"1\" ,\r\n\"InstanceType\" : \"ecs.g7t.large\" , \"VSwitchId\":\"vsw-1\",\"Amount\" : 2 , \"UserData\" : \"x\" }\n",
		"escaped names":     `{"Im\u0061geId":"m-\"1","InstanceType":"ecs.g7t.large","VSwitchId":"vsw-1","Amount":"2","UserData":"\\"}`,
		"nested":            `{"Tag":[{"Key":"k\\","Value":"}"},[],{}],"NetworkInterface":[{"VSwitchId":"vsw-1"}],"ImageId":"m-\"1","InstanceType":"ecs.g7t.large","Amount":2,"UserData":"x"}`,
		"too deep":          `{"Tag":` + deep + `,"ImageId":"m-\"1","InstanceType":"ecs.g7t.large","VSwitchId":"vsw-1","Amount":2,"UserData":"x"}`,
		"in a text":         `" {\"ImageId\":\"m-\\\"1\",\"InstanceType\":\"ecs.g7t.large\",\"VSwitchId\":\"vsw-1\",\"Amount\":2,\"UserData\":\"x\"} "`,
	} {
		t.Run(what, func(t *testing.T) {
			if diff := cmp.Diff(want, only(t, launch(params)).Call.Launch); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParametersThatBreakOffInATextAreNotRead(t *testing.T) {
	for _, params := range []string{`"{\"ImageId\":\"m-1\""`, `"{\"ImageId\":\"m-1"`, `"{\"ImageId\":\"m-1\"}}"`, `"{"`, `" "`, `""`, `"\""`, `null`} {
		ev := only(t, launch(params))
		if l := ev.Call.Launch; l != nil && l.ImageID != "" {
			t.Errorf("%s: got %+v", params, l)
		}
		if len(ev.Refs) != 1 {
			t.Errorf("%s: the instance was lost with them: %v", params, ev.Refs)
		}
	}
}

// Some parameters are sent as JSON in a text, such as SystemDisk and DataDisk by the aliyun CLI.
func TestJSONInTheTextOfAParameterIsReadLikeItsMembers(t *testing.T) {
	want := &fleet.Launch{SystemDiskCategory: "cloud_essd", TrustedSystemMode: "vTPM", VSwitchID: "vsw-1", HasUserData: true}
	for _, params := range []string{
		`{"SystemDisk":{"Category":"cloud_essd"},"SecurityOptions":{"TrustedSystemMode":"vTPM"},"NetworkInterface":[{"VSwitchId":"vsw-1"}],"UserData":"{\"a\":1}"}`,
		`{"SystemDisk":"{\"Category\":\"cloud_essd\"}","SecurityOptions":"{\"TrustedSystemMode\":\"vTPM\"}","NetworkInterface":"[{\"VSwitchId\":\"vsw-1\"}]","UserData":"{\"a\":1}"}`,
		`"{\"SystemDisk\":\"{\\\"Category\\\":\\\"cloud_essd\\\"}\",\"SecurityOptions.TrustedSystemMode\":\"vTPM\",\"NetworkInterface.1\":\"{\\\"VSwitchId\\\":\\\"vsw-1\\\"}\",\"UserData\":\"[broken\"}"`,
	} {
		if diff := cmp.Diff(want, only(t, launch(params)).Call.Launch); diff != "" {
			t.Errorf("%s (-want +got):\n%s", params, diff)
		}
	}
}

func TestTextsInTextsEndSomewhere(t *testing.T) {
	text := `{"ImageId":"m-1"}`
	for range 12 {
		text = `{"Tag":` + strconv.Quote(text) + `}`
	}
	if ev := only(t, launch(text)); ev.Call.Launch != nil || len(ev.Refs) != 1 {
		t.Errorf("got %+v", ev)
	}
}
