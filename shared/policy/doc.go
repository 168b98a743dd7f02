// Package policy is the operator's policy file: its content ([Policy]), its reader
// ([Load]), and its selectors ([Selector], [Control], [Exemption]).
//
// A policy is a value. The package calls no cloud, reads no clock, and opens no file but that of
// a time zone: callers pass bytes and times. It decides nothing about instances or roles; the
// rules do, which read the policy.
//
// One table, in fields.go and channels.go, describes each key of the file. The loader and the canonical JSON
// follow it, and the JSON Schema for editors is made from it by a test.
package policy
