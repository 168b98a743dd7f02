// Package fleet holds the values that every other part of Fleetwarden passes
// on: where to look ([Ref]), what is known ([World], [Fact]), what was decided
// ([Verdict]), what is to be done ([Change]), what came of it ([Result]) and
// what is recorded ([Record]).
//
// It uses the standard library only and has no behaviour beyond reading its
// own values: no clients, no clocks, no decisions. Names are Alibaba Cloud's
// for Alibaba Cloud's things.
package fleet
