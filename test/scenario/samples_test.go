package scenario_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// TestNoSampleDoesHarm invokes each function with each published sample payload: other
// people's instances, other functions' events, text, nothing. None may fail, since it
// would be tried again for nothing, and none may change anything.
func TestNoSampleDoesHarm(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(root, "events", "samples", "*.*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	s := play(t, stage.Options{})
	before := worldDigest(t, s)
	for _, path := range paths {
		payload, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, function := range woken {
			res, err := s.Stack.Invoke(context.Background(), server.Home, function, payload)
			if err != nil || res.ErrorType != "" {
				t.Errorf("%s of %s: %v %s %s", function, filepath.Base(path), err, res.ErrorType, res.Body)
			}
		}
	}
	settle(t, s)
	if worldDigest(t, s) != before {
		t.Errorf("the world has changed; records:\n%s", records(t, s))
	}
	for _, key := range s.Server.OSS.Keys(stack.Bucket, "") {
		if !strings.HasPrefix(key, "ledger/starts/") && !strings.HasPrefix(key, "ledger/sweeps/") && !strings.HasPrefix(key, "ledger/reports/") {
			t.Errorf("%s was written, and is nothing that a sweep keeps", key)
		}
	}
	if n := deadLetters(s); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// worldDigest leaves out the bucket: a timer's sample begins a sweep, which keeps what it
// finds.
func worldDigest(t *testing.T, s *stage.Stage) string {
	t.Helper()
	d, err := digest(s, "oss")
	if err != nil {
		t.Fatal(err)
	}
	return d
}
