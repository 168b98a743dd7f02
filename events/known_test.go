package events_test

import (
	"slices"
	"testing"

	"fleetwarden/events"
)

// Of the samples, these are no events.
var noEvents = []string{"manual-empty.txt", "manual-unknown.json", "topic-stream.txt", "cloudmonitor-notice.json", "topic-stream-attributes.json"}

func TestAFileIsOfEventsIfAnythingInItIs(t *testing.T) {
	for name, payload := range payloads(t, "samples") {
		if err := events.Check(payload); (err != nil) != slices.Contains(noEvents, name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for payload, ok := range map[string]bool{
		"": false, "hello": false, "{}": false, "[{}]": false, "7": false, "[7]": false, `{"a":`: false, `{"event":"x"}`: false, `[[]]`: true,
		`{"Instances":{"Instance":[]}}`: false, "a,b\n1,2\n": false, "i-1": false, "version: 1": false,
		"[]": true, `{"Events":[],"RequestId":"r"}`: true, stateChange: true, `[7,` + stateChange + `]`: true, "{}\n" + stateChange: true,
		`{"v":1}`: true, `{"specversion":"1.0","type":"oss:x"}`: true, `{"eventName":"StopInstance","eventId":"E"}`: true,
		`{"eventName":"RunInstances","eventId":"E","serviceName":"Ecs"}`: true, // without an owner, which is said of it
	} {
		if err := events.Check([]byte(payload)); (err == nil) != ok {
			t.Errorf("%s: got %v", payload, err)
		}
	}
}
