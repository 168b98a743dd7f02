// Package terminal runs a function from a command line: flags instead of an invocation, a
// dry run unless --apply is given, a table instead of a log. It runs the same handler as
// Function Compute; only input and output differ. It waits between checks, on a
// clock that tests can replace.
package terminal
