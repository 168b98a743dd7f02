package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

// Function is the function whose invocations name a command line, as {"args": ["runs"]}. Its
// output is written to w, the function's log.
func Function(name string, w io.Writer, commands ...Command) invocation.Function {
	return invocation.Function{Name: name, Unbounded: true, Handle: func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
		err := invoked(ctx, inv, w, commands)
		return fleet.Pass{Calls: inv.Session.Calls()}, err
	}}
}

func invoked(ctx context.Context, inv *invocation.Invocation, w io.Writer, commands []Command) error {
	var in struct {
		Args []string `json:"args"`
	}
	d := json.NewDecoder(bytes.NewReader(inv.Payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return &fleet.BadInput{Where: "the invocation", What: `it has to be such as {"args": ["runs"]}`}
	}
	if len(in.Args) == 0 {
		return Wrong("no command")
	}
	for _, m := range commands {
		if m.Name != in.Args[0] {
			continue
		}
		c := &Call{Output: JSON{w}, Inside: true, Open: func(context.Context) (*invocation.Invocation, error) { return inv, nil }}
		set := flag.NewFlagSet(m.Name, flag.ContinueOnError)
		set.SetOutput(io.Discard)
		run := m.Bind(c, set)
		set.Bool("json", true, "JSON Lines, as always in a function")
		args, err := interspersed(set, in.Args[1:])
		if errors.Is(err, flag.ErrHelp) {
			_, err := io.WriteString(w, m.Usage())
			set.SetOutput(w)
			set.PrintDefaults()
			return err
		}
		if err != nil {
			return BadUsage{err}
		}
		if err := m.Count(args); err != nil {
			return err
		}
		return run(ctx, args)
	}
	return Wrong("there is no command %q", in.Args[0])
}

// interspersed reads flags before, between and after the other arguments, and returns those.
func interspersed(set *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, set.Arg(0)), set.Args()[1:]
	}
}
