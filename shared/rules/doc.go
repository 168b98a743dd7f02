// Package rules has no code: its rooms decide. From the known world and the operator's policy
// they return which rules hold, which do not, and the changes that repair them. instances and
// shares have one file per control, with one function per rule, named as the rule's id; verdict
// is what both make verdicts of. The tests are here, since one set of worlds serves all rooms,
// and what must be true of every rule is tested of all at once.
//
// All of it is pure: no context, client, clock or log. An unknown fact never passes: it gives
// [fleetwarden/shared/fleet.Undecided], and no change. A claim of a request may make a finding,
// never a change.
package rules
