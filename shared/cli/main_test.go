package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"fleetwarden/shared/command"
)

// The one table of exit statuses.
func TestTheExitStatusIsThatOfTheError(t *testing.T) {
	going := t.Context()
	stopped, stop := context.WithCancel(going)
	stop()
	failed := errors.New("it failed")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"done":                             {going, nil, 0},
		"done, as Ctrl-C came":             {stopped, nil, 0},
		"failed":                           {going, failed, 1},
		"a wrong command line":             {going, fmt.Errorf("x: %w", command.Wrong("y")), 2},
		"findings":                         {going, command.Found{}, 3},
		"stopped":                          {stopped, failed, 130},
		"interrupted, and was not stopped": {going, context.Canceled, 1},
	} {
		if got := statusOf(c.ctx, c.err); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func typed(ctx context.Context, environment map[string]string, args ...string) (status int, out, said string) {
	var stdout, stderr bytes.Buffer
	try := command.Command{Name: "try", Args: "[ID]", Most: 1, About: "try it", Long: "It tries.", Bind: func(c *command.Call, set *flag.FlagSet) command.Run {
		fails := set.Bool("fails", false, "end with an error")
		region := set.String("region", "", "the `ID` of a region")
		return func(ctx context.Context, args []string) error {
			if *fails {
				return fmt.Errorf("waiting for %s: %w", *region, ctx.Err())
			}
			return c.Show(command.RunShown{Type: "run", Run: fmt.Sprint("run-", args, *region, c.Region)})
		}
	}}
	group := command.Command{Name: "group", About: "a group", Sub: []command.Command{try}}
	status = Main(ctx, Env{Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return environment[name] }}, "tries things", try, group)
	return status, stdout.String(), stderr.String()
}

func TestWhatIsTyped(t *testing.T) {
	for line, c := range map[string]struct {
		status    int
		out, said string
	}{
		"try":                   {0, "run-[]", ""},
		"try a --region r":      {0, "run-[a]r", ""},
		"--json try --region=r": {0, `{"type":"run","run":"run-[]r"`, ""},
		"try -o json":           {0, `"run-[]"`, ""},
		"try -o wide":           {0, "run-[]", ""},
		"group try":             {0, "run-[]", ""},
		"--help":                {0, "Exit status: 0", ""},
		"try --help":            {0, "--region ID", ""},
		"group":                 {0, "try it", ""},
		"version --help":        {2, "", `unknown command "version"`},
		"try -o yaml":           {2, "", `"yaml" is not table, wide or json`},
		"try a b":               {2, "", `"b" is one too many`},
		"try --regoin x":        {2, "", "there is no flag --regoin; did you mean --region?"},
		"try --zzzzzz x":        {2, "", "there is no flag --zzzzzz; see fleetwarden try --help"},
		"try --region":          {2, "", "flag needs an argument: --region"},
		"try -x":                {2, "", "unknown shorthand flag"},
		"tyr":                   {2, "", "try"},
		"group tyr":             {2, "", `there is no command "tyr" of fleetwarden group; did you mean try?`},
	} {
		status, out, said := typed(t.Context(), nil, strings.Fields(line)...)
		if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(said, c.said) || (status == 2) != (out == "") {
			t.Errorf("%s: %d\n%s\n%s", line, status, out, said)
		}
	}
}

func TestWhatIsInterruptedSaysSoOnce(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	status, _, said := typed(ctx, nil, "try", "--fails", "--region", "r")
	if status != 130 || said != "fleetwarden: interrupted\nwaiting for r\n" {
		t.Errorf("%d %q", status, said)
	}
}

func TestTheRegionIsThatOfTheEnvironment(t *testing.T) {
	if _, out, _ := typed(t.Context(), map[string]string{"ALIBABA_CLOUD_REGION_ID": "cn-beijing", "ALIBABA_CLOUD_CONFIG_FILE": "none"}, "try"); !strings.Contains(out, "run-[]cn-beijing") {
		t.Error(out)
	}
}
