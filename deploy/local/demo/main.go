// Command demo plays what Fleetwarden is for on a local cloud: launches by real SDK
// calls, judged and repaired by the real function binaries, deployed from s.yaml with
// the RAM policies of deploy/ram enforced. It prints each step with what was expected
// and what was seen, writes summary.json, and fails if anything differs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

func main() {
	out := flag.String("out", "out/demo", "folder for summary.json and the functions' logs")
	root := flag.String("root", ".", "top of the repository")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *root, *out); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// step is one thing that is shown.
type step struct {
	Name     string `json:"name"`
	Expected string `json:"expected"`
	Seen     string `json:"seen"`
	OK       bool   `json:"ok"`
}

// act plays one step and says what was seen.
type act struct {
	name, expected string
	play           func(ctx context.Context, s *scene) string
}

func run(ctx context.Context, w io.Writer, root, out string) error {
	started := time.Now()
	logs := filepath.Join(out, "log")
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("clearing %s: %w", out, err)
	}
	bin := filepath.Join(root, "dist")
	st, err := stage.Open(ctx, options(root, bin, logs))
	if err != nil {
		return err
	}
	defer st.Close()
	fmt.Fprintf(w, "A local Alibaba Cloud at %s; functions from s.yaml, in %s and %s:\n", st.Server.URL(), server.Home, server.Another)
	for _, d := range st.Stack.Functions() {
		if d.Region == server.Home { // the other region has some of them too
			fmt.Fprintf(w, "  %s, woken by %v\n", d.Function, d.Triggers)
		}
	}
	fmt.Fprintln(w)
	steps, failed := play(ctx, w, &scene{Stage: st, root: root, bin: bin, out: out})
	if err := write(filepath.Join(out, "summary.json"), steps); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	fmt.Fprintf(w, "\n%d of %d steps as expected in %.1f s; summary.json and the functions' logs are in %s, the report is %s\n",
		len(steps)-failed, len(steps), time.Since(started).Seconds(), out, filepath.Join(out, "report.html"))
	if failed > 0 {
		return fmt.Errorf("%d steps differ", failed)
	}
	return nil
}

// options are those of the stage. Two steps have validate-instance tag or stop instances.
func options(root, bin, logs string) stage.Options {
	return stage.Options{Root: root, BinDir: bin, LogDir: logs, Recorded: true, Regions: []string{server.Home, server.Another}, Optional: []string{"validate-instance-stop", "validate-instance-tag"}}
}

func play(ctx context.Context, w io.Writer, s *scene) (steps []step, failed int) {
	for i, a := range acts {
		seen := a.seen(ctx, s)
		st := step{a.name, a.expected, seen, seen == a.expected}
		steps = append(steps, st)
		if st.OK {
			fmt.Fprintf(w, "ok   %2d. %s\n         as expected: %s\n", i+1, st.Name, st.Seen)
			for line := range strings.Lines(s.shown) {
				fmt.Fprintf(w, "         | %s", line)
			}
			continue
		}
		failed++
		fmt.Fprintf(w, "FAIL %2d. %s\n         expected: %s\n         seen:     %s\n", i+1, st.Name, st.Expected, st.Seen)
	}
	return steps, failed
}

// seen is what playing the step showed, or the error that ended it.
func (a act) seen(ctx context.Context, s *scene) (seen string) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case failure:
			seen = "error: " + e.Error()
		default:
			panic(e)
		}
	}()
	return a.play(ctx, s)
}

func write(path string, steps []step) error {
	text, err := json.MarshalIndent(map[string]any{"steps": steps}, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644)
	}
	return err
}
