package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/stage"
)

// memory reads what the sweep's processes needed. They still wait for work: the platform
// keeps an instance that has not failed.
func (s *night) memory(st *stage.Stage, bin string) error {
	binary, err := filepath.Abs(filepath.Join(bin, "sweep", "main"))
	if err != nil {
		return err
	}
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return err
	}
	for _, link := range links {
		// Processes of others cannot be asked, and some have ended meanwhile.
		if exe, err := os.Readlink(link); err != nil || exe != binary {
			continue
		}
		peak, err := statusLine(filepath.Join(filepath.Dir(link), "status"), "VmHWM")
		if err != nil {
			return err
		}
		s.PeakRSSMiB = max(s.PeakRSSMiB, peak)
	}
	if s.PeakRSSMiB == 0 {
		return fmt.Errorf("measuring the memory of the sweep: no process of %s is there", binary)
	}
	return s.heap(st.Stack.LogDir())
}

// statusLine returns a line of a process's status, such as VmHWM, in MiB.
func statusLine(path, name string) (float64, error) {
	status, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading the memory of a process: %w", err)
	}
	_, line, _ := strings.Cut(string(status), name+":")
	var kilobytes float64
	if _, err := fmt.Sscan(line, &kilobytes); err != nil {
		return 0, fmt.Errorf("reading %s: %w", path, err)
	}
	return kilobytes / 1024, nil
}

// collection is what the runtime traces of a garbage collection: the heap at its start,
// at its end, and what of it lives, in whole MiB (package runtime, GODEBUG=gctrace=1).
var collection = regexp.MustCompile(`(?m)^gc \d+ @.* (\d+)->(\d+)->(\d+) MB`)

func (s *night) heap(logs string) error {
	paths, err := filepath.Glob(filepath.Join(logs, "*-c-fleetwarden-sweep-*.log"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading a log: %w", err)
		}
		for _, m := range collection.FindAllSubmatch(text, -1) {
			live, err := strconv.Atoi(string(m[3]))
			if err != nil {
				return fmt.Errorf("reading the trace of a collection: %w", err)
			}
			s.LiveHeapMiB, s.Collections = max(s.LiveHeapMiB, live), s.Collections+1
		}
	}
	if s.Collections == 0 {
		return fmt.Errorf("measuring the heap of the sweep: no collection was traced in %s", logs)
	}
	return nil
}
