package ram

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// AddRole makes a role with custom policies, documents by name, that all
// products see at once: what stood there before the story begins. It makes no
// API call and no trail record.
func (r *RAM) AddRole(accountID, name, trust string, policies map[string]string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.accounts[accountID]
	if !ok {
		return fmt.Errorf("adding role %s: no account %s", name, accountID)
	}
	parsed, err := parseTrust(trust)
	if err != nil {
		return fmt.Errorf("adding role %s: its trust policy: %w", name, err)
	}
	now := r.world.Clock.Now()
	x := &role{
		principal: principal{name: name, id: r.newID()}, trust: trust, parsed: parsed,
		maxSession: 3600, created: now, updated: now, seenAt: now, tags: map[string]string{},
	}
	for _, p := range slices.Sorted(maps.Keys(policies)) {
		pol, err := newStanding(p, policies[p], now)
		if err != nil {
			return fmt.Errorf("adding role %s: %w", name, err)
		}
		a.policies[policyKey("Custom", p)] = pol
		x.attached = append(x.attached, attachment{pol, now})
	}
	a.roles[strings.ToLower(name)] = x
	return nil
}

func newStanding(name, text string, at time.Time) (*policy, error) {
	parsed, err := parsePolicy(text)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	return &policy{
		name: name, kind: "Custom", next: 2, created: at, updated: at, tags: map[string]string{}, attachments: 1,
		versions: []*version{{id: "v1", text: text, parsed: parsed, isDefault: true, created: at}},
	}, nil
}
