// Package cli is the tool of the operator in a terminal: it gives the commands of
// shared/command their flags, credentials, tables, progress and exit statuses. What a command
// does is not here, and no function links it.
package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

// Env is the environment of a command.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Sleep waits between checks, and between tries of a call; nil means real time.
	Sleep func(ctx context.Context, d time.Duration) error
}

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1 // something failed, was not read or is still pending
	exitUsage       = 2
	exitFound       = 3 // findings at or above --fail-on
	exitInterrupted = 130
)

func statusOf(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, new(command.BadUsage)):
		return exitUsage
	case errors.As(err, new(command.Found)):
		return exitFound
	}
	return exitFailed
}

// Main runs the command that the arguments name, and returns the exit status.
func Main(ctx context.Context, env Env, about string, commands ...command.Command) int {
	t := &tool{env: env, Call: &command.Call{Stdin: env.Stdin}}
	root := t.root(about, commands)
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !t.runs {
		err = command.BadUsage{Err: err}
	}
	if t.text != nil {
		err = errors.Join(err, t.text.flush())
	}
	status := statusOf(ctx, err)
	if status != exitOK {
		fmt.Fprintf(env.Stderr, "%s: %s\n", command.Tool, cleanLines(message(ctx, err)))
		if hint := hint(err); hint != "" && status == exitFailed {
			fmt.Fprintf(env.Stderr, "  %s\n", hint)
		}
	}
	return status
}

// message is the text of an error; that it was interrupted comes first.
func message(ctx context.Context, err error) string {
	text := err.Error()
	if ctx.Err() != nil {
		text = strings.TrimSuffix(strings.TrimSuffix(text, ctx.Err().Error()), ": ")
		return strings.TrimSpace("interrupted\n" + text)
	}
	return text
}

// tool is the tool while it runs one command.
type tool struct {
	*command.Call
	env  Env
	text *text // what people read; nil for JSON
	// runs says that the command line was read.
	runs bool

	json            bool
	output          string
	policy, profile string
	home            fleet.Region
}

func (t *tool) root(about string, commands []command.Command) *cobra.Command {
	root := &cobra.Command{
		Use: command.Tool, Short: about, SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		Long: about + `.

Plans, runs and reports are kept in the ledger: set ` + invocation.LedgerVariable + ` to that of the
functions, oss://BUCKET/PREFIX, or to file:///FOLDER. Output is on stdout, progress and
errors are on stderr.

Exit status: 0 done and clean; 1 something failed, was not read or is still pending; 2 a
wrong command line; 3 findings at or above --fail-on; 130 interrupted.`,
	}
	global := root.PersistentFlags()
	global.BoolVar(&t.json, "json", false, "JSON Lines on stdout: an object for each record")
	global.StringVarP(&t.output, "output", "o", "table", "`table`, wide (values in full) or json")
	global.StringVar(&t.policy, "policy", "", "the policy `FILE` (default $"+invocation.PolicyVariable+"; without one, audit)")
	global.StringVar(&t.profile, "profile", "", "the `NAME` of a profile of the aliyun CLI, whose credentials and region are used")
	root.SetFlagErrorFunc(badFlag)
	for _, m := range commands {
		root.AddCommand(t.command(m))
	}
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"}) // it was made just now
	group(completion)
	return root
}

func (t *tool) command(m command.Command) *cobra.Command {
	c := &cobra.Command{
		Use: strings.TrimSpace(m.Name[strings.LastIndex(m.Name, " ")+1:] + " " + m.Args), Short: m.About, Long: strings.TrimSpace(m.Long),
		Args: func(_ *cobra.Command, args []string) error { return m.Count(args) },
	}
	for _, sub := range m.Sub {
		c.AddCommand(t.command(sub))
	}
	if m.Bind == nil {
		return group(c)
	}
	c.Flags().SortFlags = false
	set := flag.NewFlagSet(m.Name, flag.ContinueOnError)
	run := m.Bind(t.Call, set)
	set.VisitAll(func(f *flag.Flag) { c.Flags().AddFlag(described(f)) })
	for name, words := range words() {
		if c.Flags().Lookup(name) != nil {
			_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // once for each
		}
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := t.begin(); err != nil {
			return err
		}
		t.runs = true
		return run(c.Context(), args)
	}
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprint(t.env.Stdout, m.Usage()+"\nFlags:\n"+local(c).FlagUsages()+"\nFlags of all commands:\n"+c.InheritedFlags().FlagUsages())
	})
	return c
}

// group has a command that only has others below it show its help, or name what may have been
// meant.
func group(c *cobra.Command) *cobra.Command {
	c.Args, c.SuggestionsMinimumDistance = nil, 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		meant := ""
		if s := c.SuggestionsFor(args[0]); len(s) > 0 {
			meant = "; did you mean " + s[0] + "?"
		}
		return command.Wrong("there is no command %q of %s%s; see %s --help", args[0], c.CommandPath(), meant, c.CommandPath())
	}
	return c
}

// words are the values of flags that have few, for completion.
func words() map[string][]string {
	var severities []string
	for _, s := range fleet.Severities() {
		severities = append(severities, string(s))
	}
	return map[string][]string{"control": policy.Controls(), "rule": policy.Rules(""), "fail-on": severities, "function": fleet.Owners()}
}

// described is a flag with the word for its value that its text has in back quotes.
func described(f *flag.Flag) *pflag.Flag {
	p := pflag.PFlagFromGoFlag(f)
	p.DefValue = strings.TrimPrefix(f.DefValue, "[]")
	return p
}

// badFlag is the error of a flag that was not read, with what may have been meant.
func badFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return command.Wrong("%w; see %s --help", err, c.CommandPath())
	}
	name, meant, least := unknown.GetSpecifiedName(), "", 3
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if d := levenshtein.ComputeDistance(name, f.Name); d < least {
			meant, least = "; did you mean --"+f.Name+"?", d
		}
	})
	return command.Wrong("there is no flag --%s%s; see %s --help", name, meant, c.CommandPath())
}

// local are a command's own flags.
func local(c *cobra.Command) *pflag.FlagSet {
	set := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			set.AddFlag(f)
		}
	})
	return set
}

// begin chooses the output.
func (t *tool) begin() error {
	if t.json {
		t.output = "json"
	}
	switch t.output {
	case "json":
		t.Output = command.JSON{W: t.env.Stdout}
	case "table", "wide":
		t.text = newText(t.env, t.output == "wide")
		t.Output = t.text
	default:
		return command.Wrong("-o: %q is not table, wide or json", t.output)
	}
	t.Open = t.open
	t.Region, t.PolicyFile = t.region(), cmp.Or(t.policy, t.env.Getenv(invocation.PolicyVariable))
	return nil
}
