// Package events turns the bytes that Function Compute hands to a function into
// refs: where to look. [Decode] reads every shape that Alibaba Cloud's triggers
// deliver: CloudEvents from EventBridge with a trail record or an ECS event in
// them, windows of queue messages, timers, topics, failed asynchronous
// invocations, and our own inbox messages; and what a person may have of a trail:
// bare records, the output of LookupEvents, logs of Simple Log Service, one value
// or one a line. An element that is not JSON harms only itself.
//
// What an event says about the world is never taken for the world. It is kept
// as a claim ([fleet.Call]) beside the refs. Request parameters are read for the
// few names that rules ask about and then forgotten: user data and passwords
// are neither kept nor quoted in errors.
//
// JSON is read leniently where senders differ: of members with the same name
// the last one wins (lists of ids, where one less could hide an instance, are
// read from all of them), bytes that are not UTF-8 become U+FFFD, a member of
// an unexpected type counts as missing. Ids, accounts and regions are then
// checked strictly, because they travel into requests.
//
// The package decides nothing, calls nothing and keeps no state. The folder
// samples has one file per kind of payload, for tests and for
// s invoke --event-file.
package events
