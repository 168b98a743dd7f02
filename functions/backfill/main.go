// Command backfill is what an operator does by hand: plan and apply for the whole fleet
// or a part of it, replay what ActionTrail recorded, redrive dead letters, undo a run,
// and look up what runs did. It is a tool for the terminal; as the function backfill,
// which nothing wakes, it does the same with the function's rights for whoever may
// invoke it with {"args": ["plan", "--control", "instance-role"]}.
//
// It changes nothing but what undo takes back: plans are carried out by the functions
// that own the controls.
package main

import "fleetwarden/shared/cli"

func main() {
	cli.Serve(cli.Plan(), cli.Apply(), cli.Replay(), cli.Redrive(), cli.Undo(), cli.Runs(), cli.Show())
}
