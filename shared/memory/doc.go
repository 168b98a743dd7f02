// Package memory keeps since when sweeps have found what no API dates: (rule, instance,
// first found) of each rule that did not hold, or was waited for, when the newest sweep
// checked it.
//
// Each shard of a sweep, one account and region, leaves its memory when it ends, in
// objects of about 1 MiB, sorted by instance and rule. Objects are only ever made, so the
// memory of the next night is another one:
//
//	memory/<account>/<region>/<run>/000001.<first instance>.json
//	memory/<account>/<region>/<run>/000002.<first instance>.last.json
//
// A run without its last object was not finished, and does not count. Names sort by time,
// so one listing finds the newest run and which of its objects has an instance.
//
// An entry is carried from night to night while the rule does not hold, through nights
// without a sweep and through checks that could not determine it. It is dropped when the
// rule holds once, when an exemption waives it, when the policy does not ask for it, and when
// the instance is gone: a grace then starts again. A shard that was not read to its end
// carries what it did not see. An older memory is not carried over a night that saw the
// shard and could not keep what it found.
//
// A memory that is lost, cut or not readable remembers nothing: patience that needs it has
// not ended, and counts again from the sweep that finds that. Only the role of the sweep
// may write it; a message never names it.
//
// However many instances a shard has, what is in the memory of the process stays the same:
// a past is in a file of this machine with a sparse index, and what is to be remembered is
// sorted in files.
package memory
