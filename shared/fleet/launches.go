package fleet

import "slices"

// LaunchCall is a kind of call that creates instances, by its name in ActionTrail's
// records. Decoder, event rules, watchers and replay read this one table.
type LaunchCall struct {
	// Event is the eventName.
	Event string
	// AnyResource says that purchases of other resources, such as disks, have the same
	// name: only a record that names instances is a launch.
	AnyResource bool
	// Deferred says that a call that succeeded need not have launched anything itself: then
	// the instances come by calls of their own.
	Deferred bool
	// Assumed says that no record of the call has been published.
	Assumed bool
}

const (
	// LaunchService is the serviceName of all launch calls: other products, such as ENS,
	// have a RunInstances of their own.
	LaunchService = "Ecs"
	// LaunchSource is the source of their CloudEvents.
	LaunchSource = "acs.ecs"
)

// LaunchCalls returns all calls that create instances.
//
// ActionTrail lists Create, CreateInstance and RunInstances as the events that begin an
// instance's life (DescribeResourceLifeCycleEvents). Create is a purchase on the buy page
// (help.aliyun.com/document_detail/289931.html). Auto Scaling and ACK call RunInstances
// with their service-linked roles. An auto provisioning group of type instant returns the
// instances it launched, one of another type launches later (API reference of
// CreateAutoProvisioningGroup).
func LaunchCalls() []LaunchCall { return slices.Clone(launchCalls[:]) }

var launchCalls = [...]LaunchCall{
	{Event: "RunInstances"},
	{Event: "CreateInstance"},
	{Event: "Create", AnyResource: true},
	{Event: "CreateAutoProvisioningGroup", Deferred: true, Assumed: true},
}

// LaunchCallOf returns the launch call of that name, if it is one.
func LaunchCallOf(event string) (LaunchCall, bool) {
	for _, c := range launchCalls {
		if c.Event == event {
			return c, true
		}
	}
	return LaunchCall{}, false
}
