package rampolicy

import (
	"fmt"
	"slices"
)

// Sharees returns the sharees that statements of the three forms name, sorted. A sharee
// that another statement trusts is not among them: use Trusts.
func (t *Trust) Sharees() Sharees {
	var all Sharees
	for _, s := range t.statements {
		all = all.And(s.sharees())
	}
	return all
}

// Merge returns t with s added, for a role that Fleetwarden manages. Statements of the
// three forms are rewritten, after all others, which keep their bytes and order.
func (t *Trust) Merge(s Sharees) (*Trust, error) { return t.rewrite(t.Sharees().And(s)) }

// Subtract returns t without s, otherwise as Merge. Statements of other forms may still
// trust them.
func (t *Trust) Subtract(s Sharees) (*Trust, error) { return t.rewrite(t.Sharees().Without(s)) }

// Add returns t with the missing part of s added, for a role that Fleetwarden does not
// manage: every statement of t keeps its bytes, and new ones follow.
func (t *Trust) Add(s Sharees) (*Trust, error) {
	return t.build(t.raw(), s.Without(t.Sharees()))
}

func (t *Trust) rewrite(s Sharees) (*Trust, error) {
	var foreign []string
	for _, s := range t.statements {
		if s.sharees().Empty() {
			foreign = append(foreign, s.raw)
		}
	}
	return t.build(foreign, s)
}

// build parses the result, so that every Trust is readable.
func (t *Trust) build(kept []string, s Sharees) (*Trust, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("changing trust document: %w", err)
	}
	built, err := ParseTrust(document(slices.Concat(kept, s.statements())))
	if err != nil {
		return nil, fmt.Errorf("changing trust document: %w", err)
	}
	return built, nil
}
