package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"fleetwarden/deploy/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("chaos", flag.ContinueOnError)
	var o options
	set.StringVar(&o.root, "root", ".", "the top of the repository")
	set.StringVar(&o.bin, "bin", "", "folder with <function>/main for every function, and the operator's tool; empty: they are built")
	set.StringVar(&o.out, "out", filepath.Join("out", "chaos"), "folder for summary.json and the histories that failed")
	set.Uint64Var(&o.seed, "seed", 0, "play the history of this seed alone; 0: fresh ones")
	set.DurationVar(&o.time, "time", time.Minute, "how long to play fresh seeds")
	set.BoolVar(&o.planted, "planted", false, "play against each planted bug, -time each, instead of the product as it is")
	set.StringVar(&o.only, "only", "", "with -planted: the bugs whose names have this")
	set.StringVar(&o.keep, "keep", "", "with -seed or -history: a folder for what the functions write")
	set.StringVar(&o.history, "history", "", "play the history in this file alone")
	if err := set.Parse(args); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if o.bin == "" {
		dir, err := os.MkdirTemp("", "fleetwarden-chaos-bin-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := stack.BuildAll(ctx, o.root, dir); err != nil {
			return err
		}
		o.bin = dir
	}
	if o.planted {
		return planted(ctx, o, o.only)
	}
	if o.history != "" {
		text, err := os.ReadFile(o.history)
		if err != nil {
			return err
		}
		var h History
		if err := json.Unmarshal(text, &h); err != nil {
			return err
		}
		return show(ctx, h, o)
	}
	if o.seed != 0 {
		return show(ctx, Generate(o.seed), o)
	}
	return fresh(ctx, o)
}

type options struct {
	root, bin, out, history string
	keep                    string // what the functions wrote stays here; empty: nowhere
	seed                    uint64
	time                    time.Duration
	planted                 bool
	only                    string
	without                 []string // functions that are not deployed
	about                   about    // what every other history is about
}

// fresh plays fresh seeds, explains what ended badly, and writes the summary.
func fresh(ctx context.Context, o options) error {
	c := campaign{o: o, log: os.Stdout, enough: 3}
	sum, err := c.play(ctx)
	for n := range sum.Violations {
		v, e := o.explain(ctx, sum.Violations[n], os.Stdout)
		sum.Violations[n], err = v, errors.Join(err, e)
	}
	text, e := json.MarshalIndent(sum, "", "  ")
	err = errors.Join(err, e, os.WriteFile(filepath.Join(o.out, "summary.json"), append(text, '\n'), 0o644))
	fmt.Printf("%d histories of %d steps in %.1f minutes: %d ended badly\n", len(sum.Seeds), sum.Steps, sum.Minutes, len(sum.Violations))
	if err == nil && len(sum.Violations) > 0 {
		err = fmt.Errorf("%d of %d histories ended badly", len(sum.Violations), len(sum.Seeds))
	}
	return err
}

func show(ctx context.Context, h History, o options) error {
	began := time.Now()
	h.print(os.Stdout)
	found, err := Play(ctx, h, o)
	for _, f := range found {
		fmt.Println("-", f)
	}
	fmt.Printf("seed %d: %d steps, %d wrong, %s\n", h.Seed, len(h.Steps), len(found), time.Since(began).Round(time.Millisecond))
	if err == nil && len(found) > 0 {
		err = errors.New("it ended badly")
	}
	return err
}
