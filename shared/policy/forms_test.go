package policy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Editors and Load check the same.
func FuzzForms(f *testing.F) {
	forms := []form{formLine, formTagKey, formTagValue, formWords, formRegion, formRole, formGroup, formVPC, formInstance, formFolder,
		formFamily, formDisk, formAPI, formQueue, formZone, formChannel, formSecret, formMail, formNetwork}
	if len(forms) != len(patterns) {
		f.Fatalf("%d forms, %d patterns", len(forms), len(patterns))
	}
	compiled := map[string]*regexp.Regexp{}
	for name, pattern := range patterns {
		compiled[name] = regexp.MustCompile(pattern)
	}
	for _, s := range []string{"", "a", "A1", "g7t", "cloud_essd", "rg-", "rg-a-", "vpc-é", "fd-x", "i-1", "cn-hangzhou", "a.b", "two words", " \n", "a\nb", "a\tb",
		" ", "\u00a0", "\u0085", "\ufeff", "\x7f", "0", "-", "5m", "05m", "10000d", "9999h", "+1s", "-1d", strings.Repeat("a", 129),
		"Asia/Shanghai", "Etc/GMT+1", "posix/Cuba", "env:HOOK", "env:7", "env:", "fleetwarden-", "fleetwarden-a.b/c", "fleetwarden-é", "/", "a@b.c", "a@b", "a@b@c.d", "a@.c", "10.1.0.0/16", "fd00::/8", "/8", "1/1234",
		"22:00-07:00", "24:00-07:00", "7:00-22:00", "22:00-07:00-"} {
		f.Add(s)
	}
	durations, hours := regexp.MustCompile(durationPattern), regexp.MustCompile(quietPattern)
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
		for pattern, v := range map[*regexp.Regexp]value{durations: duration{new(time.Duration)}, hours: quietHours{new(Quiet)}} {
			l := newLoader("f.yaml")
			v.load(l, node{Node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}})
			got := !slices.ContainsFunc(l.problems, func(p Problem) bool { return !strings.Contains(p.Message, "a part of the day") })
			if want := pattern.MatchString(s); got != want {
				t.Errorf("%T %q: %v, and the pattern says %v", v, s, got, want)
			}
		}
	})
}

func TestTheDeployedFormNeedsNoYAMLParser(t *testing.T) {
	if l := newLoader("policy.json"); !l.fill(deployed(defaults().JSON())) {
		t.Error("the YAML parser has to read it")
	}
}
