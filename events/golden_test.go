package events_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/*.golden instead of comparing; read the difference before committing it")

func TestEverySampleReadsAsItsGoldenTextSays(t *testing.T) {
	compareWithGolden(t, "samples", filepath.Join("testdata", "samples.golden"), 25)
}

func TestEveryMalformedPayloadReadsAsItsGoldenTextSays(t *testing.T) {
	compareWithGolden(t, filepath.Join("testdata", "bad"), filepath.Join("testdata", "bad.golden"), 25)
}

func TestTheReadmeOfTheSamplesNamesEachOfThem(t *testing.T) {
	readme := read(t, filepath.Join("samples", "README.md"))
	for name := range payloads(t, "samples") {
		if !strings.Contains(string(readme), "| `"+name+"` |") {
			t.Errorf("samples/README.md has no row for %s", name)
		}
	}
	if rows := strings.Count(string(readme), "\n| `"); rows != len(payloads(t, "samples")) {
		t.Errorf("samples/README.md has %d rows for %d files", rows, len(payloads(t, "samples")))
	}
}

func compareWithGolden(t *testing.T, dir, golden string, least int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	files := payloads(t, dir)
	for _, e := range entries {
		if payload, ok := files[e.Name()]; ok {
			fmt.Fprintf(&got, "== %s\n%s\n", e.Name(), describe(payload))
		}
	}
	if len(files) < least {
		t.Fatalf("%s has %d files, want at least %d", dir, len(files), least)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, golden)), got.String()); diff != "" {
		t.Errorf("%s: (-golden +got)\n%s", dir, diff)
	}
}

// describe writes what Decode yields as text, leaving out what is empty.
func describe(payload []byte) string {
	var b strings.Builder
	for ev, err := range events.Decode(payload) {
		if err != nil {
			describeError(&b, err)
			continue
		}
		describeEvent(&b, ev)
	}
	return b.String()
}

func describeError(b *strings.Builder, err error) {
	fmt.Fprintf(b, "error: %v\n", err)
	if e, ok := errors.AsType[*events.Error](err); ok && e.Body != nil {
		fmt.Fprintf(b, "  body: %s\n", e.Body)
	}
}

func describeEvent(b *strings.Builder, ev events.Event) {
	fmt.Fprintf(b, "%s\n", ev.Kind)
	for _, f := range []struct{ name, value string }{
		{"id", ev.ID}, {"type", ev.Type}, {"name", ev.Name}, {"time", ev.Time},
		{"account", string(ev.Account)}, {"region", string(ev.Region)},
		{"role", ev.Role}, {"session", ev.Session}, {"ignored", ev.Ignored},
	} {
		if f.value != "" {
			fmt.Fprintf(b, "  %s: %s\n", f.name, f.value)
		}
	}
	if ev.Call != nil {
		fmt.Fprintf(b, "  call: %s\n", text(ev.Call))
	}
	for _, ref := range ev.Refs {
		fmt.Fprintf(b, "  ref: %s%s\n", ref, describeRef(ev, ref))
	}
}

func describeRef(ev events.Event, ref fleet.Ref) string {
	out := ""
	if ref.Call != ev.Call {
		out += " with another call than the event's"
	}
	if ref.Try != (fleet.Try{}) {
		out += " " + text(ref.Try)
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// payloads reads the files of dir that are payloads.
func payloads(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string][]byte{}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext == ".json" || ext == ".jsonl" || ext == ".txt" {
			out[e.Name()] = read(tb, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
