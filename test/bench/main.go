// Command bench measures what Fleetwarden costs, beside others that do the same
// work in the same run: an empty handler, encoding/json, the CloudEvents SDK, OPA
// and CEL. It writes summary.json and prints a table.
//
// It is a module of its own, so that the product does not depend on its peers. It
// measures and judges against the goals; it changes nothing, and nothing imports it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

// sizes say how much is measured.
type sizes struct {
	starts int // cold starts of each binary
	pairs  int // of warm invocations
	rounds int // of in-process measurements; their median counts
	worlds int // of 100 random instances, on which all deciders have to agree
	fleet  int // instances to sweep, and a tenth of it
}

var full = sizes{starts: 41, pairs: 20_000, rounds: 15, worlds: 100, fleet: 100_000}

func main() {
	root := flag.String("root", "../..", "the top of the repository")
	out := flag.String("out", "", "the folder for summary.json; empty: it is not written")
	strict := flag.Bool("strict", false, "fail when a goal is not met")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code, err := run(ctx, *root, *out, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if *strict {
		os.Exit(code)
	}
}

// run returns 1 when a goal is not met, and an error when something could not be
// measured.
func run(ctx context.Context, root, out string, table io.Writer) (int, error) {
	s, err := measure(ctx, root, full)
	if err != nil {
		return 0, err
	}
	if out != "" {
		if err := s.write(filepath.Join(out, "summary.json")); err != nil {
			return 0, err
		}
	}
	missed := s.print(table)
	return min(missed, 1), nil
}

// measure does one thing at a time: two would measure each other.
func measure(ctx context.Context, root string, n sizes) (*summary, error) {
	dir, err := os.MkdirTemp("", "fleetwarden-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the binaries: %w", err)
	}
	defer os.RemoveAll(dir)
	b, err := build(ctx, root, dir)
	if err != nil {
		return nil, err
	}
	functions := filepath.Join(dir, "functions")
	s := newSummary()
	s.BinaryMB, s.EmptyMB = b.function.megabytes(), b.empty.megabytes()
	for _, step := range []func() error{
		func() error { return s.cold(b, n) },
		func() error { return s.warm(b, root, n) },
		func() error { return s.decode(root, n) },
		func() error { return s.noMatch(root, n) },
		func() error { return s.decide(ctx, n) },
		func() error { return buildFunctions(ctx, root, functions) },
		func() error { return s.launch(ctx, root, functions) },
		func() error { return s.sweep(ctx, root, functions, n) },
		func() error { return s.violations(ctx, root, functions, n) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return s, nil
}
