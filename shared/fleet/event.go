package fleet

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	// EventUnknown is a well-formed event that nothing here is about. It has no
	// refs.
	EventUnknown EventKind = "unknown"
	// EventLaunch is one of [LaunchCalls]. Its refs are the new instances; for a
	// denied launch the call itself ([KindCall]); for one that succeeded and names
	// no instance, the account in the region, or nothing where other resources have the
	// same event, or the instances come later.
	EventLaunch EventKind = "launch"
	// EventImageShare is ModifyImageSharePermission, also when it failed.
	EventImageShare EventKind = "image-share"
	// EventResourceShare is a call of Resource Sharing that may have changed who
	// sees a snapshot or an image. Neither it nor [EventShareStatus] is on EventBridge's
	// published list (help page doc-detail/204963): where they do not come, the timer of
	// watch-shares finds what they would have named.
	EventResourceShare EventKind = "resource-share"
	// EventShareStatus is resourcemanager:ResourceSharing:AssociationStatusChange.
	EventShareStatus EventKind = "share-status"
	// EventStateChange is ecs:Instance:StateChange.
	EventStateChange EventKind = "state-change"
	// EventFirstHeartbeat is ecs:CloudAssistant:FirstHeartbeat. Which member names
	// the instance is not published; without one the ref is the account in the
	// region, to be searched for young instances.
	EventFirstHeartbeat EventKind = "first-heartbeat"
	// EventTaskCompleted is ecs:CloudAssistant:TaskCompleted.
	EventTaskCompleted EventKind = "task-completed"
	// EventMessage is one of our own inbox messages.
	EventMessage EventKind = "message"
	// EventTimer is a timer trigger; Text is its payload.
	EventTimer EventKind = "timer"
	// EventText is a topic's message, or a payload, that is not JSON; Text is it.
	EventText EventKind = "text"
	// EventHTTP is an HTTP trigger's request with no event in its body, which no function
	// serves.
	EventHTTP EventKind = "http"
	// EventManual is an empty payload: a person invoked the function.
	EventManual EventKind = "manual"
)
