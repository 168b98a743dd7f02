// Command fleetwarden is the operator's tool: what events and sweeps do by themselves, by
// hand. It links no act but undo's: what has to be changed is queued for the functions that own
// the controls, and their records in the ledger say what became of it.
package main

import (
	"context"
	"os"
	"os/signal"

	"fleetwarden/shared/cli"
	"fleetwarden/shared/command"
)

const about = "guardrails for ECS fleets, by hand"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	status := cli.Main(ctx, cli.Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}, about, commands()...)
	stop()
	os.Exit(status)
}

// commands are in the order in which an operator needs them.
func commands() []command.Command {
	return []command.Command{
		command.Check(), command.Sweep(cli.Publish), command.Plan(), command.Apply(), command.Undo(), command.Replay(), command.Redrive(),
		command.Doctor(), command.Notify(), command.Pause(), command.Resume(),
		command.Runs(), command.Show(), command.Why(), command.Report(), command.Policy(cli.Deployed), cli.Exempt(nil), command.Version(),
	}
}
