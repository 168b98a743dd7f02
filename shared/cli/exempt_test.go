package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/policy"
)

const tuned = "version: 1 # ours\nexemptions:\n  - {control: agent, rule: trust-client, instances: [i-1], owner: eva, reason: old, expires: 2026-12-31}\n"

// exempting types a command line about a policy file on the 22nd of November 2026.
func exempting(t *testing.T, file string, args ...string) (status int, out, said string) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	var stdout, stderr bytes.Buffer
	status = Main(t.Context(), Env{Args: append([]string{"exempt", "--policy", file}, args...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }}, "tries things", Exempt(now))
	return status, stdout.String(), stderr.String()
}

func written(t *testing.T, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnExemptionIsWrittenAndShown(t *testing.T) {
	file := written(t, tuned)
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	typed := []string{"i-2", "--rule", "over-broad-role", "--owner", "ops", "--reason", "it moves", "--expires", "2026-11-22"}
	status, out, said := exempting(t, link, append(typed, "--dry-run")...)
	if status != 0 || !strings.Contains(out, "\n+    reason: it moves\n") || !strings.Contains(out, "dry run") || read(t, file) != tuned {
		t.Errorf("%d %s %s\n%s", status, out, said, read(t, file))
	}
	status, out, said = exempting(t, link, typed...)
	p, err := policy.Load(file, []byte(read(t, file)))
	if status != 0 || err != nil || len(p.Exemptions) != 2 || !strings.HasPrefix(read(t, file), tuned) || !strings.Contains(out, "+++ "+link) {
		t.Errorf("%d %s %s %v\n%s", status, out, said, err, read(t, file))
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is none: %v, %v", info, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	status, out, said = exempting(t, file, "1000000000000001", "--rule", "take-back", "--owner", "ops", "--reason", "r", "--expires", "2027-01-01", "--json")
	if status != 0 || !strings.Contains(out, `{"type":"exempted","file":"`+file+`","dryRun":false,"digest":"`) || !strings.Contains(read(t, file), `accounts: ["1000000000000001"]`) {
		t.Errorf("%d %s %s", status, out, said)
	}
}

func TestAnExemptionThatIsRefusedWritesNothing(t *testing.T) {
	file := written(t, tuned)
	for line, c := range map[string]struct {
		status int
		said   string
	}{
		"": {2, "give the ID of an instance or an account"},
		"i-2 --rule over-broad-role --owner o --reason r":                          {2, "give --expires"},
		"i-2 --rule over-broad-role --reason r --expires 2027-01-01":               {2, "give --owner"},
		"web-1 --rule over-broad-role --owner o --reason r --expires 2027-01-01":   {2, `"web-1" is neither an instance id`},
		"i-2 --rule over-broad --owner o --reason r --expires 2027-01-01":          {2, `there is no rule "over-broad", only agent-online`},
		"i-2 --rule over-broad-role --owner o --reason r --expires 2026-11-21":     {2, "2026-11-21 is over"},
		"i-2 --rule over-broad-role --owner o --reason r --expires tomorrow":       {2, `"tomorrow" is not a day`},
		"i-1 --rule trust-client --owner o --reason r --expires 2027-01-01":        {1, "exempts it already, until 2026-12-31, by eva (old)"},
		"i-2 --rule take-back --owner o --reason r --expires 2027-01-01":           {1, "instances selects nothing that take-back of share-role judges"},
		"i-1 --rule over-broad-role --owner o --reason r --expires 2027-01-01 i-2": {2, "one too many"},
	} {
		status, _, said := exempting(t, file, strings.Fields(line)...)
		if status != c.status || !strings.Contains(said, c.said) || read(t, file) != tuned {
			t.Errorf("%s: %d %s", line, status, said)
		}
	}
	for _, bad := range []string{"version: 1\nmod: x\n", ""} {
		file := written(t, bad)
		if status, _, said := exempting(t, file, "i-2", "--rule", "over-broad-role", "--owner", "o", "--reason", "r", "--expires", "2027-01-01"); status != 1 || !strings.Contains(said, file+":") || read(t, file) != bad {
			t.Errorf("%q: %d %s", bad, status, said)
		}
	}
	if status, _, said := exempting(t, filepath.Join(t.TempDir(), "none.yaml"), "i-2", "--rule", "vpc", "--owner", "o", "--reason", "r", "--expires", "2027-01-01"); status != 1 || !strings.Contains(said, "reading the policy file") {
		t.Errorf("%d %s", status, said)
	}
}

// A file that was edited since it was read stays as it is then, and nothing is left beside it.
func TestAFileThatWasEditedMeanwhileIsNotOverwritten(t *testing.T) {
	file := written(t, "edited: meanwhile\n")
	if err := replace(file, []byte(tuned), []byte("ours")); err == nil || !strings.Contains(err.Error(), "edited meanwhile") {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 || read(t, file) != "edited: meanwhile\n" {
		t.Errorf("%q, left %v, %v", read(t, file), left, err)
	}
}
