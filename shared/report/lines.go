// Package report formats records for people and programs. JSON Lines is the stable form:
// one record a line, with the names of [fleet.Record].
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"fleetwarden/shared/fleet"
)

// Lines writes records as JSON Lines. Several passes may share it.
type Lines struct {
	mu sync.Mutex
	w  io.Writer
}

// NewLines returns Lines that write to w, each record in one Write.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Record writes one record.
func (l *Lines) Record(r fleet.Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	return nil
}
