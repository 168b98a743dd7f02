package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// A line that is longer than the terminal is wide wraps, and is not overdrawn but repeated.
func TestABarIsNoWiderThanTheTerminal(t *testing.T) {
	for _, width := range []int{40, 60, 80, 99, 100, 120, 200} {
		for _, most := range []int{0, 1, 300, 100_000} {
			var out bytes.Buffer
			p := newProgress(&out, width, "waiting for the owners of all controls, one place after another", most)
			for range 3 {
				p.Add(max(1, most/3))
				p.Say("checking place 12345 of 12345")
			}
			p.Add(0)
			for _, line := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("of %d columns, %d: %q", width, n, line)
				}
			}
			if out.Len() == 0 {
				t.Errorf("width %d, most %d: nothing was drawn", width, most)
			}
		}
	}
}
