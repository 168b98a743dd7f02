package rampolicy

import (
	"slices"
	"strings"
)

// Answer is the result of evaluating documents.
type Answer uint8

// The answers. The zero Answer is Denied.
const (
	// Denied: no statement allows it, or a statement denies it.
	Denied Answer = iota
	// Unsure: the documents do not decide it.
	Unsure
	// Allowed: a statement allows it, and no statement denies it.
	Allowed
)

// Request is a question to policies. An Action or Resource with wildcards asks about all
// matches. With an empty one the answer is at most Unsure.
type Request struct {
	// Action is compared case-insensitively.
	Action string
	// Resource is compared case-sensitively. "*" is the resource of a service without
	// resource-level permissions. The text that such a service checks is not published:
	// "*", or the name of all its resources. So these may or may not apply: a statement
	// about a part of them, one about acs:<service>:*:*:*, and one that names the action
	// with all resources of another service code. One about acs:*:*:*:* always applies.
	Resource string
	// Conditions holds the known part of the request's context, by condition key. A missing
	// key is unknown, not absent. A value with wildcards asks about all matches.
	Conditions map[string][]string
}

// Evaluate answers one request. A Deny that applies wins; a Deny that may apply, a nil
// document, or a statement that cannot be evaluated turns Allowed into Unsure. See
// [Request] and the package comment for condition keys and operators.
func Evaluate(docs []*Document, r Request) Answer {
	q := question{action: lower(r.Action), resource: r.Resource, context: r.Conditions}
	t := tally{open: q.action == "" || q.resource == ""}
	for _, doc := range docs {
		if doc == nil {
			t.open = true
			continue
		}
		for _, s := range doc.statements {
			t.add(s.deny, s.applies(q))
		}
	}
	return t.answer()
}

// Grants answers whether the documents allow every action on resource. Without actions it
// is Unsure.
func Grants(docs []*Document, actions []string, resource string) Answer {
	if len(actions) == 0 {
		return Unsure
	}
	worst := Allowed
	for _, action := range actions {
		worst = min(worst, Evaluate(docs, Request{Action: action, Resource: resource}))
	}
	return worst
}

// truth has three values, ordered so that min is "and".
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

func is(b bool) truth {
	if b {
		return yes
	}
	return no
}

// question is a Request prepared for comparison.
type question struct {
	action   string // lower case
	resource string
	context  map[string][]string
}

// tally collects the results of statements.
type tally struct {
	allow, deny truth
	open        bool // something that may allow or deny was not read
}

func (t *tally) add(deny bool, applies truth) {
	if deny {
		t.deny = max(t.deny, applies)
	} else {
		t.allow = max(t.allow, applies)
	}
}

func (t *tally) answer() Answer {
	switch {
	case t.deny == yes:
		return Denied
	case t.allow == no && !t.open:
		return Denied
	case t.allow == yes && t.deny == no && !t.open:
		return Allowed
	default:
		return Unsure
	}
}

// applies reports whether the statement covers the question.
func (s *statement) applies(q question) truth {
	t := s.scope(s.actions, s.notAction, q.action)
	switch {
	case t == no:
		return no
	case q.resource == "*":
		t = min(t, s.scopeOfService(q.action))
	default:
		t = min(t, s.scope(s.resources, s.notResource, q.resource))
	}
	return min(t, s.holds(q.context))
}

// holds reports whether the conditions hold. A statement with an unknown element is at most
// maybe.
func (s *statement) holds(context map[string][]string) truth {
	t := yes
	if s.strange != "" {
		t = maybe
	}
	for i := range s.conditions {
		t = min(t, s.conditions[i].holds(context))
	}
	return t
}

// scopeOfService reports whether the statement covers the resource that a service without
// resource-level permissions checks.
func (s *statement) scopeOfService(action string) truth {
	code, _, _ := strings.Cut(action, ":")
	t := no
	switch {
	case anyCovers(s.resources, "acs:*:*:*:*"):
		t = yes
	case anyOverlaps(lowered(s.resources), "acs:"+code+":*:*:*"), !s.notResource && s.means(code, action):
		t = maybe
	}
	if s.notResource {
		return yes - t
	}
	return t
}

// means reports whether the statement names the action by its service, and all resources of
// some service code: the code of the action's service is not published.
func (s *statement) means(code, action string) bool {
	named := func(pattern string) bool { return strings.HasPrefix(pattern, code+":") && covers(pattern, action) }
	all := func(resource string) bool { return strings.HasSuffix(resource, ":*") }
	return !s.notAction && slices.ContainsFunc(s.actions, named) && slices.ContainsFunc(s.resources, all)
}

// scope reports whether patterns, or their complement, cover text. A text with wildcards
// that is covered in part is not granted by an Allow, but may be denied in part by a Deny.
func (s *statement) scope(patterns []string, not bool, text string) truth {
	all := anyCovers(patterns, text)
	if not {
		all = !anyOverlaps(patterns, text)
	}
	if all || !s.deny || !strings.ContainsAny(text, "*?") {
		return is(all)
	}
	some := anyOverlaps(patterns, text)
	if not {
		some = !anyCovers(patterns, text)
	}
	return min(is(some), maybe)
}
