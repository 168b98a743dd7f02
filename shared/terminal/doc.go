// Package terminal runs a function as a person types it: flags instead of an
// invocation, a dry run unless --apply is given, a table instead of a log. It is the
// same handler that Function Compute runs; only the edges differ. It is the only
// place that waits, on a clock that tests can replace.
package terminal
