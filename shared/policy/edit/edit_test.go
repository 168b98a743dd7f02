package edit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/policy"
	"fleetwarden/shared/policy/edit"
)

var moving = edit.Exemption{Control: "instance-role", Rule: "over-broad-role", Instance: "i-1", Owner: "platform team", Reason: "moves: ticket 4711", LastDay: "2027-03-31"}

const entry = `  - control: instance-role
    rule: over-broad-role
    instances: [i-1]
    owner: platform team
    reason: "moves: ticket 4711"
    expires: 2027-03-31
`

const other = `  - {control: agent, instances: [i-2], owner: eva, reason: "1", expires: 2027-01-01}
`

func TestAnExemptionIsAddedAndTheRestStays(t *testing.T) {
	inBrackets := `{"control": "instance-role", "rule": "over-broad-role", "instances": ["i-1"], "owner": "platform team", "reason": "moves: ticket 4711", "expires": "2027-03-31"}`
	literal := "exemptions:\n  - control: agent # why\n    instances: [i-2]\n    owner: eva\n    expires: 2027-01-01\n    reason: |\n      one\n\n      two\n"
	for name, c := range map[string]struct{ before, after string }{
		"no list":                   {"version: 1 # the first\n", "version: 1 # the first\n\nexemptions:\n" + entry},
		"no list and no end":        {"version: 1", "version: 1\n\nexemptions:\n" + entry},
		"no list and empty lines":   {"version: 1\n\n\n", "version: 1\n\nexemptions:\n" + entry + "\n\n"},
		"no list and an end mark":   {"version: 1\n...\n", "version: 1\n\nexemptions:\n" + entry + "...\n"},
		"a list at the end":         {"version: 1\nexemptions:\n" + other, "version: 1\nexemptions:\n" + other + entry},
		"a list without an end":     {"version: 1\nexemptions:\n" + strings.TrimSuffix(other, "\n"), "version: 1\nexemptions:\n" + other + entry},
		"a list, and keys after it": {"exemptions:\n" + other + "\n# limits\nversion: 1\n", "exemptions:\n" + other + entry + "\n# limits\nversion: 1\n"},
		"a comment after the last":  {"exemptions:\n" + other + "  # - later\nversion: 1\n", "exemptions:\n" + other + entry + "  # - later\nversion: 1\n"},
		"a reason of lines":         {literal + "version: 1\n", literal + entry + "version: 1\n"},
		"dashes in the first column": {"exemptions:\n" + unindent(other) + "version: 1\n",
			"exemptions:\n" + unindent(other) + unindent(entry) + "version: 1\n"},
		"an empty list":                {"version: 1\nexemptions: [] # none\nregions: auto\n", "version: 1\nexemptions: # none\n" + entry + "regions: auto\n"},
		"an empty list at the end":     {"version: 1\nexemptions: []", "version: 1\nexemptions:\n" + entry},
		"a list in brackets":           {"version: 1\nexemptions: [{control: agent, instances: [i-2], owner: eva, reason: x, expires: 2027-01-01}]\n", "version: 1\nexemptions: [" + inBrackets + ", {control: agent, instances: [i-2], owner: eva, reason: x, expires: 2027-01-01}]\n"},
		"JSON":                         {`{"version": 1, "exemptions": []}`, `{"version": 1, "exemptions": [` + inBrackets + `]}`},
		"letters of several bytes":     {"version: 1\n" + `"exemptions": [{control: agent, instances: [i-2], owner: 移行, reason: x, expires: 2027-01-01}]` + "\n", "version: 1\n" + `"exemptions": [` + inBrackets + `, {control: agent, instances: [i-2], owner: 移行, reason: x, expires: 2027-01-01}]` + "\n"},
		"lines that end as on Windows": {"version: 1\r\nexemptions: []\r\nregions: auto\r\n", "version: 1\r\nexemptions:\r\n" + strings.ReplaceAll(entry, "\n", "\r\n") + "regions: auto\r\n"},
	} {
		got, err := edit.Exempt("p.yaml", []byte(c.before), moving)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.after, string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// unindent takes two blanks from each line.
func unindent(text string) string {
	var out strings.Builder
	for l := range strings.Lines(text) {
		out.WriteString(strings.TrimPrefix(l, "  "))
	}
	return out.String()
}

func TestWhatCannotBeAddedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		e    edit.Exemption
		want string
	}{
		"a mistake of the file":     {"version: 1\nmod: x\n", moving, "p.yaml:2:1: mod: unknown key"},
		"braces":                    {"{version: 1}", moving, "written in braces"},
		"another account's":         {"version: 1\naccounts: [{id: 1}]\n", edit.Exemption{Control: "share-role", Rule: "take-back", Account: "2", Owner: "o", Reason: "r", LastDay: "2027-01-01"}, "account 2 is not one of the policy's accounts"},
		"a rule of accounts":        {"version: 1\n", edit.Exemption{Control: "share-role", Rule: "take-back", Instance: "i-1", Owner: "o", Reason: "r", LastDay: "2027-01-01"}, "instances selects nothing that take-back of share-role judges"},
		"a day that is none":        {"version: 1\n", edit.Exemption{Control: "agent", Rule: "agent-online", Instance: "i-1", Owner: "o", Reason: "r", LastDay: "2027-02-30"}, `want a date such as 2027-01-31, found "2027-02-30"`},
		"a reason that would break": {"version: 1\n", edit.Exemption{Control: "agent", Rule: "agent-online", Instance: "i-1", Owner: "o", Reason: "a\x07", LastDay: "2027-02-28"}, "want some words"},
	} {
		got, err := edit.Exempt("p.yaml", []byte(c.file), c.e)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// No word of the operator becomes another value, another key, or another exemption.
func TestWordsAreWrittenSoThatTheyAreReadAlike(t *testing.T) {
	for _, w := range []string{"a", "null", "true", "yes", "No", "1", "1.5", "2027-01-01", "a: b", "a # b", "- a", "a\nb", `"`, "'", "移行中", "a, b]", "{", "&a", "*a", "!x", "%", "@", "`", "~", "<&>", "x ", " x", "0x1", "1e3", ".inf", "=", "a:b", "null.x", "T4711"} {
		e := moving
		e.Owner, e.Reason = w, w
		for _, file := range []string{"version: 1\n", `{"version": 1, "exemptions": []}`} {
			got, err := edit.Exempt("p.yaml", []byte(file), e)
			if err != nil {
				t.Errorf("%q: %v", w, err)
				continue
			}
			p, err := policy.Load("p.yaml", got)
			if err != nil || len(p.Exemptions) != 1 || p.Exemptions[0].Owner != w || p.Exemptions[0].Reason != w {
				t.Errorf("%q: %v, %+v in\n%s", w, err, p, got)
			}
		}
	}
}

// A policy that loads is not blamed for what the edit makes of it, wherever its comments are and
// however its lines end.
func TestCommentsAndLineEndsAreEditedOrLeftToTheOperator(t *testing.T) {
	list := "version: 1\nexemptions:\n" + strings.Replace(entry, "[i-1]", "[i-3]", 1)
	first := strings.Replace(list, "    rule:", "# in between\n    rule:", 1)
	for name, c := range map[string]struct{ before, after string }{
		"a comment at the margin, in the last": {first, first + entry},
		"and a comment after it":               {first + "# after\n", first + entry + "# after\n"},
		"a comment with a blank before it":     {first + "\n # after\nregions: auto\n", first + entry + "\n # after\nregions: auto\n"},
		"comments after the end mark":          {list + "...\n# after\n", list + entry + "...\n# after\n"},
		"comments after the end, no list":      {"version: 1\n...\n# after\n", "version: 1\n\nexemptions:\n" + entry + "...\n# after\n"},
		"a comment beside the end mark":        {"version: 1\n\n... # end\n\n# after\n", "version: 1\n\nexemptions:\n" + entry + "\n... # end\n\n# after\n"},
		"a comment after it all":               {"---\nversion: 1\n# last\n", "---\nversion: 1\n# last\n\nexemptions:\n" + entry},
	} {
		got, err := edit.Exempt("p.yaml", []byte(c.before), moving)
		if err != nil {
			if _, loads := policy.Load("p.yaml", []byte(c.before)); loads != nil {
				t.Errorf("%s: it is no policy: %v", name, loads)
			}
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.after, string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, end := range []string{"\r", "\u0085", "\u2028", "\u2029"} {
		for _, file := range []string{"# a" + end + list, "# a" + end + "version: 1\n", "# a" + end + "# b" + end + "# c" + end + "version: 1\nexemptions: [{control: agent, instances: [i-2], owner: eva, reason: x, expires: 2027-01-01}]\n", list + "# a" + end + "# b"} {
			if _, err := policy.Load("p.yaml", []byte(file)); err != nil {
				t.Errorf("%q is no policy: %v", file, err)
			}
			got, err := edit.Exempt("p.yaml", []byte(file), moving)
			if got != nil || err == nil || !strings.Contains(err.Error(), "line feed") || !strings.Contains(err.Error(), entry[:len(entry)-1]) {
				t.Errorf("%q: %q, %v", file, got, err)
			}
		}
	}
}

func TestADiffHasThreeLinesAround(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"nothing":     {"a\n", "a\n", ""},
		"in between":  {"1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nx\ny\n5\n6\n7\n8\n", "--- f\n+++ f\n@@ -2,6 +2,8 @@\n 2\n 3\n 4\n+x\n+y\n 5\n 6\n 7\n"},
		"at the end":  {"1\n2\n", "1\n2\n3\n", "--- f\n+++ f\n@@ -1,2 +1,3 @@\n 1\n 2\n+3\n"},
		"of an empty": {"", "1\n", "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+1\n"},
		"no line end": {"1", "1\n2\n", "--- f\n+++ f\n@@ -1,1 +1,2 @@\n-1\n\\ No newline at end of file\n+1\n+2\n"},
		"a line less": {"1\n2\n", "1\n", "--- f\n+++ f\n@@ -1,2 +1,1 @@\n 1\n-2\n"},
	} {
		if diff := cmp.Diff(c.want, edit.Diff("f", c.before, c.after)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Whatever the file is, it is refused, or has the exemption more and its own lines as before. A
// file that is a policy is not blamed for what was made of it. Each has a comment more on some
// line, which ends in one of the ways that YAML knows.
func FuzzExempt(f *testing.F) {
	ends := []string{"\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029"}
	for i, seed := range []string{"version: 1", "version: 1\nexemptions:\n" + other, "exemptions:\n- control: agent\n  instances: [i-2]\n  owner: |\n   a\n\n  reason: >-\n   b\n  expires: 2027-01-01\nversion: 1",
		`{"version":1,"exemptions":[ ]}`, "version: 1\nexemptions: [ # none\n]\n", "exemptions: []\r\nversion: 1\r\n", "version: 1\n...\n# end", "---\nversion: 1\n---\n", "version: 1\nexemptions:\n" + entry} {
		for end := range ends {
			for line := range strings.Count(seed, "\n") + 1 {
				f.Add(seed, "a reason", " why", uint8(line), uint8(i), uint8(end))
			}
		}
	}
	f.Fuzz(func(t *testing.T, file, reason, comment string, line, indent, end uint8) {
		lines := strings.SplitAfter(file, "\n")
		at := int(line) % len(lines)
		if at > 0 && lines[at-1] != "" {
			file = strings.Join(lines[:at], "") + strings.Repeat(" ", int(indent)%8) + "#" + comment + ends[int(end)%len(ends)] + strings.Join(lines[at:], "")
		}
		e := moving
		e.Reason = reason
		got, err := edit.Exempt("p.yaml", []byte(file), e)
		before, no := policy.Load("p.yaml", []byte(file))
		if err != nil {
			if blames := errors.As(err, new(policy.Problems)); blames && no == nil && len(file)+len(reason) < policy.MaxSize/8 {
				t.Fatalf("it blames a file that loads: %v", err)
			}
			return
		}
		if no != nil {
			t.Fatalf("it has edited what does not load: %v", no)
		}
		after, err := policy.Load("p.yaml", got)
		if err != nil || len(after.Exemptions) != len(before.Exemptions)+1 {
			t.Fatalf("%v: %q", err, got)
		}
		rest := string(got)
		for l := range strings.Lines(file) {
			l = strings.TrimRight(l, "\r\n")
			if strings.Contains(l, "exemptions") || strings.Contains(l, "[") || strings.Contains(l, "]") {
				continue
			}
			at := strings.Index(rest, l)
			if at < 0 {
				t.Fatalf("the line %q is gone: %q", l, got)
			}
			rest = rest[at+len(l):]
		}
	})
}
