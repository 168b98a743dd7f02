// Package command is what an operator can have done: the commands of the tool fleetwarden,
// which the function backfill has, too. A command defines its flags, calls a package of
// shared/operate, and shows what came of it as records, which are JSON for a function and
// for programs; shared/cli shows them to people. It knows no terminal. A main lists its
// commands, and so shows which of them link code that can write.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/sweep"
)

// Command is one command.
type Command struct {
	// Name is what is typed, and Args its arguments, as usage has them, of which there are
	// at most Most.
	Name, Args string
	Most       int
	// About is one line, Long what --help says of it.
	About, Long string
	// Sub are the commands below it, which is then none itself.
	Sub []Command
	// Bind defines the flags in set, and returns what runs when they were read.
	Bind func(c *Call, set *flag.FlagSet) Run
}

// Run runs a command with its arguments.
type Run func(ctx context.Context, args []string) error

// Call is what a command that runs has.
type Call struct {
	Output
	// Open connects to the cloud and to the ledger; it is called once, after the command line
	// was checked. The run is not named yet.
	Open func(ctx context.Context) (*invocation.Invocation, error)
	// NoLedger says why the ledger was not found, once a call is open; nil where it was, or where
	// nothing was looked for.
	NoLedger error
	// Owners reports an error where the functions that own the controls could not be followed:
	// they do not exist, or have another ledger, which is [Elsewhere]. It is called after Open; nil
	// in a function.
	Owners func(ctx context.Context) error
	// PolicyFile is the policy file, as it was typed or as the environment has it.
	PolicyFile string
	// Lenient has Open go on as without a policy file where that cannot be read, for what decides
	// nothing by it. NoPolicy is then why.
	Lenient  bool
	NoPolicy error
	// Region is where a person works, as profile or environment say; empty: at home.
	Region fleet.Region
	// Stdin is that of the process.
	Stdin io.Reader
	// Inside says that the command runs as a function, which never waits and has no files.
	Inside bool
}

// owners reports an error where the functions could not be followed; see [Call.Owners].
func (c *Call) owners(ctx context.Context) error {
	if c.Owners == nil {
		return nil
	}
	return c.Owners(ctx)
}

// start connects to the cloud and to the ledger, for a run of a kind.
func (c *Call) start(ctx context.Context, kind string) (*invocation.Invocation, error) {
	inv, err := c.Open(ctx)
	if err != nil {
		return nil, err
	}
	if inv.Store == nil {
		return nil, c.missingLedger()
	}
	inv.Options.Stamp.Run = sweep.NewRun(kind, inv.Session.Now())
	return inv, nil
}

func (c *Call) missingLedger() error {
	err := fmt.Errorf("there is no ledger: set %s to that of the functions, oss://BUCKET/PREFIX, or to file:///FOLDER", invocation.LedgerVariable)
	if c.NoLedger != nil {
		err = fmt.Errorf("%w\n  it was not found: %w", err, c.NoLedger)
	}
	return err
}

// BadUsage is a wrong command line.
type BadUsage struct{ Err error }

func (e BadUsage) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e BadUsage) Unwrap() error { return e.Err }

// BadSetting is a policy file, or a variable that says where the deployment is, that cannot be
// read.
type BadSetting struct{ Err error }

func (e BadSetting) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e BadSetting) Unwrap() error { return e.Err }

// Elsewhere is the error of [Call.Owners] where the functions have another ledger.
type Elsewhere struct{ Err error }

func (e Elsewhere) Error() string { return e.Err.Error() }

// Wrong returns the error of a wrong command line.
func Wrong(format string, args ...any) error { return BadUsage{fmt.Errorf(format, args...)} }

// Found is the error of findings at or above the severity of --fail-on.
type Found struct{ error }

// Count reports arguments that are too many.
func (m Command) Count(args []string) error {
	if len(args) > m.Most {
		return Wrong("%q is one too many; see %s %s --help", args[m.Most], Tool, m.Name)
	}
	return nil
}

// Usage is how the command is typed, and what it does.
func (m Command) Usage() string {
	usage := strings.TrimSpace(Tool + " " + m.Name + " [flags] " + m.Args)
	return fmt.Sprintf("%s %s: %s\n\nUsage:\n  %s\n\n%s\n", Tool, m.Name, m.About, usage, strings.TrimSpace(m.Long))
}

// Tool is the name of the operator's tool, as commands to type have it.
const Tool = "fleetwarden"

// list is a flag that may be given again, or have several values with commas.
type list[T ~string] struct{ to *[]T }

func several[T ~string](to *[]T) flag.Value { return list[T]{to} }

func (l list[T]) String() string { return "" }

func (l list[T]) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			return errors.New("it has an empty part")
		}
		*l.to = append(*l.to, T(part))
	}
	return nil
}

// waiting is the flag for how long a command follows the owners; a function never does.
func (c *Call) waiting(set *flag.FlagSet) *time.Duration {
	if c.Inside {
		return new(time.Duration)
	}
	return set.Duration("wait", 15*time.Minute, "for this `TIME` follow what the owners do; 0s: do not wait")
}

// failOnFlag is the flag for the severity of findings from which a command ends with status 3.
func failOnFlag(set *flag.FlagSet) *string {
	return set.String("fail-on", "", "exit with status 3 for a finding of this `SEVERITY` or above: "+severities())
}

func severities() string {
	var names []string
	for _, s := range fleet.Severities() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func knownSeverity(failOn string) error {
	if failOn != "" && fleet.Severity(failOn).Rank() == 0 {
		return Wrong("--fail-on: %q is no severity, which are %s", failOn, severities())
	}
	return nil
}

// reaching is the error of findings of a severity or above, nil where none was asked for.
func reaching(found map[fleet.Severity]int, failOn string) error {
	n := 0
	for severity, count := range found {
		if failOn != "" && severity.Rank() >= fleet.Severity(failOn).Rank() {
			n += count
		}
	}
	if n == 0 {
		return nil
	}
	return Found{fmt.Errorf("%s of severity %s or above", Plural(n, "finding", "findings"), failOn)}
}

// moment reads a time; a length of time counts back from now, and none is now.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d).Truncate(time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, Wrong("%s: %q is neither a time such as 2026-01-05T08:00:00Z nor a length of time such as 36h", flag, text)
	}
	return t.UTC(), nil
}

// Plural is a number with its noun.
func Plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}

// given is a flag's value as a list, which is empty without one.
func given[T ~string](v T) []T {
	if v == "" {
		return nil
	}
	return []T{v}
}

// known reports a control that does not exist, or an account's number or a region's id that
// cannot be one.
func known(controls []string, accounts []fleet.AccountID, regions []fleet.Region, all []string) error {
	for _, c := range controls {
		if !slices.Contains(all, c) {
			return Wrong("--control: there is no control %q, only %s", c, strings.Join(all, ", "))
		}
	}
	for _, a := range accounts {
		if !a.Valid() {
			return Wrong("--account: %q is not the number of an account", a)
		}
	}
	for _, r := range regions {
		if !r.Valid() {
			return Wrong("--region: %q is not the id of a region, such as cn-hangzhou", r)
		}
	}
	return nil
}
