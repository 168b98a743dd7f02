package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Summary is what a run played and found; out/chaos/summary.json.
type Summary struct {
	// Commit is what git says of the repository, empty where there is no git.
	Commit  string   `json:"commit"`
	Minutes float64  `json:"minutes"`
	Seeds   []uint64 `json:"seeds"` // of the histories that ended, in that order
	Steps   int      `json:"steps"`
	// Violations are the histories that ended badly.
	Violations []Violation `json:"violations"`
}

// Violation is a history that ended badly.
type Violation struct {
	Seed  uint64   `json:"seed"`
	Found []string `json:"found"`
	// History is the file with the shortened history.
	History string `json:"history,omitempty"`
}

// campaign plays fresh seeds, several at a time, until the time is up or enough ended badly.
type campaign struct {
	o       options
	log     io.Writer
	enough  int    // violations
	cut     func() // ends the histories that are being played
	mu      sync.Mutex
	last    uint64 // seed
	summary Summary
	err     error
}

const (
	// workers play histories beside each other on each processor: functions wait in real
	// time before they try again.
	workers = 4
	// overtime is left to the histories that have begun when the time is up.
	overtime = 30 * time.Second
)

// play plays until the time is up. A history that does not end in time does not count.
func (c *campaign) play(ctx context.Context) (Summary, error) {
	began := time.Now()
	timed, stop := context.WithTimeout(ctx, c.o.time)
	defer stop()
	playing, cut := context.WithTimeout(ctx, c.o.time+overtime)
	defer cut()
	c.cut = cut
	var all sync.WaitGroup
	for range workers * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for timed.Err() == nil && c.continues() {
				c.one(playing, c.next())
			}
		})
	}
	all.Wait()
	c.summary.Minutes = time.Since(began).Minutes()
	if commit, err := exec.CommandContext(ctx, "git", "-C", c.o.root, "describe", "--always", "--dirty").Output(); err == nil {
		c.summary.Commit = strings.TrimSpace(string(commit))
	}
	return c.summary, errors.Join(c.err, ctx.Err())
}

func (c *campaign) continues() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil && len(c.summary.Violations) < c.enough
}

// next is the next seed: after a fresh one the one that follows, as drills are taken in turn.
// Every other two are of histories about the functions that are hunted in.
func (c *campaign) next() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == 0 {
		c.last = uint64(rand.Uint32())
	}
	c.last++
	if c.last/2%2 == 0 { // odd and even seeds differ in more
		return c.last
	}
	return c.o.about.with(c.last)
}

// one plays the history of a seed.
func (c *campaign) one(ctx context.Context, seed uint64) {
	h := Generate(seed)
	found, err := Play(ctx, h, c.o)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		found = append(found, err.Error())
	}
	c.summary.Seeds = append(c.summary.Seeds, seed)
	c.summary.Steps += len(h.Steps)
	if len(found) == 0 {
		return
	}
	fmt.Fprintf(c.log, "seed %d: %s\n", seed, found[0])
	c.summary.Violations = append(c.summary.Violations, Violation{Seed: seed, Found: found})
	if len(c.summary.Violations) == c.enough {
		c.cut()
	}
}

// shortest is how long a history is shortened.
const shortest = 5 * time.Minute

// explain shortens the history of a violation, writes it, and says how to repeat it.
func (o options) explain(ctx context.Context, v Violation, log io.Writer) (Violation, error) {
	until := time.Now().Add(shortest)
	var last []string
	h := Shrink(Generate(v.Seed), func(h History) bool {
		if ctx.Err() != nil || time.Now().After(until) {
			return false
		}
		found, err := Play(ctx, h, o)
		if err != nil {
			found = append(found, err.Error())
		}
		if len(found) > 0 {
			last = found
		}
		return len(found) > 0
	})
	if len(last) > 0 {
		v.Found = last
	}
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return v, err
	}
	v.History = filepath.Join(o.out, fmt.Sprintf("seed-%d.json", v.Seed))
	if err := os.WriteFile(v.History, text, 0o644); err != nil {
		return v, fmt.Errorf("writing a history: %w", err)
	}
	fmt.Fprintf(log, "\nseed %d, shortened to %d steps in %s:\n", v.Seed, len(h.Steps), v.History)
	h.print(log)
	for _, f := range v.Found {
		fmt.Fprintf(log, "- %s\n", f)
	}
	fmt.Fprintf(log, "repeat it: make chaos HISTORY=%s\n", v.History)
	return v, nil
}
