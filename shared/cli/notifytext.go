package cli

import (
	"bytes"
	"encoding/json"

	"fleetwarden/shared/command"
)

// payload is the body of a post, with a line for each member.
func (t *text) payload(r command.NotifyShown) error {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(r.Payload), "", "  "); err != nil {
		return t.print("%s\n", r.Payload)
	}
	for line := range bytes.Lines(b.Bytes()) {
		if err := t.print("%s\n", string(bytes.TrimRight(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}
