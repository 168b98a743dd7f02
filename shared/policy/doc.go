// Package policy is the operator's policy file: what it may say ([Policy]),
// how it is read ([Load]), and which things it speaks of ([Selector],
// [Control], [Exemption]).
//
// A policy is a value. The package opens no file, asks no cloud and reads no
// clock: callers pass bytes and times. It decides nothing about instances or
// roles; that is for the rules, which read the policy.
//
// One table, in fields.go, describes each key of the file. The loader, the
// canonical JSON and the JSON Schema for editors all follow it.
package policy
