// Package rules decides: from the known world and the operator's policy it returns which
// rules hold, which do not, and the changes that repair them. One file per control, one
// function per rule, named as the rule's id; a new rule touches its control's file and its
// test.
//
// It is pure: no context, client, clock or log. An unknown fact never passes: it gives
// [fleet.Undecided], and no change. A claim of a request may make a finding, never a
// change.
package rules
