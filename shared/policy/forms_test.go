package policy

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Editors and Load check the same.
func FuzzForms(f *testing.F) {
	forms := []form{formLine, formTagKey, formTagValue, formWords, formRegion, formRole, formGroup, formVPC, formInstance, formFolder,
		formFamily, formDisk, formAPI, formQueue}
	if len(forms) != len(patterns) {
		f.Fatalf("%d forms, %d patterns", len(forms), len(patterns))
	}
	compiled := map[string]*regexp.Regexp{}
	for name, pattern := range patterns {
		compiled[name] = regexp.MustCompile(pattern)
	}
	for _, s := range []string{"", "a", "A1", "g7t", "cloud_essd", "rg-", "rg-a-", "vpc-é", "fd-x", "i-1", "cn-hangzhou", "a.b", "two words", " \n", "a\nb", "a\tb",
		" ", "\u00a0", "\u0085", "\ufeff", "\x7f", "0", "-", "5m", "05m", "10000d", "9999h", "+1s", "-1d", strings.Repeat("a", 129)} {
		f.Add(s)
	}
	durations := regexp.MustCompile(durationPattern)
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // no file has such a string
		}
		for _, form := range forms {
			want := compiled[form.name].MatchString(s) && utf8.RuneCountInString(s) <= form.longest
			if got := form.fits(s); got != want {
				t.Errorf("%s %q: %v, and the pattern says %v", form.name, s, got, want)
			}
		}
		var d time.Duration
		l := newLoader("f.yaml")
		duration{&d}.load(l, node{Node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}})
		if got, want := len(l.problems) == 0, durations.MatchString(s); got != want {
			t.Errorf("duration %q: %v, and the pattern says %v", s, got, want)
		}
	})
}

func TestTheDeployedFormNeedsNoYAMLParser(t *testing.T) {
	if l := newLoader("policy.json"); !l.fill(deployed(defaults().JSON())) {
		t.Error("the YAML parser has to read it")
	}
}
