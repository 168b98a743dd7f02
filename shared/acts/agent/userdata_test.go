package agent_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"fleetwarden/shared/acts/agent"
)

func text(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// scripts are the contents of user data: sample is the published script in the Base64 of
// the documentation's sample request, plain is the same script as the page prints it,
// without indentation, and ours is the command that deployment makes.
type scripts struct{ sample, decoded, plain, ours string }

func known(t testing.TB) scripts {
	t.Helper()
	s := scripts{sample: text(t, "../../../deploy/commands/testdata/published.b64"), plain: text(t, "testdata/published.txt"), ours: text(t, "../../../deploy/commands/trust-client.sh")}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s.sample))
	if err != nil {
		t.Fatal(err)
	}
	s.decoded = string(b)
	return s
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// indented puts white space before each line, as a cloud-config does.
func indented(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

func TestTrustScriptDistinguishesTheInstallScripts(t *testing.T) {
	s := known(t)
	for _, c := range []struct {
		name, userData, want string
	}{
		{"the published sample", s.sample, agent.ScriptPublished},
		{"the sample without padding", strings.TrimRight(strings.TrimSpace(s.sample), "="), agent.ScriptPublished},
		{"the sample in lines of 76", s.sample[:76] + "\n" + s.sample[76:], agent.ScriptPublished},
		{"the sample decoded", s.decoded, agent.ScriptPublished},
		{"the printed text", s.plain, agent.ScriptPublished},
		{"the printed text in Base64", encode(s.plain), agent.ScriptPublished},
		{"with Windows line ends", strings.ReplaceAll(s.decoded, "\n", "\r\n"), agent.ScriptPublished},
		{"with blanks at line ends", strings.ReplaceAll(s.decoded, "\n", " \t\n"), agent.ScriptPublished},
		{"with tabs before lines", strings.ReplaceAll(s.decoded, "\n  ", "\n\t"), agent.ScriptPublished},
		{"with a byte order mark", "\ufeff" + s.decoded, agent.ScriptPublished},
		{"with lines before and after", "#!/bin/bash\nset -e\n" + s.decoded + "yum install -y nginx\n", agent.ScriptPublished},
		{"with its exit replaced", strings.Replace(s.decoded, "exit 0\n", "yum install -y nginx\n", 1), agent.ScriptPublished},
		{"in a cloud-config", "#cloud-config\nruncmd:\n  - |\n" + indented(s.decoded), agent.ScriptPublished},

		{"ours", s.ours, agent.ScriptFleetwarden},
		{"ours in Base64", encode(s.ours), agent.ScriptFleetwarden},
		{"ours of a later version", strings.Replace(s.ours, "trust-client 2\n", "trust-client 12\n", 1), agent.ScriptFleetwarden},
		{"ours beside the published one", s.decoded + s.ours, agent.ScriptFleetwarden},

		{"none", "", ""},
		{"another script", "#!/bin/sh\nyum install -y nginx\n", ""},
		{"another script in Base64", encode("#!/bin/sh\nyum install -y nginx\n"), ""},
		{"half of the published one", s.decoded[:len(s.decoded)/2], ""},
		{"the published one with a line changed", strings.Replace(s.decoded, "UPDATE_SITE2=http:", "UPDATE_SITE2=https:", 1), ""},
		{"the published one with a line added inside", strings.Replace(s.decoded, "install()\n", "exit 0\ninstall()\n", 1), ""},
		{"the published one commented out", strings.ReplaceAll(s.decoded, "\n", "\n# "), ""},
		{"the published one encoded twice", encode(s.sample), ""},
		{"our version line within another", "#!/bin/sh\necho '# fleetwarden trust-client 1'\n", ""},
		{"our name without a version", "# fleetwarden trust-client\n", ""},
		{"our name with version 0", "# fleetwarden trust-client 0\n", ""},
		{"no text", "\x1f\x8b\x08\x00\x00", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := agent.TrustScript(c.userData); got != c.want {
				t.Errorf("TrustScript = %q, want %q", got, c.want)
			}
		})
	}
}

// The result never contains user data, and the published script is found among any other
// lines and blanks.
func FuzzTrustScript(f *testing.F) {
	s := known(f)
	for _, seed := range []string{"", s.sample, s.decoded, s.plain, s.ours, "#!/bin/sh\r\n", "\ufeff", "IyEvYmlu", "# fleetwarden trust-client 1"} {
		f.Add(seed, uint8(3))
	}
	f.Fuzz(func(t *testing.T, data string, blanks uint8) {
		got := agent.TrustScript(data)
		if got != "" && got != agent.ScriptPublished && got != agent.ScriptFleetwarden {
			t.Fatalf("TrustScript = %q", got)
		}
		around := data + "\n" + strings.ReplaceAll(s.decoded, "\n", strings.Repeat(" ", int(blanks%8))+"\n"+strings.Repeat("\t", int(blanks/32))) + "\n" + data
		if agent.TrustScript(around) == "" {
			t.Error("the published script is not seen among other lines")
		}
		if agent.TrustScript(around) != agent.TrustScript(encode(around)) {
			t.Error("Base64 makes a difference")
		}
	})
}
