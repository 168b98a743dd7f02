// Command backfill is what an operator does by hand: plan and apply for the whole fleet
// or a part of it, replay what ActionTrail recorded, redrive dead letters, undo a run,
// and look up what runs did. It is a tool for the terminal; as the function backfill,
// which nothing wakes, it does the same with the function's rights for whoever may
// invoke it, told by {"args": ["plan", "--control", "instance-role"]}.
//
// It changes nothing but what undo takes back: plans are carried out by the functions
// that own the controls.
package main

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
	"fleetwarden/shared/terminal"
)

const name = fleet.FunctionBackfill

func main() {
	if fcrun.Inside() {
		fcrun.Start(fcrun.Function{Name: name, About: about, Unbounded: true, Handle: invoked})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	code := inTerminal(ctx, terminal.Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// invoked serves an invocation. What comes of it is in the function's log, as JSON.
func invoked(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	var in struct {
		Args []string `json:"args"`
	}
	d := json.NewDecoder(bytes.NewReader(call.Payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return fleet.Pass{}, &fleet.BadInput{Where: "the invocation", What: `it has to be such as {"args": ["runs"]}`}
	}
	call.Options.Stamp.Run = newRun(in.Args, call.Session.Now())
	j := &job{
		open: func(context.Context, string) (*fcrun.Call, error) { return call, nil },
		out:  os.Stdout, err: os.Stderr, json: true, inside: true, sleep: sleep,
	}
	err := j.run(ctx, in.Args)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	return fleet.Pass{Calls: call.Session.Calls()}, err
}

// inTerminal runs one command and returns the exit status.
func inTerminal(ctx context.Context, env terminal.Env) int {
	j := &job{
		open: func(ctx context.Context, policyFile string) (*fcrun.Call, error) {
			return terminal.Open(ctx, name, "", policyFile, env)
		},
		out: env.Stdout, err: env.Stderr, live: terminalAt(env.Stderr) && env.Getenv("TERM") != "dumb", sleep: env.Sleep,
	}
	if j.sleep == nil {
		j.sleep = sleep
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
