package queue_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// A queue refuses a message that is too long, and the whole pass would fail with it.
func TestAMessageTooLongForAQueueGoesWithoutTheDisksThatTheLaunchNamed(t *testing.T) {
	for disks, keeps := range map[int]bool{0: true, 1700: true, 3000: false} {
		launch := fleet.Launch{InstanceType: "ecs.g7t.large", Amount: 100}
		for n := range disks {
			launch.Disks = append(launch.Disks, fmt.Sprintf("d-bp1a2b3c4d5e6f7g%04d", n))
		}
		given := len(launch.Disks)
		all := refs(100)
		for i := range all {
			all[i].Call = &fleet.Call{Name: "RunInstances", Launch: &launch}
		}
		for i := range all[1:] {
			all[i+1].Call = all[0].Call // one launch
		}
		s := &sender{}
		if err := queue.New(s, "attach-role").Again(t.Context(), all, 0); err != nil || len(s.sent) != 1 {
			t.Fatalf("%d disks: %v, %d messages", disks, err, len(s.sent))
		}
		if n := len(s.sent[0].Body); n > mns.MaxBytes {
			t.Errorf("%d disks: the message has %d bytes", disks, n)
		}
		var got fleet.Message
		if err := json.Unmarshal([]byte(s.sent[0].Body), &got); err != nil {
			t.Fatal(err)
		}
		want := launch
		if !keeps {
			want.Disks = nil
		}
		if diff := cmp.Diff(&want, got.Call.Launch); diff != "" || len(got.IDs) != 100 {
			t.Errorf("%d disks: %d ids\n%s", disks, len(got.IDs), diff)
		}
		if len(launch.Disks) != given {
			t.Errorf("%d disks: the launch was written to", disks)
		}
	}
}

// A text of a message may become longer when it is encoded again: a "<" becomes six bytes.
func TestAMessageThatIsStillTooLongGoesWithoutItsCall(t *testing.T) {
	for size, keeps := range map[int]bool{8_000: true, 12_000: false} {
		one := refs(1)
		one[0].Call = &fleet.Call{Name: "RunInstances", Caller: strings.Repeat("<", size), Launch: &fleet.Launch{Amount: 1}}
		s := &sender{}
		if err := queue.New(s, "attach-role").Again(t.Context(), append(one, refs(2)[1]), 0); err != nil || len(s.sent) != 2 {
			t.Fatalf("%d: %v, %d messages", size, err, len(s.sent))
		}
		var got fleet.Message
		if err := json.Unmarshal([]byte(s.sent[0].Body), &got); err != nil || len(s.sent[0].Body) > mns.MaxBytes {
			t.Fatalf("%d: %v, %d bytes", size, err, len(s.sent[0].Body))
		}
		if (got.Call != nil) != keeps || len(got.IDs) != 1 || got.IDs[0] != "i-000" {
			t.Errorf("%d: got %d ids, a call: %v", size, len(got.IDs), got.Call != nil)
		}
	}
}
