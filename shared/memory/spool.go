package memory

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"
)

// spool is a file of entries, a line each, that no other process can open: it is unlinked.
// A disk of 512 MB, which the platform gives a function, holds some ten million.
type spool struct {
	file *os.File
	w    *bufio.Writer
	size int64
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "fleetwarden-memory-*")
	if err != nil {
		return nil, fmt.Errorf("creating a file for the memory: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close() // it could not be used
		return nil, fmt.Errorf("creating a file for the memory: %w", err)
	}
	return &spool{file: f, w: bufio.NewWriter(f)}, nil
}

func (s *spool) add(e Entry) error {
	unix := int64(0)
	if !e.First.IsZero() {
		unix = e.First.Unix()
	}
	n, err := fmt.Fprintf(s.w, "%s\t%s\t%d\n", e.ID, e.Rule, unix)
	s.size += int64(n)
	if err != nil {
		return fmt.Errorf("writing the memory to a file: %w", err)
	}
	return nil
}

// flush makes all added entries readable.
func (s *spool) flush() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("writing the memory to a file: %w", err)
	}
	return nil
}

// between yields the entries from one offset to another.
func (s *spool) between(from, to int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		lines := bufio.NewScanner(io.NewSectionReader(s.file, from, to-from))
		for lines.Scan() {
			id, rest, _ := strings.Cut(lines.Text(), "\t")
			rule, first, _ := strings.Cut(rest, "\t")
			unix, err := strconv.ParseInt(first, 10, 64)
			e := Entry{ID: id, Rule: rule}
			if unix != 0 {
				e.First = time.Unix(unix, 0).UTC()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Entry{}, fmt.Errorf("reading the memory from a file: %w", err))
		}
	}
}

func (s *spool) all() iter.Seq2[Entry, error] { return s.between(0, s.size) }

func (s *spool) close() { _ = s.file.Close() }
