package rampolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// ECSService is ECS of the role's own account, as a principal. It is not the
	// ECS of another account: that is "<account>@ecs.aliyuncs.com".
	ECSService = "ecs.aliyuncs.com"
	// OwnerDirectory is the condition key for the id of the resource directory
	// that the account on whose behalf a service acts belongs to.
	OwnerDirectory = "sts:ServiceOwnerRDId"
	// OwnerPath is the condition key for that account's path in its resource directory:
	// <directory>/<root folder>/<folder>/…
	OwnerPath = "sts:ServiceOwnerRDPath"
)

const (
	assumeRole = "sts:assumerole" // as statements hold it
	anyECS     = "*@" + ECSService
)

// Trust is a parsed trust document: who may assume a role. The zero Trust trusts no one. A
// Trust is immutable; Merge, Add and Subtract return new ones.
type Trust struct {
	statements []*statement
}

// ParseTrust reads a trust document: as [Parse], with Principal in place of
// Resource. Principal is an object of Service, RAM or Federated, each a string
// or an array.
func ParseTrust(doc string) (*Trust, error) {
	statements, err := parse(doc, (*statement).checkTrust)
	if err != nil {
		return nil, fmt.Errorf("parsing trust document: %w", err)
	}
	return &Trust{statements}, nil
}

func (s *statement) checkTrust() error {
	if len(s.principals) == 0 && s.strange == "" {
		return errors.New("no Principal")
	}
	if len(s.resources) > 0 {
		s.strange = "a resource in a trust document"
	}
	return nil
}

// Service returns the principal of another account's ECS.
func Service(account string) string { return account + "@" + ECSService }

// TrustsService answers whether a service, such as "ecs.aliyuncs.com" or
// "<account>@ecs.aliyuncs.com", may assume the role. A statement under a condition is
// Unsure.
func (t *Trust) TrustsService(service string) Answer { return t.Trusts(service, nil) }

// Trusts is TrustsService with the known part of the context, by condition key; for sharees
// [OwnerDirectory] and [OwnerPath]. A value with wildcards asks about all matches. A nil
// Trust, one that could not be read, is Unsure.
func (t *Trust) Trusts(service string, context map[string][]string) Answer {
	if t == nil {
		return Unsure
	}
	service = lower(service)
	answer := tally{open: service == ""}
	for _, s := range t.statements {
		applies := min(s.scope(s.actions, s.notAction, assumeRole), s.names(service), s.holds(context))
		answer.add(s.deny, applies)
	}
	return answer.answer()
}

// names reports whether the service is among the principals; maybe for NotPrincipal, and
// for a principal of an unknown kind.
func (s *statement) names(name string) truth {
	if len(s.principals) == 0 {
		return maybe
	}
	t := no
	for _, p := range s.principals {
		switch {
		case !p.service() || !covers(lower(p.id), name):
		case p.kind == service:
			return yes
		default:
			t = maybe
		}
	}
	return t
}

// service reports whether the principal is a service, or may be.
func (p principal) service() bool { return p.kind != ram && p.kind != federated }

// UnconditionalWildcards returns the text of each statement that lets ECS of unnamed
// accounts assume the role: "*@ecs.aliyuncs.com", or a pattern that matches such
// principals, without a condition that limits it to a resource directory. Such a statement
// trusts every Alibaba Cloud account.
func (t *Trust) UnconditionalWildcards() []string {
	var found []string
	for _, s := range t.statements {
		if s.wildcard() && !s.bound() {
			found = append(found, s.raw)
		}
	}
	return found
}

func (s *statement) wildcard() bool {
	if s.deny || s.scope(s.actions, s.notAction, assumeRole) == no {
		return false
	}
	for _, p := range s.principals {
		id := lower(p.id)
		if p.service() && strings.ContainsAny(id, "*?") && ofAccounts(id, ECSService) {
			return true
		}
	}
	return len(s.principals) == 0 // NotPrincipal: all but a few
}

// ofAccounts reports whether a pattern matches a service of other accounts:
// <number>@<service>.
func ofAccounts(pattern, service string) bool {
	head, _, _ := strings.Cut(strings.NewReplacer("?", "*", "@", "*").Replace(pattern), "*")
	return strings.Trim(head, "0123456789") == "" && overlaps(pattern, "?*@"+service)
}

// bound reports whether a condition limits the statement to directories named by their
// whole id.
func (s *statement) bound() bool {
	return slices.ContainsFunc(s.conditions, condition.ties)
}

// ties reports whether the condition names directories by their whole id.
func (c condition) ties() bool {
	operator := c.operator == "StringEquals" || c.operator == "StringEqualsIgnoreCase" || c.operator == "StringLike"
	key := c.key == OwnerDirectory || c.key == OwnerPath
	return operator && key && c.fixed()
}

// fixed reports whether every value begins with a whole id.
func (c condition) fixed() bool {
	return !slices.ContainsFunc(c.values, func(value string) bool {
		id, _, _ := strings.Cut(value, "/")
		return id == "" || strings.ContainsAny(id, "*?$")
	})
}

var (
	// ErrWildcard: the document would trust ECS of every account.
	ErrWildcard = errors.New("trusts *@ecs.aliyuncs.com without sts:ServiceOwnerRDId or sts:ServiceOwnerRDPath")
	// ErrEmpty: the document has no statement.
	ErrEmpty = errors.New("has no statement")
)

// Print returns the document to write. Each statement that was parsed keeps its
// bytes. It is an error ([ErrWildcard], [ErrEmpty]) to print a document with
// an unconditional wildcard, whoever wrote it, or without any statement.
func (t *Trust) Print() (string, error) {
	if len(t.UnconditionalWildcards()) > 0 {
		return "", fmt.Errorf("printing trust document: %w", ErrWildcard)
	}
	if len(t.statements) == 0 {
		return "", fmt.Errorf("printing trust document: %w", ErrEmpty)
	}
	return document(t.raw()), nil
}

func (t *Trust) raw() []string {
	raw := make([]string, len(t.statements))
	for i, s := range t.statements {
		raw[i] = s.raw
	}
	return raw
}

// document joins statements without changing them.
func document(statements []string) string {
	return `{"Statement":[` + strings.Join(statements, ",") + `],"Version":"1"}`
}
