// Package controls wires observe and decide of each control for sweep, plan and operators,
// without acts: it returns no step, and no client that an act could use.
//
// The functions that own a control wire its observe, decide and acts in their main, so that
// a reader sees the function's whole power there; only ShareWorld serves both.
package controls
