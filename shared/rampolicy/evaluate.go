package rampolicy

import (
	"slices"
	"strings"
)

// Answer is what documents say to a question.
type Answer uint8

// The answers. The zero Answer is Denied.
const (
	// Denied: no statement allows it, or one denies it.
	Denied Answer = iota
	// Unsure: the documents do not settle it.
	Unsure
	// Allowed: a statement allows it, and none denies it.
	Allowed
)

func (a Answer) String() string {
	switch a {
	case Denied:
		return "denied"
	case Allowed:
		return "allowed"
	default:
		return "unsure"
	}
}

// Request is a question to policies. Action or Resource with wildcards asks
// about all that they match. An empty one is no question; the answer is at most
// Unsure.
type Request struct {
	// Action is compared without regard to case.
	Action string
	// Resource is compared with regard to case. "*" stands for what a service without
	// resource-level permissions asks for. Which text that is, is not published: "*", or
	// the name of all that the service has. A statement about a part of it, one about
	// acs:<service>:*:*:*, and one that names the service's action with all of a service of
	// another code, may or may not count; one about acs:*:*:*:* is about everything.
	Resource string
	// Conditions holds what is known of the request's context, by condition
	// key. A key that is not there is unknown, not absent. A value with wildcards asks
	// about all that they match.
	Conditions map[string][]string
}

// Evaluate answers one request. A Deny that applies wins over everything; a
// Deny that may apply, a nil document, or a statement that may not be judged
// turns Allowed into Unsure. Keys and operators of conditions are judged as
// [Request] and the package comment say.
func Evaluate(docs []*Document, r Request) Answer {
	q := question{action: lower(r.Action), resource: r.Resource, context: r.Conditions}
	t := tally{open: q.action == "" || q.resource == ""}
	for _, doc := range docs {
		if doc == nil {
			t.open = true
			continue
		}
		for i := range doc.statements {
			t.add(doc.statements[i].deny, doc.statements[i].applies(q))
		}
	}
	return t.answer()
}

// Grants answers whether the documents allow every one of actions on resource.
// No action at all is Unsure.
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

// truth is whether something holds; the order makes min mean "and".
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

// question is a Request ready for comparison.
type question struct {
	action   string // lower case
	resource string
	context  map[string][]string
}

// tally collects what statements say.
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

// applies says whether the statement is about the question.
func (s *statement) applies(q question) truth {
	t := s.scope(s.actions, s.notAction, q.action)
	switch {
	case t == no:
	case q.resource == "*":
		t = min(t, s.scopeOfService(q.action))
	default:
		t = min(t, s.scope(s.resources, s.notResource, q.resource))
	}
	if t == no {
		return no
	}
	return min(t, s.holds(q.context))
}

// holds says whether the conditions hold. A strange statement may not apply
// even where it seems to.
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

// scopeOfService says whether the statement is about what the service of an action asks
// for when its actions have no resources.
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

// means reports whether the statement names the action by its service, and all that some
// service has: by which code resources name the service is not published either.
func (s *statement) means(code, action string) bool {
	named := func(pattern string) bool { return strings.HasPrefix(pattern, code+":") && covers(pattern, action) }
	all := func(resource string) bool { return strings.HasSuffix(resource, ":*") }
	return !s.notAction && slices.ContainsFunc(s.actions, named) && slices.ContainsFunc(s.resources, all)
}

// scope says whether patterns, or what they leave out, take in text. Of a text
// with wildcards that they take in only in part, an Allow does not grant the
// whole, and a Deny may take some.
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
	if some {
		return maybe
	}
	return no
}
