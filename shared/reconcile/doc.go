// Package reconcile is the loop that every function, sweep and backfill runs:
// take a batch from the source, observe, decide, pass the gate (mode, dry run,
// pauses, limits), act, record, and re-queue what has to be checked again. It knows
// nothing of ECS: what is observed is a type parameter.
//
// The gate has two kinds of limits. The rate of a pass (perPass) puts the rest back, for as
// long as it takes. The stop of an hour (maxPerHour) is for what disturbs workloads, over all
// passes: it is counted in the ledger before the intent, where one append succeeds of
// those that passes make at once, and what surely was not made is given back. What it holds
// is neither made nor re-queued: one finding for each rule says so, and a person lets a
// part of it through.
//
// Acts are a list and not a map, because their order matters: a role must exist
// before it is attached.
package reconcile
