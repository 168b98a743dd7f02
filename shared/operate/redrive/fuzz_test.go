package redrive_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/queue"
)

// out is all that a redrive reports of its letters, as JSON.
func (b *bench) out(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(b.seen)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A secret in a text of a letter is never shown, whatever the shape and the place.
func TestNoTextOfALetterGetsOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const id = "i-0id"
		inner := rapid.SampledFrom([]string{launch(id), stateChange(id), message("push-agent", id), secret, "{}", launch(secret), message(secret+" ", id)}).Draw(rt, "inner")
		body := inner
		for range rapid.IntRange(0, 3).Draw(rt, "depth") {
			switch rapid.SampledFrom([]string{"window", "invocation", "list", "cut"}).Draw(rt, "wrap") {
			case "window":
				body = window("fleetwarden-push-agent", body)
			case "invocation":
				body = invocation("push-agent", body)
			case "list":
				body = "[" + body + "," + inner + "]"
			case "cut":
				body = body[:rapid.IntRange(0, len(body)).Draw(rt, "length")]
			}
		}
		b := newBench(t, strings.ReplaceAll(body, "cn-hangzhou", rapid.SampledFrom([]string{"cn-hangzhou", secret + "!"}).Draw(rt, "region")))
		sum := b.do(t)
		text, err := json.Marshal(sum)
		if out := b.out(t) + string(text); err != nil || strings.Contains(out, secret) {
			rt.Errorf("%v %s", err, out)
		}
	})
}

// FuzzLetter: no body makes a redrive panic, delete a letter that it did not send, send a ref
// to a function that does not take it, or report a letter as redriven with a reason. Only a
// timer's event is deleted without sending.
func FuzzLetter(f *testing.F) {
	files, err := filepath.Glob("../../../events/samples/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	for _, body := range []string{message("push-agent", "i-1"), invocation("attach-role", launch("i-1")), invocation("sweep", timer), window("fleetwarden-push-agent", message("", "i-1")), "[" + launch("i-1") + "]"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b := newBench(t, body)
		b.do(t)
		l := b.seen[0]
		deleted := len(b.queue.left()) == 0
		superseded := l.State == redrive.Superseded
		if deleted != (superseded || l.State == redrive.Redriven) || deleted && (superseded != (l.Reason != "") || superseded != (len(b.inboxes.got) == 0)) {
			t.Errorf("deleted %v, got %v: %+v", deleted, b.inboxes.got, l)
		}
		if (superseded || l.State == redrive.Kept) != (len(b.inboxes.got) == 0) || l.State == redrive.Kept && l.Reason == "" {
			t.Errorf("got %v: %+v", b.inboxes.got, l)
		}
		for function, refs := range b.inboxes.got {
			for _, r := range refs {
				if !queue.Takes(function, r.Kind) || r.Try != (fleet.Try{Run: r.Try.Run}) || r.Try.Run == "" {
					t.Errorf("%s got %+v", function, r)
				}
			}
		}
	})
}
