package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkTrusted: whoever was asked to be shared with, and is approved, is trusted. What failed
// for want of trust counts for a day, and is taken back after an hour where takeBack enforces.
func (p *player) checkTrusted() {
	lasts := 20 * time.Hour
	if p.h.World.TakeBack == "enforce" {
		lasts = 45 * time.Minute
	}
	for _, x := range p.m.shares {
		if x.wanted && slices.Contains(p.h.World.Regions, x.region) && slices.Contains(approved, x.with) && !strings.Contains(p.trust(shareRoles[x.kind]), x.with) && p.now().Sub(x.asked) < lasts {
			p.wrong("share %s: %s was to be shared with %s, and the role does not trust it after the events were worked on", x.name, x.kind, x.with)
		}
	}
}

// checkShares: what is shared with approved accounts can be used, and no other account is
// trusted (DESIGN §5.4).
func (p *player) checkShares() {
	for _, x := range p.m.shares {
		usable, why := p.Server.Usable(x.with, x.region, x.id)
		is := slices.Contains(approved, x.with)
		switch {
		case !slices.Contains(p.h.World.Regions, x.region):
			if x.kept && x.wanted && !usable {
				p.wrong("share %s: %s could use %s %s until %s was not guarded any more, and cannot now: %s", x.name, x.with, x.kind, x.id, x.region, why)
			}
		case !is && usable:
			p.wrong("share %s: %s can use %s %s, and is not approved", x.name, x.with, x.kind, x.id)
		case is && x.wanted && !usable && p.enforced():
			p.wrong("share %s: %s cannot use %s %s: %s", x.name, x.with, x.kind, x.id, why)
		}
	}
	for kind, role := range shareRoles {
		trust, foreign := p.trust(role), p.h.World.ForeignRole && kind == "image"
		if strings.Contains(trust, unapproved) || strings.Contains(trust, `"*`) || strings.Contains(trust, stranger) != foreign {
			p.wrong("role %s trusts an unapproved account, or lost a stranger's trust: %s", role, trust)
		}
		if trust != "" && !foreign && !p.enforced() {
			p.wrong("role %s was made, though the policy audits", role)
		}
		for _, account := range approved {
			// RAM takes no trust policy without a statement: the last one stays, and opens nothing.
			last := strings.Count(trust, "@ecs.aliyuncs.com") == 1 && len(p.policies(role)) == 0
			if strings.Contains(trust, account) && p.unneeded(kind, account) && !foreign && !last {
				p.wrong("role %s still trusts %s, with whom nothing is shared for days", role, account)
			}
		}
	}
}

// unneeded reports whether an account's trust has to be gone by now: takeBack enforces it an
// hour after it was first seen that nothing is shared, and ends a day after a failed share.
func (p *player) unneeded(kind, account string) bool {
	if !p.enforced() || p.h.World.TakeBack != "enforce" {
		return false
	}
	for _, x := range p.m.shares {
		if x.kind == kind && x.with == account && (x.wanted || x.kept || p.now().Sub(x.ended) < 3*day) {
			return false
		}
	}
	return true
}

// trust is a role's trust document, "" where there is no such role.
func (p *player) trust(role string) string {
	answer, err := p.call("2015-05-01", "GetRole", "", map[string]string{"RoleName": role})
	if err != nil {
		return ""
	}
	found, _ := answer["Role"].(map[string]any)
	return fmt.Sprint(found["AssumeRolePolicyDocument"])
}
