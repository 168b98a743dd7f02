package events_test

import (
	"fmt"
	"testing"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

// What a launch that names no instance leads to depends on the call, and on whether it
// failed.
func TestALaunchWithoutIDsLeadsWhereTheTableSays(t *testing.T) {
	const record = `{"eventId":"E","eventName":"%s","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1","errorCode":"%s"}`
	for _, c := range fleet.LaunchCalls() {
		for code, want := range map[string]fleet.Kind{"": fleet.KindAccount, "Forbidden.RAM": fleet.KindCall} {
			if c.AnyResource || c.Deferred && code == "" {
				want = ""
			}
			ev := only(t, fmt.Sprintf(record, c.Event, code))
			var got fleet.Kind
			if len(ev.Refs) > 0 {
				got = ev.Refs[0].Kind
			}
			if got != want || ev.Kind != events.KindLaunch || (ev.Ignored != "") != (want == "") {
				t.Errorf("%s, code %q: got %+v, want %q", c.Event, code, ev, want)
			}
		}
	}
}
