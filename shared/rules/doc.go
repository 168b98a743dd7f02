// Package rules decides: from what is known of the world and from the
// operator's policy it tells what holds, what does not, and what would put it
// right. One file per control, one function per rule, named as the rule's id; a
// new rule touches its control's file and its test.
//
// Everything here is pure: no context, client, clock or log. What is not known
// is never taken for right: it gives [fleet.Undecided], and no change. What only
// a request claimed may make a finding, never a change.
package rules
