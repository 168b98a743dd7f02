package rampolicy_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fleetwarden/shared/rampolicy"
)

// model is a statement in the simplest words, for a second opinion.
type model struct {
	Effect             string
	Not                bool // NotAction
	Actions, Resources []string
	Open               bool // has a condition that cannot be evaluated
	NotResources       bool
}

func (m model) text(condition bool) string {
	elements := map[string]any{"Effect": m.Effect, "Action": m.Actions, "Resource": m.Resources}
	if m.Not {
		elements["NotAction"] = elements["Action"]
		delete(elements, "Action")
	}
	if m.NotResources {
		elements["NotResource"] = elements["Resource"]
		delete(elements, "Resource")
	}
	if condition {
		elements["Condition"] = map[string]any{"DateLessThan": map[string]string{"acs:CurrentTime": "2030-01-01T00:00:00Z"}}
	}
	b, err := json.Marshal(elements)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// matches is the obvious meaning of wildcards.
func matches(patterns []string, text string) bool {
	for _, pattern := range patterns {
		expression := regexp.QuoteMeta(pattern)
		expression = strings.ReplaceAll(expression, `\*`, `.*`)
		expression = strings.ReplaceAll(expression, `\?`, `.`)
		if regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(text) {
			return true
		}
	}
	return false
}

func (m model) applies(action, resource string) bool {
	return matches(m.Actions, action) != m.Not && matches(m.Resources, resource) != m.NotResources
}

func anyModel(t *rapid.T) model {
	patterns := rapid.SliceOfN(rapid.StringMatching(`[ab*?中]{1,6}`), 1, 3)
	return model{
		Effect:       rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect"),
		Not:          rapid.Bool().Draw(t, "not"),
		NotResources: rapid.Bool().Draw(t, "not"),
		Actions:      patterns.Draw(t, "actions"),
		Resources:    patterns.Draw(t, "resources"),
		Open:         rapid.Bool().Draw(t, "open"),
	}
}

func documents(t *rapid.T, statements []string) []*rampolicy.Document {
	docs := make([]*rampolicy.Document, len(statements))
	for i, s := range statements {
		doc, err := rampolicy.Parse(`{"Version":"1","Statement":` + s + `}`)
		if err != nil {
			t.Fatal(err)
		}
		docs[i] = doc
	}
	return docs
}

var (
	anyModels = rapid.SliceOfN(rapid.Custom(anyModel), 0, 5)
	anyText   = rapid.StringMatching(`[ab中]{1,6}`)
)

func TestWithoutConditionsTheAnswerEqualsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := anyModels.Draw(t, "models")
		action, resource := anyText.Draw(t, "action"), anyText.Draw(t, "resource")
		allowed, denied := false, false
		var statements []string
		for _, m := range models {
			statements = append(statements, m.text(false))
			applies := m.applies(action, resource)
			allowed = allowed || applies && m.Effect == "Allow"
			denied = denied || applies && m.Effect == "Deny"
		}
		want := rampolicy.Denied
		if allowed && !denied {
			want = rampolicy.Allowed
		}
		docs := documents(t, statements)
		if got := rampolicy.Evaluate(docs, rampolicy.Request{Action: action, Resource: resource}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Every way in which open conditions may turn out must agree with a sure answer.
func TestASureAnswerHoldsHoweverOpenConditionsTurnOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := anyModels.Draw(t, "models")
		r := rampolicy.Request{Action: anyText.Draw(t, "action"), Resource: anyText.Draw(t, "resource")}
		var open, settled []string
		for _, m := range models {
			open = append(open, m.text(m.Open))
			if !m.Open || rapid.Bool().Draw(t, "holds") {
				settled = append(settled, m.text(false))
			}
		}
		before := rampolicy.Evaluate(documents(t, open), r)
		after := rampolicy.Evaluate(documents(t, settled), r)
		if before != rampolicy.Unsure && before != after {
			t.Errorf("%v, but %v", before, after)
		}
	})
}

func TestASureAnswerHoldsForEveryContentOfAnUnreadPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var statements []string
		for _, m := range anyModels.Draw(t, "models") {
			statements = append(statements, m.text(m.Open))
		}
		docs := documents(t, statements)
		r := rampolicy.Request{Action: anyText.Draw(t, "action"), Resource: anyText.Draw(t, "resource")}
		for i := range docs {
			hidden := append([]*rampolicy.Document(nil), docs...)
			hidden[i] = nil
			before := rampolicy.Evaluate(hidden, r)
			if before == rampolicy.Allowed || before == rampolicy.Denied && rampolicy.Evaluate(docs, r) != before {
				t.Errorf("with policy %d unread: %v", i, before)
			}
		}
	})
}

// An answer about a pattern holds for each text that it matches. A star alone is no
// pattern: see [rampolicy.Request].
func TestASureAnswerAboutAPatternHoldsForAllItMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var statements []string
		for _, m := range anyModels.Draw(t, "models") {
			statements = append(statements, m.text(m.Open))
		}
		docs := documents(t, statements)
		resource := rapid.StringMatching(`[ab*?]{1,5}`).Filter(func(s string) bool { return s != "*" }).Draw(t, "resource")
		action := anyText.Draw(t, "action")
		if rampolicy.Evaluate(docs, rampolicy.Request{Action: action, Resource: resource}) != rampolicy.Allowed {
			return
		}
		concrete := expand(t, resource)
		if concrete == "" {
			return
		}
		if got := rampolicy.Evaluate(docs, rampolicy.Request{Action: action, Resource: concrete}); got != rampolicy.Allowed {
			t.Errorf("%q is allowed, %q is %v", resource, concrete, got)
		}
	})
}

// expand draws a text that the pattern matches.
func expand(t *rapid.T, pattern string) string {
	var text strings.Builder
	for _, c := range pattern {
		switch c {
		case '*':
			text.WriteString(rapid.StringMatching(`[ab中]{0,3}`).Draw(t, "star"))
		case '?':
			text.WriteString(rapid.StringMatching(`[ab中]`).Draw(t, "one"))
		default:
			text.WriteRune(c)
		}
	}
	return text.String()
}

func TestOrderAndDistributionOverPoliciesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var statements []string
		for _, m := range anyModels.Draw(t, "models") {
			statements = append(statements, m.text(m.Open))
		}
		r := rampolicy.Request{Action: anyText.Draw(t, "action"), Resource: anyText.Draw(t, "resource")}
		apart := documents(t, rapid.Permutation(statements).Draw(t, "order"))
		together := documents(t, []string{fmt.Sprintf("[%s]", strings.Join(statements, ","))})
		if a, b := rampolicy.Evaluate(apart, r), rampolicy.Evaluate(together, r); a != b {
			t.Errorf("apart %v, together %v", a, b)
		}
	})
}
