// Package lookout wires the eyes of all controls to the cloud, for those who look at
// everything: the sweep, and the operator's backfill. What it gives has no hands: no
// step, and no client that an act could use is handed out.
//
// The functions that own a control wire their own eyes and hands in their main, so that
// a reader sees the function's whole power there; only what the two share, the reading
// of shares, is here once for both.
package lookout
