package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Problem is one mistake in a policy file.
type Problem struct {
	File string
	// Line and Column count from 1.
	Line, Column int
	// Path is the position in the policy, such as controls.agent.mode or
	// exemptions[0].owner; empty for the file as a whole.
	Path    string
	Message string
	// Hint is the advice; it may be empty.
	Hint string
}

// Error returns one line: file:line:column: path: message; hint.
func (p Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all mistakes of one policy file, in the order of the file. It
// is the error that [Load] returns.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// suggest returns a hint that names the nearest candidate, or "" when none is near.
func suggest(word string, candidates []string) string {
	least, hint := 3, ""
	for _, candidate := range candidates {
		if d := levenshtein.ComputeDistance(strings.ToLower(legible(word)), strings.ToLower(candidate)); d < least && d < len(candidate) {
			least, hint = d, fmt.Sprintf("did you mean %q?", candidate)
		}
	}
	return hint
}

// quote returns a piece of the file in quotes, but for an address, which may have a secret.
func quote(s string) string {
	if likeURL(s) {
		return "an address, which is not shown"
	}
	return `"` + legible(s) + `"`
}

// legible returns a piece of the file on one line and of a readable length.
func legible(s string) string {
	const longest = 100
	cut := ""
	if utf8.RuneCountInString(s) > longest {
		s, cut = string([]rune(s)[:longest]), "…"
	}
	quoted := strconv.Quote(s)
	return quoted[1:len(quoted)-1] + cut
}

// options formats alternatives: a, b or c.
func options(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
