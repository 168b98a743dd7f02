// Package plan stores what an operator is going to change: which resources, by which
// control, and their state before and after. A plan is made from what a sweep found, saved
// once, and applied unchanged: an item whose resource has changed since is left out as stale,
// and a resource that is not in the plan is not touched.
//
// Applying changes nothing by itself. It checks the items again, and puts the refs of those
// that are as planned into the inboxes of the controls' owners, which decide again and act.
// So a plan grants no power: an edited one is refused by its digest, and a forged one only
// selects from what the policy demands anyway.
//
//	plans/<id>.json      a plan
//	applies/<run>.json   which plan a run applies, and how many of its items it enqueues
package plan
