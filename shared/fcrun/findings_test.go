package fcrun_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	simmns "fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

// A pass has to be recorded in time: if the platform ends it, it repeats the whole pass.
func TestFindingsAreCopiedWhileThereIsTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nsinks: {findings: fleetwarden-findings}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		left     time.Duration
		function string
		want     int
		reported bool
	}{
		"a minute left":         {time.Minute, "attach-role", 20, false},
		"three seconds left":    {3 * time.Second, "attach-role", 0, true},
		"notify, which may not": {time.Minute, "notify", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "FLEETWARDEN_POLICY="+file, "PROBE="+c.function)
			queue := simmns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-findings"}
			if _, err := p.cloud.MNS.Create(queue, simmns.Defaults()); err != nil {
				t.Fatal(err)
			}
			p.left = c.left
			if got := p.invoke("R-1", "find", admin); got.kind != "response" {
				t.Errorf("got %+v", got)
			}
			if n := p.cloud.MNS.Visible(queue); n != c.want {
				t.Errorf("%d copies, want %d", n, c.want)
			}
			if n := len(p.records()["R-1"]); n != 21 {
				t.Errorf("%d records, want 20 findings and the pass", n)
			}
			if reported := strings.Contains(p.stderr.String(), "0 of 20 sent: the deadline is near"); reported != c.reported {
				t.Errorf("stderr: %s", p.stderr.String())
			}
		})
	}
}
