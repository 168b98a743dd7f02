// Command backfill is the function backfill: what an operator types as commands of
// fleetwarden, with the function's rights for whoever may invoke it, as
// {"args": ["plan", "--control", "instance-role"]}. Nothing else wakes it.
//
// It changes nothing but what undo takes back: plans are carried out by the functions
// that own the controls.
package main

import (
	"os"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
)

func main() {
	fcrun.Start(command.Function(fleet.FunctionBackfill, os.Stdout, command.Check(), command.Plan(), command.Apply(),
		command.Undo(), command.Replay(), command.Redrive(), command.Runs(), command.Show(), command.Why()))
}
