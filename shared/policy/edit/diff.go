package edit

import (
	"fmt"
	"strings"
)

// around is how many lines a diff shows before and after what differs.
const around = 3

// Diff returns the unified diff of two texts of a file, which differ in one place; "" if they are
// equal.
func Diff(name, before, after string) string {
	if before == after {
		return ""
	}
	a, b := split(before), split(after)
	first := 0
	for first < len(a) && first < len(b) && a[first] == b[first] {
		first++
	}
	same := 0
	for same < len(a)-first && same < len(b)-first && a[len(a)-1-same] == b[len(b)-1-same] {
		same++
	}
	from, tail := max(0, first-around), min(same, around)
	toA, toB := len(a)-same, len(b)-same
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n@@ -%s +%s @@\n", name, name, span(from, toA+tail), span(from, toB+tail))
	write := func(mark string, lines []string) {
		for _, l := range lines {
			out.WriteString(mark + strings.TrimSuffix(l, "\n") + "\n")
			if !strings.HasSuffix(l, "\n") {
				out.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	write(" ", a[from:first])
	write("-", a[first:toA])
	write("+", b[first:toB])
	write(" ", a[toA:toA+tail])
	return out.String()
}

// span is the place of lines from one to before another, as a hunk has it.
func span(from, to int) string {
	if to == from {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// split returns the lines of a text with their ends.
func split(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
