// Package memory stores facts of sweeps that no API dates: (rule, instance, first found) of
// each rule that did not hold, or was pending, when the newest sweep checked it.
//
// Each shard of a sweep, one account and region, writes its memory when it ends, in objects
// of about 1 MiB, sorted by instance and rule. Objects are only created, so each night has
// its own memory:
//
//	memory/<account>/<region>/<run>/000001.<first instance>.json
//	memory/<account>/<region>/<run>/000002.<first instance>.last.json
//
// A run without its last object was not finished, and does not count. Names sort by time,
// so one listing finds the newest run and which of its objects has an instance.
//
// An entry is carried from night to night while the rule does not hold, through nights
// without a sweep and through checks that could not determine it. It is dropped when the
// rule holds once, when an exemption waives it, when the policy does not require it, and
// when the instance is gone: a grace then starts again. A shard that was not read to its
// end carries the entries of instances that it did not see. An older memory is not carried
// over a night that saw the shard and could not store its result.
//
// A lost, truncated or unreadable memory has no entries: patience that needs it has not
// ended, and starts with the sweep that finds that. Only the role of the sweep may write
// it; a message never names it.
//
// Memory use of the process does not grow with the shard: a past is in a local file with a
// sparse index, and new entries are sorted in files.
package memory
