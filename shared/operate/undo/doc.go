// Package undo restores what one run changed: only that, and only where the account is still
// as the run left it.
//
// An undo is an order. Messages carry refs and never orders, so an undo cannot travel through
// the inboxes of the functions that made the changes: they would observe, and decide the same
// again. Backfill carries it out for an operator, with rights of its own that must be granted
// for it (deploy/ram/optional/backfill-undo.json), whatever the mode of a control. A control
// that still enforces makes its change again at its next check: set it to audit first.
//
// The ledger says what to undo. Each change of a kind that can be undone moves one slot - the
// role of an instance, a tag, the trust of a role - from one value to another. The changes of
// a run to one slot are joined, and undoing them moves the slot back. A slot is left alone,
// with the reason, if the ledger has a later change of it by another run, if its value is not
// the one that the run left, or if a program should not remove what the run made: roles,
// policies and agents on instances.
//
// Each function can write its own part of the ledger, so a part is trusted only for changes
// that its function makes, whatever its content claims, and only for well-formed names. Beyond
// that, of what an undo would write:
//
//   - tags, share roles, key policies and their documents are ours by name and form;
//   - no role but the systrust role of the policy file is detached from an instance. Which role
//     is attached again is known from the ledger alone: the operator has to check it in the
//     plan;
//   - a trust document does not trust again an account or folder that the role does not trust
//     now, unless the policy file approves it.
//
// So an attacker who can write one function's part of the ledger can have those changes undone
// that the function could have made, and besides them only the role of an instance that has the
// systrust role, which the plan shows. Backfill's own part is trusted for all changes that
// undoing makes.
//
// The core does the rest: an undo is a control of [reconcile], with intents and outcomes in
// the ledger, a dry run and records. So an undo that was killed can be repeated, and an undo
// can be undone by its own run.
package undo
