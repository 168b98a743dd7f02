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
// instances.
//
// Each function can write its own part of the ledger, so a part is believed only about
// changes that its function makes, whatever its content says, and about names that have
// the shape of names. Beyond that, of what an undo would write:
//
//   - tags, share roles, key policies and their documents are ours by name and form;
//   - no role but the systrust role of the policy file is detached from an instance. The
//     role that is attached again is somebody's, and the ledger alone says whose it was:
//     the operator has to look at it in the plan;
//   - a trust document trusts nobody again whom the role does not trust now, unless the
//     policy file approves them by account or folder.
//
// So whoever can write one function's part of the ledger can have taken back what that
// function could have made, and nothing else but the role of an instance that has the
// systrust role, which the plan shows. Backfill's own part counts for all that undoing
// makes.
//
// The rest is the core's: an undo is a control of [reconcile], with intents and outcomes
// in the ledger, a dry run and records. So an undo that was killed is repeated, and an
// undo can be undone by its own run.
package undo
