// Package plan keeps what an operator means to change, before it is changed: which
// things, by which control, and how each stands and should stand. A plan is made from
// what a sweep found, saved once, and applied as it is: what has changed since is left
// out as stale, what was not in it is not touched.
//
// Applying carries nothing out. It looks again, and tells the owners of the controls
// where to look; they decide anew, and do it. So a plan has no power that its reader
// does not: an edited one is refused by its digest, a forged one selects from what the
// policy wants anyway.
//
//	plans/<id>.json      a plan
//	applies/<run>.json   which plan a run has applied, and what was told
package plan
