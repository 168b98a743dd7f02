package events_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"fleetwarden/events"
)

// The ids are claimed, and each hundred of them would cost a call.
func TestOfTheDisksOfALaunchNoMoreAreKeptThanALaunchCanMake(t *testing.T) {
	for named, want := range map[int]int{0: 0, 100: 100, 1700: 1700, 1701: 1700, 10_000: 1700} {
		ids := make([]string, named)
		for i := range ids {
			ids[i] = fmt.Sprintf("d-bp1a2b3c4d5e6f7g%05d", i)
		}
		record, err := json.Marshal(map[string]any{
			"eventId": "e-1", "eventName": "RunInstances", "serviceName": "Ecs", "acsRegion": "cn-hangzhou",
			"recipientAccountId": "1000000000000001", "requestParameters": map[string]any{"Amount": 100},
			"referencedResources": map[string]any{"ACS::ECS::Disk": ids, "ACS::ECS::Instance": []string{"i-1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for ev, err := range events.Decode(record) {
			if err != nil {
				t.Fatal(err)
			}
			if got := len(ev.Call.Launch.Disks); got != want || len(ev.Refs) != 1 {
				t.Errorf("%d disks named: %d kept, want %d; refs %v", named, got, want, ev.Refs)
			}
		}
	}
}
