package stage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Record is a line that a function wrote, flattened: the members of its finding,
// change or pass stand beside its own, as text.
type Record map[string]string

// journal is what was read of one function's log. The stories ask after each step, so
// that a line is read once.
type journal struct {
	upto    int64
	records []Record
}

// Records returns all records written so far, each function's in their order.
func (s *Stage) Records() ([]Record, error) {
	paths, err := filepath.Glob(filepath.Join(s.logs, "*.log"))
	if err != nil {
		return nil, fmt.Errorf("finding the logs: %w", err)
	}
	slices.Sort(paths)
	s.reading.Lock()
	defer s.reading.Unlock()
	var out []Record
	for _, p := range paths {
		j := s.journals[p]
		if err := j.read(p); err != nil {
			return nil, err
		}
		s.journals[p] = j
		out = append(out, j.records...)
	}
	return out, nil
}

// read takes the lines that have come since. One that is not yet written to its end is
// left for the next time.
func (j *journal) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(j.upto, io.SeekStart); err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading records: %w", err)
		}
		if j.upto += int64(len(line)); !bytes.HasPrefix(line, []byte(`{"v":`)) {
			continue // what a function logged beside its records
		}
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("reading a record in %s: %w", filepath.Base(path), err)
		}
		j.records = append(j.records, flatten(r))
	}
}

func flatten(r map[string]any) Record {
	flat := Record{}
	for k, v := range r {
		inner, ok := v.(map[string]any)
		if !ok {
			flat[k] = text(v)
			continue
		}
		for k, v := range inner {
			flat[k] = text(v)
		}
	}
	return flat
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Match reports whether the record has all these members. A wanted value that ends
// in * is a beginning; one that begins with * is a part.
func (r Record) Match(want map[string]string) bool {
	for k, v := range want {
		got, ok := r[k]
		switch {
		case !ok:
			return false
		case strings.HasPrefix(v, "*"):
			ok = strings.Contains(got, strings.Trim(v, "*"))
		case strings.HasSuffix(v, "*"):
			ok = strings.HasPrefix(got, strings.TrimSuffix(v, "*"))
		default:
			ok = got == v
		}
		if !ok {
			return false
		}
	}
	return true
}

// Logs returns all that the functions wrote, records or not.
func (s *Stage) Logs() (string, error) {
	paths, err := filepath.Glob(filepath.Join(s.logs, "*.log"))
	if err != nil {
		return "", fmt.Errorf("finding the logs: %w", err)
	}
	var b strings.Builder
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return "", fmt.Errorf("reading the logs: %w", err)
		}
		b.Write(data)
	}
	return b.String(), nil
}

// Calls counts API requests of a caller, by name of role or user, that reached the
// cloud, by "product:Action".
func (s *Stage) Calls(caller string) map[string]int {
	out := map[string]int{}
	for _, t := range s.Server.Log.Totals() {
		if t.Caller == caller {
			out[t.Product+":"+t.Action] += int(t.Count)
		}
	}
	return out
}
