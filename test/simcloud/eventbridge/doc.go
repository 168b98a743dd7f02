// Package eventbridge is the default event bus of every account and region: it
// puts the CloudEvents envelope around what the services publish, matches rules
// and pushes to their targets, with latency, retries and dead letters in virtual
// time.
//
// [Pattern] is a pure matcher of the documented pattern syntax and has no part
// in the rest. Custom buses, transformations and the API are not here: rules are
// made in Go. Event streams belong to the consumer, see deploy/local.
//
// Facts: help pages of EventBridge on event patterns, event overview, limits and
// target parameters.
package eventbridge
