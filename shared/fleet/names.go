package fleet

import "strings"

// Prefix stands before the name of everything that a deployment makes in the cloud. The
// names of Function Compute 3.0, of queues and of roles are the account's: without it, a
// function sweep would replace another team's.
const Prefix = "fleetwarden-"

// CanaryPrefix begins the client token of a launch that is asked for to be refused: an operator
// follows it from the call to the functions' records.
const CanaryPrefix = Prefix + "canary-"

// CanaryImage is the image that it asks for. It is no image's id, so that nothing can be launched
// with it, dry run or not.
const CanaryImage = "m-fleetwardencanary"

// CloudName returns the name in the cloud of a function such as attach-role; its RAM role
// and its inbox have the same. Records, texts and paths have the short one.
func CloudName(function string) string { return Prefix + function }

// FunctionOf returns the function whose name in the cloud that is, and whether it has the
// form of one of ours.
func FunctionOf(cloudName string) (string, bool) { return strings.CutPrefix(cloudName, Prefix) }

// DefaultBus is the event bus on which the cloud's own events lie.
const DefaultBus = "default"

// LogStore is the name of the log store of the functions, in [LogProject]; deploy/terraform/logs.tf
// makes both.
const LogStore = "functions"

// LogProject returns the name of the log project of the functions in a scope.
func LogProject(s Scope) string { return Prefix + string(s.Account) + "-" + string(s.Region) }
