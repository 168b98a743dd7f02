package rampolicy

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// breadth is a set of actions that no instance needs as a whole.
type breadth struct {
	name     string
	question question
}

// breadths are ordered: the first includes the others.
func breadths() []breadth {
	return []breadth{
		{"*:*", question{action: "?*:?*", resource: "acs:*:*:*:*"}},
		{"ram:*", question{action: "ram:?*", resource: "acs:ram:*:*:*"}},
		{"kms:*", question{action: "kms:?*", resource: "acs:kms:*:*:*"}},
	}
}

// OverBroad reports, one sentence each, where the documents together allow every action,
// every action of RAM or every action of KMS, on every resource. It evaluates the effect,
// not the policy's name: AdministratorAccess is found by its content. Exceptions that leave
// a part (NotAction, NotResource, a narrower Deny) do not help; an unconditional Deny of
// the whole does. An Allow under a condition, and a document that could not be read (nil),
// are reported as such.
func OverBroad(docs []*Document) []string {
	var reasons []string
	for i, doc := range docs {
		if doc == nil {
			reasons = append(reasons, fmt.Sprintf("policy %d could not be read", i+1))
			continue
		}
		for j, s := range doc.statements {
			for _, name := range s.breadths(docs) {
				reasons = append(reasons, fmt.Sprintf("policy %d, Statement[%d]: allows %s on every resource%s", i+1, j, name, s.proviso()))
			}
		}
	}
	return reasons
}

// breadths returns the names of the breadths that the statement allows in full and docs do
// not deny.
func (s *statement) breadths(docs []*Document) []string {
	if s.deny {
		return nil
	}
	var names []string
	for _, b := range breadths() {
		if s.takesIn(b.question) && !denied(docs, b.question) {
			names = append(names, b.name)
		}
	}
	if len(names) > 0 && names[0] == "*:*" {
		return names[:1]
	}
	return names
}

// takesIn reports whether the statement covers all of q, apart from its exceptions.
func (s *statement) takesIn(q question) bool {
	return anyCovers(s.actions, q.action) != s.notAction &&
		anyCovers(widen(s.resources), q.resource) != s.notResource
}

// widen removes restrictions without effect: a role acts in its own account only, and RAM
// has no regions.
func widen(resources []string) []string {
	wide := make([]string, len(resources))
	for i, resource := range resources {
		parts := strings.SplitN(resource, ":", 5)
		if len(parts) == 5 && fleet.AccountID(parts[3]).Valid() {
			parts[3] = "*"
		}
		if len(parts) == 5 && parts[1] == "ram" {
			parts[2] = "*"
		}
		wide[i] = strings.Join(parts, ":")
	}
	return wide
}

// denied reports whether a statement certainly denies all of q.
func denied(docs []*Document, q question) bool {
	denies := func(s *statement) bool { return s.deny && s.applies(q) == yes }
	return slices.ContainsFunc(docs, func(d *Document) bool { return d != nil && slices.ContainsFunc(d.statements, denies) })
}

// proviso describes the statement's conditions, without their values.
func (s *statement) proviso() string {
	if on := s.dependsOn(Party{}); len(on) > 0 {
		return ", depending on " + strings.Join(on, ", ")
	}
	return ""
}
