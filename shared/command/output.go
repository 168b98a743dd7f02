package command

import (
	"encoding/json"
	"fmt"
	"io"
)

// Output is where a command shows what it finds.
type Output interface {
	// Show shows a record. To programs, one that has Lines is these; one that is an
	// [io.WriterTo] writes itself.
	Show(record any) error
	// Line shows a record to programs only: for people it is part of a later one.
	Line(record any) error
	// Note says something to people only.
	Note(format string, args ...any)
	// Progress begins to show how far a command is, in most steps; 0: that is unknown.
	Progress(what string, most int) Progress
}

// Progress shows how far a command is.
type Progress interface {
	Add(n int)
	// Say changes what is being done.
	Say(what string)
	// End removes it from the screen. It may be called again.
	End()
}

// Lined is a record that is several lines of JSON.
type Lined interface{ Lines() []any }

// JSON writes records as JSON Lines.
type JSON struct{ W io.Writer }

// Show writes a record.
func (j JSON) Show(record any) error {
	if t, ok := record.(io.WriterTo); ok {
		_, err := t.WriteTo(j.W)
		return err
	}
	lines := []any{record}
	if l, ok := record.(Lined); ok {
		lines = l.Lines()
	}
	for _, v := range lines {
		if err := j.Line(v); err != nil {
			return err
		}
	}
	return nil
}

// Line writes a record as one line.
func (j JSON) Line(record any) error {
	text, err := json.Marshal(record)
	if err == nil {
		_, err = j.W.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// Note says nothing.
func (JSON) Note(string, ...any) {}

// Progress shows nothing.
func (JSON) Progress(string, int) Progress { return Silent{} }

// Silent shows no progress.
type Silent struct{}

// Add does nothing.
func (Silent) Add(int) {}

// Say does nothing.
func (Silent) Say(string) {}

// End does nothing.
func (Silent) End() {}
