// Package edit changes the text of a policy file for an operator: what it adds stands beside the
// rest, whose bytes, comments and order stay as they are. It opens no file, and returns no text
// that [policy.Load] does not take. Functions read policies and change none: none links it.
package edit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"fleetwarden/shared/policy"
)

// Exemption is an exemption to be added, with the words of the file.
type Exemption struct {
	Control, Rule string
	// Instance or Account is what it is for.
	Instance, Account string
	Owner, Reason     string
	// LastDay is the last day on which it works, as 2006-01-02.
	LastDay string
}

// member is a key of the exemption with its value in YAML.
type member struct{ key, value string }

func (e Exemption) members() []member {
	what := member{"instances", "[" + word(e.Instance) + "]"}
	if e.Instance == "" {
		what = member{"accounts", "[" + quoted(e.Account) + "]"}
	}
	return []member{{"control", word(e.Control)}, {"rule", word(e.Rule)}, what, {"owner", word(e.Owner)}, {"reason", word(e.Reason)}, {"expires", e.LastDay}}
}

// block is the exemption as an element of a list whose dashes stand in a column.
func (e Exemption) block(indent int) (lines []string) {
	for i, m := range e.members() {
		lead := "  "
		if i == 0 {
			lead = "- "
		}
		lines = append(lines, strings.Repeat(" ", indent)+lead+m.key+": "+m.value)
	}
	return lines
}

// flow is the exemption as an element of a list in brackets, which is JSON but for its date.
func (e Exemption) flow() string {
	var parts []string
	for _, m := range e.members() {
		value := m.value
		if !strings.HasPrefix(value, `"`) && !strings.HasPrefix(value, "[") {
			value = quoted(value)
		}
		if m.key == "instances" {
			value = "[" + quoted(e.Instance) + "]"
		}
		parts = append(parts, quoted(m.key)+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plainWord is what YAML reads as the same text without quotes, whatever version it is.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*([ ./-][A-Za-z0-9]+)*$`)

// word writes text in quotes if it needs some.
func word(s string) string {
	var read any
	if plainWord.MatchString(s) && yaml.Unmarshal([]byte(s), &read) == nil && read == s && !slices.Contains([]string{"y", "n", "yes", "no", "on", "off"}, strings.ToLower(s)) {
		return s
	}
	return quoted(s)
}

// quoted writes text as JSON, which YAML reads alike.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a text: it cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// Exempt returns a policy file with an exemption more, at the end of its list. name is only for
// messages. The error is [policy.Problems] if the file, or the exemption, has mistakes.
func Exempt(name string, file []byte, e Exemption) ([]byte, error) {
	before, err := policy.Load(name, file)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil { // which has loaded
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	edited, err := added(string(file), document.Content[0], e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	after, err := policy.Load(name, []byte(edited))
	if err != nil {
		return nil, err
	}
	if !onlyMore(before, after) {
		return nil, fmt.Errorf("%s: its exemptions are written in a way that is not edited safely: add it by hand:\n%s", name, strings.Join(e.block(2), "\n"))
	}
	return []byte(edited), nil
}

// onlyMore reports whether a policy has an exemption more than another, and nothing else.
func onlyMore(before, after *policy.Policy) bool {
	n := len(before.Exemptions)
	if len(after.Exemptions) != n+1 {
		return false
	}
	for _, added := range []int{n, 0} {
		rest := *after
		rest.Exemptions = slices.Delete(slices.Clone(after.Exemptions), added, added+1)
		if bytes.Equal(rest.JSON(), before.JSON()) {
			return true
		}
	}
	return false
}

var errBrackets = errors.New("it is written in braces: add \"exemptions\" to it by hand, or write it in lines")

// added is the text with the exemption.
func added(text string, root *yaml.Node, e Exemption) (string, error) {
	lines, end := strings.Split(text, "\n"), ""
	if strings.Contains(text, "\r\n") {
		end = "\r"
	}
	list := value(root, "exemptions")
	switch {
	case list == nil && root.Style&yaml.FlowStyle != 0:
		return "", errBrackets
	case list == nil:
		return put(lines, last(lines, len(lines)), end, append([]string{"", "exemptions:"}, e.block(2)...)), nil
	case list.Style&yaml.FlowStyle != 0:
		line, at := list.Line-1, offset(lines[list.Line-1], list.Column)
		open, rest := lines[line][:at+1], lines[line][at+1:]
		if len(list.Content) > 0 { // the newest first: where the list ends is not known
			return inLine(lines, line, open+e.flow()+", "+rest), nil
		}
		empty, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), "]")
		if !ok || root.Style&yaml.FlowStyle != 0 {
			return inLine(lines, line, open+e.flow()+rest), nil
		}
		lines[line] = strings.TrimRight(strings.TrimRight(open[:at], " ")+cmp.Or(strings.TrimRight(empty, "\r"), ""), " ") + end
		return put(lines, line+1, end, e.block(2)), nil
	}
	dash := list.Column - 1
	begin := list.Content[len(list.Content)-1].Line
	to := begin
	for i := begin; i < len(lines); i++ {
		trimmed := strings.TrimLeft(lines[i], " ")
		if strings.TrimSpace(trimmed) == "" {
			continue
		}
		if len(lines[i])-len(trimmed) <= dash {
			break
		}
		to = i + 1
	}
	return put(lines, to, end, e.block(dash)), nil
}

// value is that of a key of a mapping; nil without one.
func value(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// offset is where a column, which counts characters from 1, begins in a line.
func offset(line string, column int) int {
	return len(string([]rune(line)[:column-1]))
}

// last is the number of lines of the document, without empty ones at its end and its end mark.
func last(lines []string, to int) int {
	for to > 0 && slices.Contains([]string{"", "..."}, strings.TrimSpace(lines[to-1])) {
		to--
	}
	return to
}

func inLine(lines []string, at int, line string) string {
	lines[at] = line
	return strings.Join(lines, "\n")
}

// put inserts lines after the first n.
func put(lines []string, n int, end string, more []string) string {
	for i := range more {
		more[i] += end
	}
	if n == len(lines) { // the last line has no end
		lines[n-1] += end
		more = append(more, "")
	}
	return strings.Join(slices.Insert(lines, n, more...), "\n")
}
