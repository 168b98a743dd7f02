package rules_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// places are the accounts of a world of shares, and where in the directory they are.
var places = map[fleet.AccountID]string{sharee: "", stranger: "", "1000000000000003": folder, "1000000000000004": dir + "/r-def"}

// foreignStatements are of forms that are never ours.
var foreignStatements = []string{
	`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1000000000000001:root"]}}`,
	`{ "Action" : ["sts:AssumeRole"], "Effect":"Allow", "Principal":{"Service":["oss.aliyuncs.com"]} }`,
	`{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000009@ecs.aliyuncs.com"}}`,
	`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000007@ecs.aliyuncs.com"},"Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}}`,
}

// anySharePolicy enforces, with all choices that bring changes about.
func anySharePolicy(t *rapid.T) *policy.Policy {
	return approving(func(p *policy.ShareRole) {
		when := []string{policy.TrustNow, policy.TrustAhead}
		p.TakeBack = pick(t, "take back", policy.TakeBackReport, policy.TakeBackEnforce)
		p.Approved.Accounts[0].Trust = pick(t, "account", when...)
		p.Approved.Directory = pick(t, "directory", "", policy.TrustNow, policy.TrustAhead)
		if rapid.Bool().Draw(t, "folder") {
			p.Approved.Folders = []policy.ApprovedFolder{{ID: "fd-ghi", Trust: pick(t, "folder", when...)}}
		}
	})
}

func anySharees(t *rapid.T) rampolicy.Sharees {
	return rampolicy.Sharees{
		Accounts:    rapid.SliceOfN(rapid.SampledFrom(slices.Sorted(maps.Keys(places))), 0, 3).Draw(t, "accounts"),
		Directories: rapid.SliceOfN(rapid.Just(dir), 0, 1).Draw(t, "directories"),
		Folders:     rapid.SliceOfN(rapid.Just(folder), 0, 1).Draw(t, "folders"),
	}
}

func anyResources(t *rapid.T) []fleet.SharedResource {
	targets := []string{string(sharee), string(stranger), "1000000000000003", "1000000000000004", dir, "fd-ghi", "r-def"}
	service := fleet.KMSKey{Account: here.Account, Region: "cn-hangzhou", ID: "key-ecs", Service: fleet.See(true)}
	var out []fleet.SharedResource
	for range rapid.IntRange(0, 3).Draw(t, "resources") {
		r := with(rapid.SliceOfN(rapid.SampledFrom(targets), 1, 3).Draw(t, "targets")...)
		r.Keys = fleet.See(rapid.SliceOfN(rapid.SampledFrom([]fleet.KMSKey{keyOne, keyTwo, service}), 1, 2).Draw(t, "keys"))
		out = append(out, r)
	}
	return out
}

// anyShareRole is missing, or trusts some sharees, grants some keys, and may have
// statements of another author.
func anyShareRole(t *rapid.T) fleet.Fact[fleet.Role] {
	who := anySharees(t)
	foreign := rapid.SliceOfNDistinct(rapid.SampledFrom(foreignStatements), 0, 2, rapid.ID[string]).Draw(t, "foreign")
	if who.Empty() && len(foreign) == 0 {
		return missing()
	}
	if who.Empty() {
		return fleet.See(fleet.Role{Trust: `{"Version":"1","Statement":[` + strings.Join(foreign, ",") + `]}`})
	}
	role := trusting(who, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{resOne, resTwo}), 0, 2, rapid.ID[string]).Draw(t, "granted")...)
	for _, f := range foreign {
		role.V.Trust = withStatement(role.V.Trust, f)
	}
	return role
}

// withStatement adds a statement, as an operator would manually.
func withStatement(doc, statement string) string {
	return strings.Replace(doc, `"Statement":[`, `"Statement":[`+statement+`,`, 1)
}

func anyShareWorld(t *rapid.T) *fleet.ShareWorld {
	w := sharing(anyShareRole(t), anyResources(t)...)
	d := &w.Directory.V
	for id, path := range places {
		d.Members[id] = fleet.See(path)
	}
	side := &w.Sides[0]
	if rapid.Bool().Draw(t, "another author's") {
		side.Tags = fleet.See(map[string]string{})
	}
	anyFailedShares(t, side)
	return w
}

// anyFailedShares are up to four failed requests, about up to three images: ours, or
// another account's.
func anyFailedShares(t *rapid.T, side *fleet.ShareSide) {
	var failed []fleet.FailedShare
	named := map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "shares that failed") {
		f := fleet.FailedShare{
			ImageID:  pick(t, "image", "m-1", "m-2", "m-3", "m-foreign", ""),
			Accounts: rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(places))), 1, 3, rapid.ID[fleet.AccountID]).Draw(t, "with"),
			Time:     noon.Add(-pick(t, "ago", time.Minute, time.Hour, 26*time.Hour)).Format(time.RFC3339),
			Code:     pick(t, "code", fleet.AssumeRoleError, "InvalidParameter.KMSKeyId.CMKUnauthorized", "OperationDeined.FullImage", ""),
		}
		slices.Sort(f.Accounts)
		failed = append(failed, f)
		named[f.ImageID] = true
	}
	if len(failed) == 0 {
		return
	}
	side.Ref.Call = &fleet.Call{ErrorCode: cmp.Or(failed[0].Code, fleet.AssumeRoleError), Time: failed[0].Time,
		Share: &fleet.Share{ImageID: failed[0].ImageID, Add: failed[0].Accounts, Also: failed[1:]}}
	for _, id := range []string{"m-1", "m-2", "m-3"} {
		if named[id] {
			r := with()
			r.ID, r.Keys = id, fleet.See([]fleet.KMSKey{pick(t, "its key", keyOne, keyTwo)})
			side.Claimed = append(side.Claimed, r)
			side.Regions.V[0].Resources = append(side.Regions.V[0].Resources, r)
		}
	}
}

// cloneShares copies as much of a world as tests change.
func cloneShares(w *fleet.ShareWorld) *fleet.ShareWorld {
	c := *w
	c.Sides = slices.Clone(w.Sides)
	c.Directory.V.Folders, c.Directory.V.Members = maps.Clone(w.Directory.V.Folders), maps.Clone(w.Directory.V.Members)
	for i := range c.Sides {
		s := &c.Sides[i]
		s.Tags.V, s.Role.V.Policies = maps.Clone(s.Tags.V), slices.Clone(s.Role.V.Policies)
		s.Regions.V, s.Claimed = slices.Clone(s.Regions.V), slices.Clone(s.Claimed)
		for j := range s.Regions.V {
			s.Regions.V[j].Resources = slices.Clone(s.Regions.V[j].Resources)
		}
	}
	return &c
}

// applyShares does to the one side of a world what the changes ask for, as the acts
// would: a document gives way only while it is what was decided on.
func applyShares(w *fleet.ShareWorld, vs []fleet.Verdict) {
	s := &w.Sides[0]
	made := map[string]string{}
	for _, v := range vs {
		for _, c := range v.Changes {
			switch {
			case c.Kind == fleet.EnsureShareRole && s.Role.V.Missing:
				s.Role, s.Tags = fleet.See(fleet.Role{Name: c.Ref.ID, Trust: c.Want}), fleet.See(map[string]string{fleet.TagManaged: fleet.ManagedValue})
			case c.Kind == fleet.SetShareTrust && s.Role.V.Trust == c.Before:
				s.Role.V.Trust = c.Want
			case c.Kind == fleet.MarkUnused:
				s.Tags.V[fleet.TagUnused] = c.Want
			case c.Kind == fleet.SetKeyPolicy:
				made[c.Ref.ID] = c.Want
			}
		}
	}
	applyPolicies(&s.Role.V, vs, made)
}

func applyPolicies(role *fleet.Role, vs []fleet.Verdict, made map[string]string) {
	for i, p := range role.Policies {
		if doc, ok := made[p.Name]; ok {
			role.Policies[i].Document = doc
		}
	}
	for _, v := range vs {
		for _, c := range v.Changes {
			switch c.Kind {
			case fleet.AttachKeyPolicy:
				role.Policies = append(role.Policies, fleet.Policy{Name: c.Ref.ID, Type: fleet.CustomPolicy, Document: made[c.Ref.ID]})
			case fleet.DetachKeyPolicy:
				role.Policies = slices.DeleteFunc(role.Policies, func(p fleet.Policy) bool { return p.Name == c.Ref.ID })
			}
		}
	}
}

// power is what the role of a world really gives: to which accounts, and which keys.
func power(w *fleet.ShareWorld) map[string]bool {
	out := map[string]bool{}
	role := w.Sides[0].Role.V
	if trust, err := rampolicy.ParseTrust(role.Trust); err == nil {
		for id, path := range places {
			about := map[string][]string{}
			if path != "" {
				about = map[string][]string{rampolicy.OwnerDirectory: {dir}, rampolicy.OwnerPath: {path}}
			}
			if trust.Trusts(rampolicy.Service(string(id)), about) == rampolicy.Allowed {
				out[string(id)] = true
			}
		}
	}
	for _, p := range role.Policies {
		keys, _ := rampolicy.ParseKeyPolicy(p.Document)
		for _, k := range keys {
			out[k] = true
		}
	}
	return out
}
