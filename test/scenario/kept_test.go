package scenario_test

import (
	"encoding/json"
	"strings"
	"sync"

	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"

	"github.com/rogpeppe/go-internal/testscript"
)

// tape is all messages that were in any queue when one was sent.
type tape struct {
	mu   sync.Mutex
	text strings.Builder
}

// record starts a tape. Messages are gone once they are received, so each send counts.
func record(s *stage.Stage) *tape {
	t, next := &tape{}, s.Server.Witness()
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		if after && c.Product == "mns" {
			t.add(s)
		}
		return next.Drops(c, after)
	})
	return t
}

func (t *tape) add(s *stage.Stage) {
	text, err := json.Marshal(s.Server.MNS.State())
	if err != nil {
		text = []byte(err.Error())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(text)
}

func (t *tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// written is what functions wrote, by place.
func written(s *stage.Stage, t *tape) (map[string]string, error) {
	logs, err := s.Logs()
	var objects strings.Builder
	for _, key := range s.Server.OSS.Keys(stack.Bucket, "") {
		objects.WriteString(key + "\n")
		objects.Write(s.Server.OSS.Object(stack.Bucket, key))
	}
	return map[string]string{"logs": logs, "ledger": objects.String(), "messages": t.String()}, err
}

func cmdTape(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	s := storyOf(ts)
	s.tape = record(s.stage)
}

func cmdKept(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	if s.tape == nil {
		ts.Fatalf(`"tape" has to come before`)
	}
	places, err := written(s.stage, s.tape)
	ts.Check(err)
	found := false
	for place, text := range places {
		if (args[0] == place || args[0] == "anywhere") && strings.Contains(text, args[1]) {
			found = true
			ts.Logf("%s: %s", place, args[1])
		}
	}
	if found == neg {
		ts.Fatalf("%q is kept: %t", args[1], found)
	}
}
