// Package stack puts what this repository deploys onto a simcloud server: the
// functions of s.yaml with their triggers, the queues of deploy/queues.json with
// the event rules of deploy/eventrules, the roles of deploy/ram, and a log store over
// what the functions write, with the fields of deploy/queries.json.
//
// It plays what stands between EventBridge, MNS, timers and functions: rules
// that invoke, and streams that deliver a queue's messages in windows. The
// functions themselves are run by deploy/local/fc.
package stack
