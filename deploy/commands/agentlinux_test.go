package commands_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	aegisInside = "update2.aegis.aliyun.com"
	aegisPublic = "aegis.alicdn.com"
	canary      = "CaNaRy0123456789"
)

// chatty is an installer that notes its arguments and prints them too.
const chatty = "#!/bin/bash\necho \"$@\" >>\"$INSTALLED\"\necho \"installing with $*\"\necho \"harmless complaint about $*\" >&2\n"

// withCode is the agent's command with what Cloud Assistant does to it.
func withCode(t *testing.T, code string) string {
	t.Helper()
	return strings.ReplaceAll(read(t, "agent-linux.sh"), "{{code}}", code)
}

func aegisAsks(sites ...string) []string {
	var out []string
	for _, site := range sites {
		out = append(out, "GET https://"+site+"/download/install/2.0/linux/AliAqsInstall.sh -rwx------")
	}
	return out
}

func TestTheAgentIsInstalledWithTheCode(t *testing.T) {
	for _, c := range []struct {
		name  string
		sites map[string]page
		asked []string
	}{
		{"both sites stand", map[string]page{aegisInside: {Body: chatty}, aegisPublic: {Body: chatty}}, aegisAsks(aegisInside)},
		{"no path inside", map[string]page{aegisPublic: {Body: chatty}}, aegisAsks(aegisInside, aegisPublic)},
		{"half a script inside", map[string]page{aegisInside: {Body: cutOff}, aegisPublic: {Body: chatty}}, aegisAsks(aegisInside, aegisPublic)},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				o := newInstance(t, shell, internet{Sites: c.sites}).run(t, withCode(t, canary))
				o.succeeded(t)
				if o.Installed != "-k="+canary {
					t.Errorf("the installer got %q", o.Installed)
				}
				if diff := cmp.Diff(c.asked, o.Asked); diff != "" {
					t.Errorf("asked for (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestWithoutAnInstallerTheAgentsCommandFailsAndSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		sites  map[string]page
		status int
		why    string
	}{
		{"no site stands", nil, 205, "curl ended with 6"},
		{"both answer with an error page", map[string]page{aegisInside: {Body: errorPage}, aegisPublic: {Body: errorPage}}, 206, "not a shell script"},
		{"both answer with nothing", map[string]page{aegisInside: {}, aegisPublic: {}}, 206, "an empty answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				o := newInstance(t, shell, internet{Sites: c.sites}).run(t, withCode(t, canary))
				o.failed(t, c.status, c.why)
				if diff := cmp.Diff(aegisAsks(aegisInside, aegisPublic), o.Asked); diff != "" || o.Installed != "" {
					t.Errorf("installers wrote %q; asked for (-want +got):\n%s", o.Installed, diff)
				}
			})
		})
	}
}

func TestTheInstallCodeIsNeverPrinted(t *testing.T) {
	for _, c := range []struct {
		name   string
		body   string
		flags  []string
		status int
	}{
		{"the installer prints it", chatty, nil, 0},
		{"the installer prints it and fails", chatty + "exit 7\n", nil, 7},
		{"the installer is traced", "#!/bin/sh\nset -x\n: \"$@\"\n", nil, 0},
		{"the command is traced", chatty, []string{"-x"}, 0},
		{"no installer", errorPage, nil, 206},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				in := newInstance(t, shell, internet{Sites: map[string]page{aegisInside: {Body: c.body}}})
				in.flags = c.flags
				o := in.run(t, withCode(t, canary))
				if o.Status != c.status {
					t.Errorf("ended with %d, want %d: %s", o.Status, c.status, o.Stderr)
				}
				if strings.Contains(o.Stdout+o.Stderr+strings.Join(o.Asked, "\n"), canary) {
					t.Errorf("the code was printed or sent: stdout %q, stderr %q, requests %q", o.Stdout, o.Stderr, o.Asked)
				}
			})
		})
	}
}

func TestAHostileCodeStaysData(t *testing.T) {
	const touch = "touch pwned"
	for _, c := range []struct {
		name, code string
		status     int
	}{
		{"empty", "", 207},
		{"not put in", "{{code}}", 207},
		{"two words", "abc def", 207},
		{"a second command", "abc;" + touch, 207},
		{"a command substitution", "$(" + touch + ")", 207},
		{"an old command substitution", "`" + touch + "`", 207},
		{"a closing quote", "abc'\n" + touch + "\n'", 207},
		{"a closing double quote", "abc\"; " + touch + "; \"", 207},
		{"a second line", "abc\n" + touch, 207},
		{"an option", "-k=abc", 207},
		{"a letter of another alphabet", "abcé", 207},
		{"too long", strings.Repeat("a", 65), 207},
		{"the end mark alone", "FLEETWARDEN_END_OF_CODE", 207},
		{"the end mark, then a command", "FLEETWARDEN_END_OF_CODE\n" + touch, 207},
		// The text before the mark is a good code, and the shell reads nothing after it.
		{"a good code, the end mark, then a command", "abc\nFLEETWARDEN_END_OF_CODE\n" + touch, 0},
		{"the longest code", strings.Repeat("a", 64), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				in := newInstance(t, shell, internet{Sites: map[string]page{aegisInside: {Body: chatty}}})
				o := in.run(t, withCode(t, c.code))
				if c.status == 0 {
					o.succeeded(t)
				} else {
					o.failed(t, c.status, "the install code is not 1 to 64 letters and digits")
				}
				if ran := o.Installed != ""; ran != (c.status == 0) {
					t.Errorf("installers wrote %q", o.Installed)
				}
				if _, err := os.Stat(filepath.Join(in.dir, "home", "pwned")); err == nil {
					t.Error("the code was executed")
				}
			})
		})
	}
}
