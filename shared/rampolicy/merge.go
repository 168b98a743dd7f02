package rampolicy

import (
	"fmt"
	"slices"
)

// Sharees returns whom the document's statements of the three forms name,
// sorted. A sharee that another statement trusts is not among them: ask Trusts.
func (t *Trust) Sharees() Sharees {
	var all Sharees
	for i := range t.statements {
		s := t.statements[i].sharees()
		all.Accounts = append(all.Accounts, s.Accounts...)
		all.Directories = append(all.Directories, s.Directories...)
		all.Folders = append(all.Folders, s.Folders...)
	}
	return all.And(Sharees{})
}

// Merge returns t with s trusted as well, for a role that is ours. Statements of
// the three forms are written anew, after all others, which keep their bytes
// and order.
func (t *Trust) Merge(s Sharees) (*Trust, error) { return t.rewrite(t.Sharees().And(s)) }

// Subtract returns t without those of s that statements of the three forms
// name, otherwise as Merge. Other statements may go on trusting them.
func (t *Trust) Subtract(s Sharees) (*Trust, error) { return t.rewrite(t.Sharees().Without(s)) }

// Add returns t with those of s trusted as well that no statement of the three
// forms names yet, for a role that is not ours: every statement of t keeps its
// bytes, and what is new comes after them.
func (t *Trust) Add(s Sharees) (*Trust, error) {
	return t.build(t.raw(), s.Without(t.Sharees()))
}

func (t *Trust) rewrite(s Sharees) (*Trust, error) {
	var foreign []string
	for i := range t.statements {
		if t.statements[i].sharees().Empty() {
			foreign = append(foreign, t.statements[i].raw)
		}
	}
	return t.build(foreign, s)
}

// build reads what it prints, so that a Trust is always one that can be read.
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
