// Package eventbridge is the default event bus of every account and region: it
// puts the CloudEvents envelope around what the services publish, matches rules
// and pushes to their targets, with latency, retries and dead letters in virtual
// time.
//
// [Pattern] is a pure matcher of the documented pattern syntax and has no part
// in the rest. The API, version 2020-04-01, has rules, targets and service-linked roles;
// rules of FC triggers are made in Go and show in it. Custom buses and transformations
// are not here. Event streams belong to the consumer, see deploy/local.
//
// Facts: help pages of EventBridge on event patterns, event overview, limits and
// target parameters.
package eventbridge
