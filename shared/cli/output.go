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

// print writes for a person to read; see [cleaned].
func (j *job) print(format string, args ...any) error {
	return j.write(fmt.Sprintf(format, cleaned(args)...))
}

func (j *job) write(text string) error {
	if _, err := io.WriteString(j.out, text); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// note tells a person what goes on, where it is not in the way of the output.
func (j *job) note(format string, args ...any) {
	if !j.json {
		fmt.Fprintf(j.err, format+"\n", cleaned(args)...)
	}
}

// cells writes a row of a table; see [cleaned]. The table tells at its end what failed.
func cells(w io.Writer, format string, args ...any) { fmt.Fprintf(w, format, cleaned(args)...) }

// cleaned are values for a person to read. All but numbers comes from the cloud, the ledger
// or a plan's file: none of it can steer the terminal, or look like another line or column.
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
