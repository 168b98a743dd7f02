package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
)

// checkTrusted: whoever was asked to be shared with, and is approved, is trusted. What failed
// for want of trust counts for a day, and is taken back after an hour where takeBack enforces.
func (p *player) checkTrusted() {
	lasts := 20 * time.Hour
	if p.h.World.TakeBack == "enforce" {
		lasts = 45 * time.Minute
	}
	for _, x := range p.m.shares {
		if x.wanted && slices.Contains(p.h.World.Regions, x.region) && slices.Contains(p.h.World.approved(), x.with) && !p.silent(x) && !strings.Contains(p.trust(x.account, shareRoles[x.kind]), x.with) && p.now().Sub(x.asked) < lasts {
			p.wrong("share %s: %s was to be shared with %s, and the role does not trust it after the events were worked on", x.name, x.kind, x.with)
		}
	}
}

// checkShares: what is shared with approved accounts can be used, and no other account is
// trusted. Snapshots of accounts of the directory alone are left to the sweep,
// whose limits may hold what they need.
func (p *player) checkShares(said findings) {
	for _, x := range p.m.shares {
		usable, why := p.Server.Usable(x.with, x.region, x.id)
		is := slices.Contains(p.h.World.approved(), x.with)
		switch {
		case !slices.Contains(p.h.World.Regions, x.region):
			if x.kept && x.wanted && !usable {
				p.wrong("share %s: %s could use %s %s until %s was not guarded any more, and cannot now: %s", x.name, x.with, x.kind, x.id, x.region, why)
			}
		case !is && usable:
			p.wrong("share %s: %s can use %s %s, and is not approved", x.name, x.with, x.kind, x.id)
		case is && x.wanted && !usable && p.enforced() && !p.unseen(x) && !(p.silent(x) && said.held[x.account+" share-role"]):
			p.wrong("share %s: %s cannot use %s %s: %s", x.name, x.with, x.kind, x.id, why)
		}
	}
	for _, account := range p.h.World.accounts() {
		p.checkShareRoles(account)
	}
}

// silent reports whether no event or timer leads the functions to a share: snapshots of
// accounts that are of the directory alone are found by the sweep.
func (p *player) silent(x *share) bool {
	return p.unseen(x) || p.unreplayed(x.account) || p.h.World.Directory && x.account != server.Sharer && x.kind == "snapshot"
}

// unseen reports whether a share that failed for want of trust is not seen at all: that of a
// member's image leaves an event alone, which is sent home from the home region alone.
func (p *player) unseen(x *share) bool {
	return x.account != server.Sharer && x.kind == "image" && x.region != server.Home
}

func (p *player) checkShareRoles(owner string) {
	for kind, role := range shareRoles {
		trust, foreign := p.trust(owner, role), p.h.World.foreignRole(owner, kind)
		if strings.Contains(trust, unapproved) || strings.Contains(trust, `"*`) || strings.Contains(trust, stranger) != foreign {
			p.wrong("role %s of %s trusts an unapproved account, or lost a stranger's trust: %s", role, owner, trust)
		}
		if trust != "" && !foreign && !p.enforced() {
			p.wrong("role %s of %s was made, though the policy audits", role, owner)
		}
		for _, account := range p.h.World.approved() {
			// RAM takes no trust policy without a statement: the last one stays, and opens nothing.
			last := strings.Count(trust, "@ecs.aliyuncs.com") == 1 && len(p.policies(owner, role)) == 0
			if strings.Contains(trust, account) && p.unneeded(owner, kind, account) && !foreign && !last {
				p.wrong("role %s of %s still trusts %s, with whom nothing is shared for days", role, owner, account)
			}
		}
	}
}

// unneeded reports whether an account's trust has to be gone by now: takeBack enforces it an
// hour after it was first seen that nothing is shared, and ends a day after a failed share.
func (p *player) unneeded(owner, kind, account string) bool {
	if !p.enforced() || p.h.World.TakeBack != "enforce" {
		return false
	}
	for _, x := range p.m.shares {
		if x.account == owner && x.kind == kind && x.with == account && (x.wanted || x.kept || p.now().Sub(x.ended) < 3*day) {
			return false
		}
	}
	return true
}

// trust is a role's trust document, "" where there is no such role.
func (p *player) trust(account, role string) string {
	answer, err := p.call(account, "2015-05-01", "GetRole", "", map[string]string{"RoleName": role})
	if err != nil {
		return ""
	}
	found, _ := answer["Role"].(map[string]any)
	return fmt.Sprint(found["AssumeRolePolicyDocument"])
}
