// Package rules has the tests of the packages below it, which decide: from the known world and
// the operator's policy, instances and shares return which rules hold, which do not, and the
// changes that repair them, one function per rule, named as the rule's id; verdict has what both
// use. The tests share one set of worlds, and check of all rules at once what must be true of each.
//
// All of it is pure: no context, client, clock or log. An unknown fact never passes: it gives
// [fleetwarden/shared/fleet.Undecided], and no change. A claim of a request may make a finding,
// never a change.
package rules
