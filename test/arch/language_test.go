package arch_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bannedExceptions are the files that may have the words for good, with the reason.
var bannedExceptions = map[string]string{
	"test/arch/language_test.go": "it defines them",
}

// humps are the case boundaries in identifiers, which separate words as spaces do.
var (
	humps  = []*regexp.Regexp{regexp.MustCompile(`([a-z0-9])([A-Z])`), regexp.MustCompile(`([A-Z])([A-Z][a-z])`)}
	gap    = `[\s/#*_-]+`
	banned = regexp.MustCompile(`(?i)\b(told|tells|nobody|somebody|anew|(gone|goes)` + gap + `on|in` + gap + `vain|waits` + gap + `not|dunno)\b`)
	opens  = map[string]*regexp.Regexp{
		".go":    regexp.MustCompile(`^\s*// What\b`),
		".yaml":  regexp.MustCompile(`^\s*# What\b`),
		".tf":    regexp.MustCompile(`^\s*# What\b`),
		".txtar": regexp.MustCompile(`^\s*# What\b`),
		".json":  nil,
		".md":    nil,
	}
)

// bannedWords returns the line and text of each banned word, and of each comment that opens
// with "What".
func bannedWords(ext, text string) (out []string) {
	split := strings.ReplaceAll(text, "_", " ")
	for _, hump := range humps {
		split = hump.ReplaceAllString(split, "$1 $2")
	}
	for _, at := range banned.FindAllStringIndex(split, -1) {
		out = append(out, fmt.Sprintf("%d: %q", 1+strings.Count(split[:at[0]], "\n"), split[at[0]:at[1]]))
	}
	pattern, before := opens[ext], ""
	if pattern == nil {
		return out
	}
	for n, line := range strings.Split(text, "\n") {
		mark := strings.TrimSpace(pattern.FindString(line))
		if mark != "" && !strings.HasPrefix(strings.TrimSpace(before), strings.TrimSuffix(mark, " What")) {
			out = append(out, fmt.Sprintf("%d: a comment opens with \"What\"", n+1))
		}
		before = line
	}
	return out
}

// eachText calls visit with each file of a kind that the language rules cover.
func eachText(t *testing.T, visit func(name, text string)) {
	t.Helper()
	top := filepath.Join("..", "..")
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() {
			if name != "." && name != ".ci" && strings.HasPrefix(d.Name(), ".") || name == "out" || name == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		if _, covered := opens[path.Ext(name)]; !covered {
			return nil
		}
		text, err := os.ReadFile(p)
		if err == nil {
			visit(name, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTextsHaveNoBannedWords(t *testing.T) {
	eachText(t, func(name, text string) {
		found := bannedWords(path.Ext(name), text)
		if bannedExceptions[name] != "" || len(found) == 0 {
			return
		}
		for _, f := range found {
			t.Errorf("%s:%s is banned: write the usual term", name, f)
		}
	})
}

func TestBannedWordsAreFoundInIdentifiersAndComments(t *testing.T) {
	for text, want := range map[string]int{
		"func TestWhoIsTold()": 1, "x := isTold": 1, "var nobody_else": 1, "It goes\n// on.": 1, "pushed InVain": 1,
		"untold": 0, "func TestANewVersion()": 0, "an anewline": 0, "// What it is.": 1, "// It is\n// What it is.": 0, "\t// A.\n\n\t// What.": 1,
	} {
		if got := bannedWords(".go", text); len(got) != want {
			t.Errorf("%q: got %v, want %d", text, got, want)
		}
	}
}
