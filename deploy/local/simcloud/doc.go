// Package simcloud is an in-memory Alibaba Cloud that the official SDKs talk to
// over HTTP. This package is its kernel: the clock, the world's state and the
// tables it is kept in. The wire protocols are in wire, each product in a
// folder of its own, and server puts them together.
//
// It imports nothing of the product and is written from the vendor's published
// facts, so that the two cannot share a misunderstanding.
package simcloud
