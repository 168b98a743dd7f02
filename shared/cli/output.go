package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"fleetwarden/shared/terminal"
)

// line writes one value as a line of JSON.
func (j *job) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return j.write(string(text) + "\n")
}

// print writes text for the operator; see [cleaned].
func (j *job) print(format string, args ...any) error {
	return j.write(fmt.Sprintf(format, cleaned(args)...))
}

func (j *job) write(text string) error {
	if _, err := io.WriteString(j.out, text); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// note writes a remark for the operator, unless the output is JSON.
func (j *job) note(format string, args ...any) {
	if !j.json {
		fmt.Fprintf(j.err, format+"\n", cleaned(args)...)
	}
}

// cells writes a row of a table; see [cleaned]. The table's Flush returns the error of a failed
// write.
func cells(w io.Writer, format string, args ...any) { fmt.Fprintf(w, format, cleaned(args)...) }

// cleaned are values for the operator to read. All but numbers comes from the cloud, the ledger
// or a plan's file: it is cleaned so that it cannot control the terminal, or add a line or a
// column.
func cleaned(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if n, ok := a.(int); ok {
			out[i] = n
		} else {
			out[i] = terminal.Clean(fmt.Sprint(a))
		}
	}
	return out
}
