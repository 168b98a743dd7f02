package cli

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean replaces characters of text from the cloud, the ledger or a file that would control
// the terminal or disguise other text: control characters, and format characters such as those
// that turn the direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf) {
			return ' '
		}
		return r
	}, s)
}

// cleanLines is clean for a text of several lines.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// cleaned are values for a person to read. All but numbers comes from the cloud, the ledger
// or a plan's file: it is cleaned so that it cannot control the terminal, or add a line or a
// column.
func cleaned(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if n, ok := a.(int); ok {
			out[i] = n
		} else {
			out[i] = clean(fmt.Sprint(a))
		}
	}
	return out
}

// longestValue is how many characters of a value a table shows, unless it is wide.
const longestValue = 60

func (t *text) value(s string) string {
	s = cmp.Or(clean(s), "(none)")
	if utf8.RuneCountInString(s) > longestValue && !t.wide {
		return string([]rune(s)[:longestValue]) + "…"
	}
	return s
}
