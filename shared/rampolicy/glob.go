package rampolicy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// covers reports whether pattern matches text: * is any number of characters, ? is one. If
// text has wildcards itself, covers reports whether pattern matches everything that text
// matches; it may then return false where that is hard to prove, never a wrong true. Its
// steps are bounded by the product of the lengths.
func covers(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0 // the last * and the end of what it stands for
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == '?' && text[t] != '*':
			p++
			t += width(text[t:])
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark += width(text[mark:])
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// width is the length of the first character of s, in bytes.
func width(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// overlaps reports whether a text exists that both patterns match.
func overlaps(a, b string) bool {
	if !strings.ContainsAny(b, "*?") {
		return covers(a, b)
	}
	return overlapping([]rune(a), []rune(b))
}

// overlapping walks a from its end: row[j] is whether a[i:] and b[j:] overlap.
func overlapping(a, b []rune) bool {
	row := make([]bool, len(b)+1)
	row[len(b)] = true
	for j := len(b) - 1; j >= 0 && b[j] == '*'; j-- {
		row[j] = true
	}
	for i := len(a) - 1; i >= 0; i-- {
		below := row[len(b)] // a[i+1:] and b[j+1:]
		row[len(b)] = row[len(b)] && a[i] == '*'
		for j := len(b) - 1; j >= 0; j-- {
			old := row[j]
			if a[i] == '*' || b[j] == '*' {
				row[j] = row[j+1] || old // the star takes one more, or ends
			} else {
				row[j] = below && (a[i] == b[j] || a[i] == '?' || b[j] == '?')
			}
			below = old
		}
	}
	return row[0]
}

func anyCovers(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return covers(pattern, text) })
}

func anyOverlaps(patterns []string, other string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return overlaps(pattern, other) })
}

func lowered(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = lower(s)
	}
	return out
}

// lower folds ASCII letters, the alphabet of action and service names. Unicode's folding
// would fold the Kelvin sign to k.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
