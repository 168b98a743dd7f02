// Package cli is the tool of the operator: its commands, tables and progress. A command
// reads its flags, calls a package of shared/operate, and shows the result. The same commands
// run in a terminal, with the operator's keys, and in Function Compute, with the function's
// rights. A main lists the commands of its tool, and so shows which of them link code that can
// write.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/terminal"
)

// name is that of the tool.
const name = fleet.FunctionBackfill

// Serve runs commands for the process: under Function Compute until the platform ends it,
// in a terminal the one that its arguments name. It does not return.
func Serve(commands ...Command) {
	if fcrun.Inside() {
		fcrun.Start(invocation.Function{Name: name, About: about, Unbounded: true, Handle: func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
			return invoked(ctx, inv, commands)
		}})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	code := inTerminal(ctx, commands, terminal.Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// invoked serves an invocation. Its output is in the function's log, as JSON.
func invoked(ctx context.Context, inv *invocation.Invocation, commands []Command) (fleet.Pass, error) {
	var in struct {
		Args []string `json:"args"`
	}
	d := json.NewDecoder(bytes.NewReader(inv.Payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return fleet.Pass{}, &fleet.BadInput{Where: "the invocation", What: `it has to be such as {"args": ["runs"]}`}
	}
	j := &job{
		open: func(context.Context, string) (*invocation.Invocation, error) { return inv, nil },
		out:  os.Stdout, err: os.Stderr, json: true, inside: true, commands: commands,
	}
	err := j.run(ctx, in.Args)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	return fleet.Pass{Calls: inv.Session.Calls()}, err
}

// inTerminal runs one command and returns the exit status.
func inTerminal(ctx context.Context, commands []Command, env terminal.Env) int {
	j := &job{
		open: func(ctx context.Context, policyFile string) (*invocation.Invocation, error) {
			return terminal.Open(ctx, name, policyFile, env)
		},
		out: env.Stdout, err: env.Stderr, live: terminalAt(env.Stderr) && env.Getenv("TERM") != "dumb", commands: commands,
	}
	err := j.run(ctx, env.Args)
	status := statusOf(ctx, err)
	if status != exitOK {
		fmt.Fprintf(env.Stderr, "%s: %s\n", name, terminal.CleanLines(err.Error()))
		if hint := terminal.Hint(err); hint != "" && status != exitInterrupted {
			fmt.Fprintf(env.Stderr, "  %s\n", hint)
		}
	}
	return status
}
