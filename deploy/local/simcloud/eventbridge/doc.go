// Package eventbridge has the default event bus of every account and region, and the custom
// buses that were made: it puts the CloudEvents envelope around what the services publish,
// matches rules and pushes to their targets, with latency, retries and dead letters in
// virtual time. Events come onto a custom bus from the rules of other accounts alone; there
// is no PutEvents here.
//
// [Pattern] is a pure matcher of the documented pattern syntax and has no part
// in the rest. The API, version 2020-04-01, has buses, rules, targets and service-linked
// roles, and shows what
// became of events; rules of FC triggers are made in Go and show in it. Transformations are not here. Event streams belong to the consumer, see deploy/local.
//
// Facts: help pages of EventBridge on event patterns, event overview, limits, target
// parameters and the routing of events to EventBridge.
package eventbridge
