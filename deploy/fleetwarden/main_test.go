package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fleetwarden/shared/cli"
)

// Without credentials a right command line fails with status 1, and a wrong one with 2.
func TestTheExamplesOfTheReadmeAreRightCommandLines(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_PROFILE", "ALIBABA_CLOUD_CONFIG_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	top := filepath.Join("..", "..")
	for _, readme := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(filepath.Join(top, readme))
		if err != nil {
			t.Fatal(err)
		}
		lines := regexp.MustCompile(`(?m)^(?:dist/)?fleetwarden (.*?)(?: +#.*)?$`).FindAllStringSubmatch(string(text), -1)
		if len(lines) < 10 {
			t.Errorf("%s has %d examples", readme, len(lines))
		}
		for _, line := range lines {
			var words []string
			for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line[1], -1) {
				words = append(words, strings.Trim(word, `"`))
			}
			status, said := typed(t, words...)
			if status != 0 && (status != 1 || !strings.Contains(said, "no credentials were found") && !strings.Contains(said, "reading the policy file") && !strings.Contains(said, "1 check has failed")) { // the doctor's page says why
				t.Errorf("%s: fleetwarden %s: %d %s", readme, line[1], status, said)
			}
		}
	}
}

func TestEachCommandHasHelp(t *testing.T) {
	for _, m := range commands() {
		if status, said := typed(t, m.Name, "--help"); status != 0 || said != "" {
			t.Errorf("%s: %d %s", m.Name, status, said)
		}
	}
}

func typed(t *testing.T, args ...string) (status int, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = cli.Main(t.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }}, about, commands()...)
	return status, stderr.String()
}
