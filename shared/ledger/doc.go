// Package ledger keeps what passes are about to change and what became of it, so
// that every change can be accounted for, shown and undone, also after a crash.
//
// A batch with changes makes two objects: its intent before the first write, its
// outcome after the last. A batch without changes makes none. Objects are only ever
// made, never replaced or deleted, so that nothing that was told can be lost to a
// race; both have the same name but for its end, and stand beside each other in a
// listing:
//
//	attach-role/2026-01-05/080910.<run>.<request>.<payload>.<random>.intent.json
//	attach-role/2026-01-05/080910.<run>.<request>.<payload>.<random>.outcome.json
//
// Names sort by function, then by time. A day is listed by its prefix, a run by its
// place in the names, and what is open is seen from the names alone. The run is "+"
// where the changes of one batch belong to several runs; then the object says which.
// One run may pass through several functions, passes and days: [Runs] and [Across] put
// it together again.
//
// An intent without an outcome is left by a pass that died, or that could not reach
// the store. What came of it is read from the world: its refs are looked at again,
// and what is still wanted was not made. That is written as a third object, settled.
// A pass that was only slow may still tell its outcome, which then counts.
//
// Looking for open intents is not on the hot path. A process looks before its first
// batch, since a pass that died took its process with it; when the platform says
// that it repeats an invocation; and once more when something that was too fresh to
// judge has come of age, or could not be judged. Whatever escapes that is for the sweep
// to settle.
//
// An outcome tells what was made here also where the world does not show it yet. What the
// cloud took and could not be read back is started, and counts as made by its run. What
// was there before is skipped, and counts as somebody else's. What is later was not made,
// or had no answer and does not show: if it is there afterwards, nobody knows whose it is.
//
// Beside the days of a function stand its counts of what it did to workloads within an
// hour, one chain of objects for each account, region and control:
//
//	attach-role/~hour/<account>.<region>.<control>/000000017.json
//
// The package knows objects by name, and no cloud.
package ledger
