// Package undo takes back what one run did: only that, and only where the world is still
// as the run left it.
//
// An undo is an order. Messages carry refs and never orders, so it cannot travel through
// the inboxes of the functions that made the changes: they would look, and decide the
// same again. It is carried out by hand of an operator, by backfill, with rights of its
// own that have to be granted for it (deploy/ram/optional/backfill-undo.json), and it is
// not held by the mode of a control. Where a control still enforces, it will make its
// change again at its next look: set it to audit first.
//
// What to undo is told by the ledger. Each change of a kind that can be undone moves one
// slot - the role of an instance, a tag, the trust of a role - from one value to another.
// The changes of a run to one slot are put together, and undoing them moves the slot
// back. It is left alone, with the reason, where the ledger shows that another run
// changed it later, where the world shows something else than the run left, and where
// what the run made should not be unmade by a program: roles, policies and what runs on
// instances. What the ledger says is checked for being something that Fleetwarden does,
// so that whoever can write to the ledger cannot choose what is written to an account.
//
// The rest is the core's: an undo is a control of [reconcile], with intents and outcomes
// in the ledger, a dry run and records. So an undo that was killed is repeated, and an
// undo can be undone by its own run.
package undo
