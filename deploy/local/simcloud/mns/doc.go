// Package mns is the queue half of Simple Message Queue (MNS): queues and
// messages on virtual time, the REST protocol of messages, version 2015-06-06, that
// the official SDKs speak, and the RPC product that makes queues.
//
// A [Service] holds the queues and can be used directly, as EventBridge and
// Function Compute do inside the cloud. A [Handler] puts the REST protocol
// before it. Topics are not here.
//
// Facts: published API pages of MNS, and aliyun-mns-go-sdk v1.0.11.
package mns
