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
// messages. The error is [policy.Problems] if the file has mistakes. What is written in a way
// that is not edited safely is left to the operator, with what to add.
func Exempt(name string, file []byte, e Exemption) ([]byte, error) {
	before, err := policy.Load(name, file)
	if err != nil {
		return nil, err
	}
	if wrong := mistakes(before, e); wrong != "" {
		return nil, fmt.Errorf("%s: the exemption is not added: %s", name, wrong)
	}
	byHand := func(why string) error {
		return fmt.Errorf("%s: %s: add it by hand:\n%s", name, why, strings.Join(e.block(2), "\n"))
	}
	if line := oddLine(string(file)); line > 0 {
		return nil, byHand(fmt.Sprintf("line %d ends with a line end of YAML that is no line feed (a carriage return alone, U+0085, U+2028 or U+2029), which is not edited safely", line))
	}
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil { // which has loaded
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	edited, err := added(string(file), document.Content[0], e)
	switch {
	case errors.Is(err, errNotFound):
		return nil, byHand(err.Error())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	after, err := policy.Load(name, []byte(edited))
	switch {
	case len(edited) > policy.MaxSize:
		return nil, err
	case err != nil || !onlyMore(before, after):
		return nil, byHand("its exemptions are written in a way that is not edited safely")
	}
	return []byte(edited), nil
}

// oddLine is the number of the first line that ends in a way which YAML knows and we do not; 0
// if none does.
func oddLine(text string) int {
	for i, r := range text {
		if r == '\r' && !strings.HasPrefix(text[i+1:], "\n") || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return strings.Count(text[:i], "\n") + 1
		}
	}
	return 0
}

// mistakes says why a policy may not have an exemption, however it is written; "" if it may.
func mistakes(p *policy.Policy, e Exemption) string {
	plain := map[string]any{}
	if err := json.Unmarshal(p.JSON(), &plain); err != nil {
		return err.Error()
	}
	list, _ := plain["exemptions"].([]any)
	plain["exemptions"] = append(list, json.RawMessage(e.flow()))
	text, err := json.Marshal(plain)
	if err != nil {
		return err.Error()
	}
	_, err = policy.Load("", text)
	var problems policy.Problems
	if !errors.As(err, &problems) {
		return ""
	}
	var said []string
	for _, x := range problems {
		if x.Hint != "" {
			x.Message += "; " + x.Hint
		}
		if _, key, ok := strings.Cut(x.Path, "]."); ok {
			x.Message = key + ": " + x.Message
		}
		said = append(said, x.Message)
	}
	return strings.Join(said, "\n")
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

var errNotFound = errors.New("where its list of exemptions begins was not found")

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
		return put(lines, last(lines, root.Line), end, append([]string{"", "exemptions:"}, e.block(2)...)), nil
	case list.Style&yaml.FlowStyle != 0:
		line, at := list.Line-1, offset(lines[list.Line-1], list.Column)
		if !strings.HasPrefix(lines[line][at:], "[") {
			return "", errNotFound
		}
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
		text := strings.TrimSpace(trimmed)
		if deeper := len(lines[i])-len(trimmed) > dash; text != "" && deeper {
			to = i + 1
		} else if text != "" && text[0] != '#' { // a comment may stand anywhere
			break
		}
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

// offset is where a column, which counts characters from 1, begins in a line, or its end.
func offset(line string, column int) int {
	characters := []rune(line)
	return len(string(characters[:min(column-1, len(characters))]))
}

// endMark is a line that ends the document.
var endMark = regexp.MustCompile(`^(\.\.\.|---)([ \t\r]|$)`)

// last is the number of lines of the document that begins on a line, which counts from 1,
// without its end mark and empty ones at its end.
func last(lines []string, begin int) int {
	to := len(lines)
	if i := slices.IndexFunc(lines[begin-1:], endMark.MatchString); i > 0 {
		to = begin - 1 + i
	}
	for to > begin && strings.TrimSpace(lines[to-1]) == "" {
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
