// Package ledger records the changes that passes intend and their outcomes, so that every
// change can be audited, shown and undone, also after a crash.
//
// A batch with changes makes two objects: its intent before the first write, its outcome
// after the last. A batch without changes makes none. Objects are only created, never
// replaced or deleted, so that no race loses a record; the names of both differ only in
// their end, so that they are neighbours in a listing:
//
//	attach-role/2026-01-05/080910.<run>.<request>.<payload>.<random>.intent.json
//	attach-role/2026-01-05/080910.<run>.<request>.<payload>.<random>.outcome.json
//
// Names sort by function, then by time. A prefix lists a day, a field of the name selects a
// run, and names alone show which intents are open. The run is "+" where the changes of one
// batch belong to several runs; then the object names them. One run may pass through
// several functions, passes and days: [Runs] and [Across] join it.
//
// An intent without an outcome was left by a pass that died, or that could not reach the
// store. Its refs are evaluated again: a change that is still wanted was not made. The
// result is written as a third object, settled. A pass that was only slow may still write
// its outcome, which then counts.
//
// The search for open intents is not on the hot path. A process searches before its first
// batch, since a pass that died took its process with it; when the platform repeats an
// invocation; and once more when an intent that was too recent is old enough, or could not
// be settled. The sweep settles the rest.
//
// An outcome records changes made by this pass, also where reads do not show them yet. A
// change that the cloud accepted and that could not be read back is started, and counts as
// made by its run. One that was already in place is skipped, and counts as another
// caller's. One that is later was not made, or had no answer and is not visible: if it is
// in place afterwards, its author is unknown.
//
// Beside the days of a function are its counts of disruptive changes within an hour, one
// chain of objects for each account, region and control:
//
//	attach-role/~hour/<account>.<region>.<control>/000000017.json
//
// The package depends on object names only, not on a cloud.
package ledger
