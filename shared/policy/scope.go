package policy

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"fleetwarden/shared/fleet"
)

func selectors(to *[]Selector) value {
	return list[Selector]{to: to, item: (*Selector).fields}
}

func (s *Selector) fields() value { return selection{s.object()} }

func (s *Selector) object() object {
	o := object{fields: s.keys()}
	o.some = o.keys()
	return o
}

// selection is the object of a selector, which the schema defines once for all uses.
type selection struct{ object }

// accountFields describes a selector of resources of an account as a whole.
func (s *Selector) accountFields() value {
	o := object{fields: s.keys()[:1]}
	o.some = o.keys()
	return o
}

// keys are the keys of a selector. None may be empty: an empty list would look like "none"
// and mean "any".
func (s *Selector) keys() []field {
	account := func(id *fleet.AccountID) value { return knownAccount{accountID{id}} }
	region := func(r *fleet.Region) value { return knownRegion{text[fleet.Region]{r, formRegion}} }
	tag := func(v *string) value { return text[string]{v, formTagValue} }
	managed := choices([]string{ManagedNone, ManagedAutoScaling, ManagedACK})
	return []field{
		{"accounts", list[fleet.AccountID]{to: &s.Accounts, item: account, least: 1}, "In one of these accounts.", false},
		{"regions", list[fleet.Region]{to: &s.Regions, item: region, least: 1}, "In one of these regions.", false},
		{"resourceGroups", list[string]{to: &s.ResourceGroups, item: texts(formGroup), least: 1}, "In one of these resource groups.", false},
		{"vpcs", list[string]{to: &s.VPCs, item: texts(formVPC), least: 1}, "In one of these VPCs.", false},
		{"tags", dict[string]{to: &s.Tags, keys: formTagKey, item: tag, least: 1}, "With all of these tags; the value * takes any.", false},
		{"families", list[string]{to: &s.Families, item: texts(formFamily), least: 1}, "Of one of these instance families, such as g7t.", false},
		{"managed", list[string]{to: &s.Managed, item: managed, least: 1},
			"Owned by Auto Scaling, by ACK or by none. What a service owns is changed only if include names it here.", false},
	}
}

func (e *Exemption) fields() value {
	control := choice[string]{&e.Control, []string{ControlTrustedInstance, ControlInstanceRole, ControlAgent, ControlShareRole}}
	rule := ruleOf{choice[string]{&e.Rule, Rules("")}, &e.Control}
	selecting := append(e.Selector.keys(), field{"instances",
		list[string]{to: &e.Instances, item: texts(formInstance), least: 1}, "One of these instances.", false})
	o := object{fields: selecting}
	o.some = o.keys()
	o.fields = append([]field{
		{"control", control, "The control.", must},
		{"rule", rule, "One rule of the control. Left out: each of them.", false},
	}, append(selecting, []field{
		{"owner", text[string]{&e.Owner, formWords}, "Who answers for the exemption.", must},
		{"reason", text[string]{&e.Reason, formWords}, "Why it exists.", must},
		{"expires", lastDay{&e.Expires}, "The last day on which it works, UTC.", must},
	}...)...)
	return working{o, e, selecting}
}

// working is an exemption that can match: each of its keys selects resources that its rule
// judges.
type working struct {
	object
	e         *Exemption
	selecting []field
}

func (w working) load(l *loader, n node) {
	w.object.load(l, n)
	can := selectable(w.e.Control, w.e.Rule)
	for _, f := range w.selecting {
		if can == nil || slices.Contains(can, f.key) || f.value.blank() {
			continue
		}
		judges := w.e.Control
		if w.e.Rule != "" {
			judges = w.e.Rule + " of " + judges
		}
		l.problem(n, "", "%s selects nothing that %s judges, which goes by %s: the exemption would never work", f.key, judges, options(can))
	}
}

// removedRule is a rule of earlier versions.
const removedRule = "lost-edit"

// ruleOf is a rule, which has to belong to the control beside it.
type ruleOf struct {
	choice[string]
	control *string
}

func (r ruleOf) load(l *loader, n node) {
	if n.Value == removedRule {
		l.problem(n, "", "the rule %s was removed: edits of a role that were overwritten are not looked for any more; delete the exemption", removedRule)
		return
	}
	r.choice.load(l, n)
	l.later = append(l.later, func() {
		of := Rules(*r.control)
		if len(of) > 0 && *r.to != "" && !slices.Contains(of, *r.to) {
			l.problem(n, "", "%s has no rule %s, only %s", *r.control, *r.to, options(of))
		}
	})
}

// knownAccount is an account of the policy: a selector that names another one
// would silently select less than its author thinks.
type knownAccount struct{ accountID }

func (a knownAccount) load(l *loader, n node) {
	a.accountID.load(l, n)
	l.later = append(l.later, func() {
		if len(l.policy.Accounts) > 0 && *a.to != "" && !l.policy.Knows(*a.to) {
			l.problem(n, "", "account %s is not one of the policy's accounts", *a.to)
		}
	})
}

// knownRegion is a region of the policy, if that lists any.
type knownRegion struct{ text[fleet.Region] }

func (r knownRegion) load(l *loader, n node) {
	r.text.load(l, n)
	l.later = append(l.later, func() {
		if len(l.policy.Regions) > 0 && *r.to != "" && !slices.Contains(l.policy.Regions, *r.to) {
			l.problem(n, "", "region %s is not one of the policy's regions", *r.to)
		}
	})
}

// unique is a value that must be unique.
type unique struct {
	value
	among string
}

func (u unique) load(l *loader, n node) {
	u.value.load(l, n)
	if u.blank() {
		return
	}
	name := u.among + string(u.appendJSON(nil))
	if l.named[name] {
		l.problem(n, "", "%s comes twice", n.Value)
	}
	l.named[name] = true
}

// regions is the word auto or a list of regions.
type regions struct{ to *[]fleet.Region }

const auto = "auto"

func (r regions) load(l *loader, n node) {
	if n.Kind == yaml.SequenceNode {
		r.listed().load(l, n)
		return
	}
	if n.Kind != yaml.ScalarNode || n.Value != auto {
		l.wrongType(n, "auto or a list of regions", "")
	}
}

func (r regions) listed() list[fleet.Region] {
	region := func(to *fleet.Region) value { return text[fleet.Region]{to, formRegion} }
	return list[fleet.Region]{to: r.to, item: region, least: 1}
}

func (r regions) appendJSON(to []byte) []byte {
	if len(*r.to) == 0 {
		return appendString(to, auto)
	}
	return r.listed().appendJSON(to)
}

func (r regions) blank() bool { return false }
