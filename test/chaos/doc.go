// Command chaos plays random histories on the local cloud, with the real functions as
// s.yaml deploys them, and checks what must be true of the cloud afterwards.
//
// A history is a world (a policy, regions, limits) and steps: what operators and others do
// there, how time passes, in minutes and in nights, and what goes wrong at every boundary.
// It is a pure function of its seed. Most are drills: in a situation that a function has to deal
// with, one thing goes wrong at one of its calls, and seeds that follow each other take all of
// these in turn. When it ends, faults end too; dead letters are redriven,
// what failed is asked for again as a person would, and sweeps run. Then each resource must
// be as the policy says or have a finding that says why not, and all that [player.check]
// lists must hold.
//
// Each condition is written here a second time, from the README's tables and the
// vendor's facts: nothing of the product's decisions is linked, and what the product says of itself
// counts only where the check is whether it said so. The world is read where the
// local cloud keeps it, or by API as the operator.
//
// A history that ends badly is shortened to the steps that matter, and written where
// "make chaos HISTORY=FILE" repeats it. Seeds give the same history each time; processes
// and windows still race, so a rare interleaving may need several repetitions.
package main
