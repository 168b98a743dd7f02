package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/sweep"
)

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1 // it could not be done, or not to the end
	exitUsage       = 2
	exitInterrupted = 130 // as a shell has it for what SIGINT ends
)

// job is one command that runs.
type job struct {
	// open connects to the cloud. It is called after the command line was checked.
	open     func(ctx context.Context, policyFile string) (*invocation.Invocation, error)
	out, err io.Writer
	json     bool
	// live says that err is a terminal.
	live bool
	// inside says that it runs as a function, which never waits.
	inside bool
	// commands are those of the tool, in the order of --help.
	commands []Command

	policyFile string
}

// Command is one sub-command.
type Command struct {
	name, about string
	run         func(j *job, ctx context.Context, args []string) error
}

const about = "does by hand what events and sweeps do by themselves"

func (j *job) usage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nUsage: %s COMMAND [flags]\n\nCommands:\n", name, about, name)
	for _, c := range j.commands {
		fmt.Fprintf(&b, "  %-8s %s\n", c.name, c.about)
	}
	b.WriteString(`
"` + name + ` COMMAND --help" shows more. Every command takes

  --json          JSON Lines on stdout, instead of tables
  --policy FILE   the policy file (default: $FLEETWARDEN_POLICY; without one, audit)

Plans, runs and progress are kept in the ledger: set FLEETWARDEN_LEDGER to the functions'
own, oss://BUCKET/PREFIX, or to file:///FOLDER. Credentials come from the environment, the
aliyun CLI's profile or the instance's RAM role.

Output is on stdout, progress and errors are on stderr. With --json each line is an object;
all but a plan, which is as it is saved, have a "type", and the last is the "sum".

Exit status: 0 when all was done; 1 when it could not be, or not to the end; 2 for a wrong
command line; 130 after Ctrl-C, which stops cleanly and shows how to continue.
`)
	return b.String()
}

// wrongUsage is a wrong command line.
type wrongUsage struct{ error }

func statusOf(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, new(wrongUsage)):
		return exitUsage
	}
	return exitFailed
}

func (j *job) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return wrongUsage{errors.New("no command; see --help")}
	}
	switch args[0] {
	case "help", "-h", "--help", "-help":
		return errors.Join(flag.ErrHelp, j.write(j.usage()))
	}
	for _, c := range j.commands {
		if c.name == args[0] {
			return c.run(j, ctx, args[1:])
		}
	}
	return wrongUsage{fmt.Errorf("there is no command %q; see --help", args[0])}
}

// flags returns the flags that every command has.
func (j *job) flags(command string) *flag.FlagSet {
	set := flag.NewFlagSet(name+" "+command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&j.json, "json", j.json, "")
	if !j.inside {
		set.StringVar(&j.policyFile, "policy", "", "")
	}
	return set
}

// parse reads a command line with at most so many arguments besides its flags, and returns
// them.
func (j *job) parse(set *flag.FlagSet, args []string, usage string, most int) ([]string, error) {
	rest, err := interspersed(set, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, errors.Join(err, j.write(usage))
	case err != nil:
		return nil, wrongUsage{fmt.Errorf("%w; see %s --help", err, set.Name())}
	case len(rest) > most:
		return nil, wrongUsage{fmt.Errorf("%q is one too many; see %s --help", rest[most], set.Name())}
	}
	return rest, nil
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

// start connects to the cloud and to the ledger, for a run of a kind.
func (j *job) start(ctx context.Context, kind string) (*invocation.Invocation, error) {
	inv, err := j.open(ctx, j.policyFile)
	if err != nil {
		return nil, err
	}
	if inv.Store == nil {
		return nil, fmt.Errorf("there is no ledger: set %s to that of the functions, oss://BUCKET/PREFIX, or to file:///FOLDER", invocation.LedgerVariable)
	}
	inv.Options.Stamp.Run = sweep.NewRun(kind, inv.Session.Now())
	return inv, nil
}

func terminalAt(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// list is a flag that may be repeated, or have several values with commas.
type list[T ~string] []T

func (l *list[T]) String() string { return "" }

func (l *list[T]) Set(text string) error {
	for _, part := range strings.Split(text, ",") {
		if part == "" {
			return errors.New("it has an empty part")
		}
		*l = append(*l, T(part))
	}
	return nil
}
