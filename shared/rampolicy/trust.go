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
	// OwnerPath is the condition key for that account's place in its resource
	// directory: <directory>/<root folder>/<folder>/…
	OwnerPath = "sts:ServiceOwnerRDPath"
)

const (
	assumeRole = "sts:assumerole" // as statements hold it
	anyECS     = "*@" + ECSService
)

// Trust is a parsed trust document: who may assume a role. The zero Trust
// trusts nobody. A Trust does not change; Merge, Add and Subtract return new
// ones.
type Trust struct {
	statements []statement
}

// ParseTrust reads a trust document: as [Parse], with Principal in place of
// Resource. Principal is an object of Service, RAM or Federated, each a string
// or an array.
func ParseTrust(doc string) (*Trust, error) {
	statements, err := parse(doc)
	if err != nil {
		return nil, fmt.Errorf("parsing trust document: %w", err)
	}
	for i := range statements {
		if err := statements[i].checkTrust(); err != nil {
			return nil, fmt.Errorf("parsing trust document: Statement[%d]: %w", i, err)
		}
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

// Service returns the principal that stands for ECS of another account.
func Service(account string) string { return account + "@" + ECSService }

// TrustsService answers whether a service, such as "ecs.aliyuncs.com" or
// "<account>@ecs.aliyuncs.com", may assume the role. A statement under a
// condition is Unsure.
func (t *Trust) TrustsService(service string) Answer { return t.Trusts(service, nil) }

// Trusts is TrustsService with what is known of the context, by condition key;
// for sharees [OwnerDirectory] and [OwnerPath]. A value with wildcards asks about all
// that they match. A nil Trust, one that could not be read, is Unsure.
func (t *Trust) Trusts(service string, context map[string][]string) Answer {
	if t == nil {
		return Unsure
	}
	service = lower(service)
	answer := tally{open: service == ""}
	for i := range t.statements {
		s := &t.statements[i]
		applies := min(s.scope(s.actions, s.notAction, assumeRole), s.names(service), s.holds(context))
		answer.add(s.deny, applies)
	}
	return answer.answer()
}

// names says whether the service is among the principals. Who is meant by no
// Principal at all (NotPrincipal), or by one of a kind that is not known, is open.
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

// UnconditionalWildcards returns the text of each statement that lets ECS of
// accounts nobody named assume the role: "*@ecs.aliyuncs.com", or a pattern
// that takes in such principals, without a condition that ties it to one
// resource directory. Such a statement trusts every Alibaba Cloud account.
func (t *Trust) UnconditionalWildcards() []string {
	var found []string
	for i := range t.statements {
		if s := &t.statements[i]; s.wildcard() && !s.bound() {
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
	return len(s.principals) == 0 // NotPrincipal: everyone but a few
}

// ofAccounts reports whether a pattern takes in a service as other accounts have it:
// <number>@<service>.
func ofAccounts(pattern, service string) bool {
	head, _, _ := strings.Cut(strings.NewReplacer("?", "*", "@", "*").Replace(pattern), "*")
	return strings.Trim(head, "0123456789") == "" && overlaps(pattern, "?*@"+service)
}

// bound reports whether a condition ties the statement to directories named by
// their whole id.
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
	for _, value := range c.values {
		id, _, _ := strings.Cut(value, "/")
		if id == "" || strings.ContainsAny(id, "*?$") {
			return false
		}
	}
	return true
}

var (
	// ErrWildcard: the document would trust ECS of every account.
	ErrWildcard = errors.New("trusts *@ecs.aliyuncs.com without sts:ServiceOwnerRDId or sts:ServiceOwnerRDPath")
	// ErrNobody: the document has no statement, which is none to write.
	ErrNobody = errors.New("trusts nobody")
)

// Print returns the document to write. Each statement that was parsed keeps its
// bytes. It is an error ([ErrWildcard], [ErrNobody]) to print a document with
// an unconditional wildcard, whoever wrote it, or without any statement.
func (t *Trust) Print() (string, error) {
	if len(t.UnconditionalWildcards()) > 0 {
		return "", fmt.Errorf("printing trust document: %w", ErrWildcard)
	}
	if len(t.statements) == 0 {
		return "", fmt.Errorf("printing trust document: %w", ErrNobody)
	}
	return document(t.raw()), nil
}

func (t *Trust) raw() []string {
	raw := make([]string, len(t.statements))
	for i := range t.statements {
		raw[i] = t.statements[i].raw
	}
	return raw
}

// document wraps statements, each as it stands.
func document(statements []string) string {
	return `{"Statement":[` + strings.Join(statements, ",") + `],"Version":"1"}`
}
