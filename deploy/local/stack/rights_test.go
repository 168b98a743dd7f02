package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The platform acts in a function's name with the function's role: a missing right is
// named, and the action that needed it does not happen.
func TestThePlatformActsWithTheRoleOfTheFunction(t *testing.T) {
	const sends, logs = `"mns:SendMessage"`, `"log:PostLogStoreLogs"`
	for name, c := range map[string]struct {
		replace []string
		letters int
		logged  bool
		refused string
	}{
		"with all rights":           {nil, 1, true, ""},
		"without the destination's": {[]string{sends, `"mns:ListQueue"`}, 0, true, "the role fleetwarden-probe may not mns:SendMessage on acs:mns:cn-hangzhou:1000000000000001:/queues/fleetwarden-dead-letters/messages"},
		"on another queue":          {[]string{"*:*:/queues/fleetwarden-dead-letters", "*:*:/queues/fleetwarden-other"}, 0, true, "may not mns:SendMessage"},
		"without the log's":         {[]string{logs, `"log:GetLogStore"`}, 1, false, "the role fleetwarden-probe may not log:PostLogStoreLogs on acs:log:cn-hangzhou:1000000000000001:project/fleetwarden-1000000000000001-cn-hangzhou/logstore/functions"},
		"on another store":          {[]string{"logstore/functions\"", "logstore/other\""}, 1, false, "may not log:PostLogStoreLogs"},
	} {
		t.Run(name, func(t *testing.T) {
			f := deployed(t, c.replace)
			f.publish("cn-hangzhou", "test:Launch", `{"do":"fail"}`)
			f.quiet()
			if n := len(f.deadLetters()); n != c.letters {
				t.Errorf("%d dead letters, want %d", n, c.letters)
			}
			if got := strings.Contains(f.written(), "probe does"); got != c.logged {
				t.Errorf("logged: %t, want %t", got, c.logged)
			}
			all := f.Invocations()
			if got := all[len(all)-1].Refused; !strings.Contains(got, c.refused) || c.refused == "" && got != "" {
				t.Errorf("refused %q, want %q", got, c.refused)
			}
		})
	}
}

// written is what reached the log stores.
func (f *fixture) written() string {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join(f.LogDir(), "*.log"))
	if err != nil {
		f.Fatal(err)
	}
	var all strings.Builder
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
