// Package reconcile is the loop that every function, sweep and backfill runs:
// take a batch from the source, observe, decide, pass the gate (mode, dry run,
// limits), act, record, and put back what has to be looked at again. It knows
// nothing of ECS: what is observed is a type parameter.
//
// Acts are a list and not a map, because their order matters: a role must exist
// before it is attached.
package reconcile
