package commands_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules/instances"

	"github.com/google/go-cmp/cmp"
)

// command is one element of commands.json, which Terraform reads.
type command struct {
	Name            string `json:"name"`
	File            string `json:"file"`
	Type            string `json:"type"`
	Timeout         int    `json:"timeout"` // s; Cloud Assistant's own default of 60 is too short to install anything
	EnableParameter bool   `json:"enableParameter"`
}

func listed(t *testing.T) []command {
	t.Helper()
	var file struct {
		Commands []command `json:"commands"`
	}
	d := json.NewDecoder(strings.NewReader(read(t, "commands.json")))
	d.DisallowUnknownFields()
	check(t, d.Decode(&file))
	return file.Commands
}

func TestEachCommandIsListedUnderTheNameThatTheRulesKnow(t *testing.T) {
	var names, files []string
	for _, c := range listed(t) {
		names, files = append(names, c.Name), append(files, c.File)
		want := command{Name: c.Name, File: c.File, Type: "RunShellScript", Timeout: 600, EnableParameter: c.Name != fleet.CommandTrustClient}
		if filepath.Ext(c.File) == ".ps1" {
			want.Type = "RunPowerShellScript"
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
	}
	if want := []string{fleet.CommandAgentLinux, fleet.CommandAgentWindows, fleet.CommandTrustClient}; !slices.Equal(names, want) {
		t.Errorf("the names are %q, want %q", names, want)
	}
	here, err := filepath.Glob("*.[ps][hs]*")
	check(t, err)
	slices.Sort(files)
	if !slices.Equal(files, here) {
		t.Errorf("listed are %q, here are %q", files, here)
	}
}

// Every {{ is a parameter's marker where parameters are on, in a comment too.
func TestAParameterStandsWhereNothingIsExpandedAndNowhereElse(t *testing.T) {
	ends := map[string]string{
		"agent-linux.sh":    "\nmain <<'FLEETWARDEN_END_OF_CODE'\n{{code}}\nFLEETWARDEN_END_OF_CODE\n",
		"agent-windows.ps1": "\nInstall-Agent @'\n{{code}}\n'@\n",
	}
	for _, c := range listed(t) {
		text := read(t, c.File)
		if end, ok := ends[c.File]; !strings.HasSuffix(text, end) || ok != c.EnableParameter || strings.Count(text, "{{") != strings.Count(end, "{{") {
			t.Errorf("%s: want the marker once, in the last lines %q", c.File, end)
		}
	}
}

func TestEachCommandSaysItsNameAndVersion(t *testing.T) {
	for _, c := range listed(t) {
		line := regexp.MustCompile(`(?m)^# ` + strings.Replace(c.Name, "-", " ", 1) + ` ([0-9]+)$`)
		m := line.FindStringSubmatch(read(t, c.File))
		if m == nil {
			t.Errorf("%s: no line %s", c.File, line)
		} else if c.Name == fleet.CommandTrustClient && m[1] != instances.TrustClientVersion {
			t.Errorf("%s has version %s, the rules say %s", c.File, m[1], instances.TrustClientVersion)
		}
	}
}

// The statuses by which a script ends itself are listed in its head, with the meanings
// that the rules name in findings; and no other is used.
func TestEachStatusOfAScriptIsListedWithTheMeaningThatFindingsName(t *testing.T) {
	used := map[int]bool{}
	for _, c := range listed(t) {
		text := read(t, c.File)
		listed := map[string]string{}
		for _, m := range regexp.MustCompile(`(?m)^#   (2[0-9]{2})  (.*)$`).FindAllStringSubmatch(text, -1) {
			listed[m[1]] = m[2]
		}
		found := map[string]string{}
		for _, m := range regexp.MustCompile(`(?:\bfail|Stop-Script|missing=|missing =)\s*\$?(2[0-9]{2})\b`).FindAllStringSubmatch(text, -1) {
			found[m[1]] = exitMeaning(t, m[1])
		}
		if diff := cmp.Diff(found, listed); diff != "" {
			t.Errorf("%s: its statuses (-used +listed):\n%s", c.File, diff)
		}
		for status := range found {
			used[number(t, status)] = true
		}
	}
	for status := range 256 {
		if known := instances.ExitMeaning(status) != ""; known != used[status] {
			t.Errorf("status %d: the rules know it: %t, a script uses it: %t", status, known, used[status])
		}
	}
}

func exitMeaning(t *testing.T, status string) string {
	t.Helper()
	return instances.ExitMeaning(number(t, status))
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

// Cloud Assistant takes 18 KB of Base64 for a command that is kept.
func TestCommandsAreSmallAndPlain(t *testing.T) {
	for _, c := range listed(t) {
		text, err := os.ReadFile(c.File)
		check(t, err)
		if len(text) > 18*1024*3/4 {
			t.Errorf("%s has %d bytes", c.File, len(text))
		}
		if at := bytes.IndexFunc(text, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' && r != '\t' }); at >= 0 {
			t.Errorf("%s: byte %d is not plain text", c.File, at)
		}
	}
}

func TestTheShellScriptsShareTheirMiddleWordForWord(t *testing.T) {
	const from, to = "# fail ends the script", "# End of what both scripts hold."
	middle := func(file string) string {
		_, rest, ok := strings.Cut(read(t, file), from)
		part, _, end := strings.Cut(rest, to)
		if !ok || !end {
			t.Fatalf("%s: the shared part's marks are gone", file)
		}
		return part
	}
	if diff := cmp.Diff(middle("trust-client.sh"), middle("agent-linux.sh")); diff != "" {
		t.Error(diff)
	}
}

// code returns a PowerShell text without its comments and single-quoted strings.
func code(text string) string {
	text = regexp.MustCompile(`(?s)@'\n.*?\n'@`).ReplaceAllString(text, "''")
	text = regexp.MustCompile(`'[^'\n]*'`).ReplaceAllString(text, "''")
	return regexp.MustCompile(`(?m)#.*$`).ReplaceAllString(text, "")
}

// No PowerShell runs here: the Windows command's text is judged, not the command.
func TestTheWindowsCommandEvaluatesNoText(t *testing.T) {
	rest := code(read(t, "agent-windows.ps1"))
	evaluates := regexp.MustCompile(`(?i)"|` + "`" + `|invoke-|\biex\b|scriptblock|-encodedcommand|add-type|(^|[\s;({])[&.]\s`)
	if m := evaluates.FindString(rest); m != "" {
		t.Errorf("%q: text may be expanded or evaluated", m)
	}
	var open []rune
	for _, r := range rest {
		switch at := strings.IndexRune("([{)]}", r); {
		case at >= 3 && (len(open) == 0 || open[len(open)-1] != rune("([{"[at-3])):
			t.Fatalf("%q closes nothing", r)
		case at >= 3:
			open = open[:len(open)-1]
		case at >= 0:
			open = append(open, r)
		}
	}
	if len(open) > 0 {
		t.Errorf("%q stays open", open)
	}
}

func TestTheWindowsCommandTakesHTTPSAndNeverPrintsTheCode(t *testing.T) {
	text := read(t, "agent-windows.ps1")
	for _, site := range []string{aegisInside, aegisPublic} {
		if !strings.Contains(text, "'https://"+site+"'") {
			t.Errorf("%s is not asked over https", site)
		}
	}
	if strings.Contains(text, "http://") || !strings.Contains(text, "[Net.SecurityProtocolType]::Tls12") {
		t.Error("want https alone, with TLS 1.2")
	}
	uses := []string{
		"function Start-Installer([string]$File, [string]$Code) {",
		"$process = Start-Process -FilePath $File -ArgumentList ('-k=' + $Code) -PassThru",
		"function Install-Agent([string]$Code) {",
		`if ($Code -cnotmatch '\A[A-Za-z0-9]{1,64}\z') {`,
		"$status = Start-Installer $file $Code",
	}
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "$Code") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	if diff := cmp.Diff(uses, found); diff != "" {
		t.Errorf("the code is used (-want +got):\n%s", diff)
	}
}
