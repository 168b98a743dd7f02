package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/shares"
)

const (
	sharee   = fleet.AccountID("1000000000000002")
	stranger = fleet.AccountID("1000000000000009")
	dir      = "rd-abc"
	folder   = "rd-abc/r-def/fd-ghi"
)

var (
	keyOne = fleet.KMSKey{Account: here.Account, Region: "cn-hangzhou", ID: "key-1", Service: fleet.See(false)}
	keyTwo = fleet.KMSKey{Account: here.Account, Region: "cn-shanghai", ID: "key-2", Service: fleet.See(false)}
)

const (
	resOne = "acs:kms:cn-hangzhou:1000000000000001:key/key-1"
	resTwo = "acs:kms:cn-shanghai:1000000000000001:key/key-2"
)

// with is a snapshot encrypted with keyOne and shared with targets.
func with(targets ...string) fleet.SharedResource {
	r := fleet.SharedResource{Region: "cn-hangzhou", ID: "s-1", Keys: fleet.See([]fleet.KMSKey{keyOne})}
	for _, x := range targets {
		s, _ := fleet.ShareeOf(x)
		r.Sharees = append(r.Sharees, s)
	}
	return r
}

// trusting is a role of ours that trusts sharees and grants keys.
func trusting(s rampolicy.Sharees, keys ...string) fleet.Fact[fleet.Role] {
	t, err := (&rampolicy.Trust{}).Merge(s)
	if err != nil {
		panic(err)
	}
	doc, err := t.Print()
	if err != nil {
		panic(err)
	}
	r := fleet.Role{Name: fleet.SnapshotShareRole, Trust: doc}
	if len(keys) > 0 {
		r.Policies = []fleet.Policy{{Name: "fleetwarden-share-snapshot-1", Type: fleet.CustomPolicy, Document: rampolicy.KeyPolicy(keys)}}
	}
	return fleet.See(r)
}

func accounts(ids ...fleet.AccountID) rampolicy.Sharees { return rampolicy.Sharees{Accounts: ids} }

// sharing is a world of one side, whose role is ours, in two regions.
func sharing(role fleet.Fact[fleet.Role], resources ...fleet.SharedResource) *fleet.ShareWorld {
	return &fleet.ShareWorld{
		Account: here.Account, At: noon,
		Sides: []fleet.ShareSide{{
			Ref:     fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindSnapshotShare},
			Regions: fleet.See([]fleet.ShareRegion{{Region: "cn-hangzhou", Resources: resources}, {Region: "cn-shanghai"}}),
			Role:    role, Tags: fleet.See(map[string]string{fleet.TagManaged: fleet.ManagedValue}),
		}},
		DiskRole: fleet.Unknown[fleet.Role]("nothing needs it"), CMKDisk: fleet.See(""),
		Directory: fleet.See(fleet.Directory{ID: dir, Root: "r-def",
			Folders: map[string]fleet.Fact[string]{"fd-ghi": fleet.See(folder), "fd-gone": fleet.See("")},
			Members: map[fleet.AccountID]fleet.Fact[string]{"1000000000000003": fleet.See(folder), stranger: fleet.See("")}}),
	}
}

// approving is a policy that enforces the control and approves the sharee.
func approving(change ...func(*policy.ShareRole)) *policy.Policy {
	p := policy.Default().WithHome(here.Account)
	p.ShareRole.Mode = policy.Enforce
	p.ShareRole.Approved.Accounts = []policy.ApprovedAccount{{ID: sharee, Trust: policy.TrustNow}}
	for _, c := range change {
		c(&p.ShareRole)
	}
	return p
}

func enforced(p *policy.ShareRole) { p.TakeBack = policy.TakeBackEnforce }

// ruled returns the verdict of a rule.
func ruled(t *testing.T, w *fleet.ShareWorld, p *policy.Policy, rule string) fleet.Verdict {
	t.Helper()
	var found []fleet.Verdict
	for _, v := range shares.Role(w, p) {
		sound(t, v)
		if v.Rule == rule {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d verdicts of rule %s", len(found), rule)
	}
	return found[0]
}

// expect checks a verdict's outcome, a word of its reason, and its changes.
func expect(t *testing.T, v fleet.Verdict, want fleet.Outcome, word string, changes ...fleet.ChangeKind) {
	t.Helper()
	if v.Outcome != want || !strings.Contains(v.Reason, word) || !slices.Equal(kinds(v), changes) {
		t.Errorf("got %s (%s) with %v; want %s (…%s…) with %v", v.Outcome, v.Reason, kinds(v), want, word, changes)
	}
}

func TestAMissingRoleIsMadeForApprovedShareesOnly(t *testing.T) {
	w := sharing(missing(), with(string(sharee), string(stranger)))
	v := ruled(t, w, approving(), policy.RuleShareTrust)
	expect(t, v, fleet.Violation, "missing", fleet.EnsureShareRole)
	want := `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["1000000000000002@ecs.aliyuncs.com"]}}],"Version":"1"}`
	if got := v.Changes[0]; got.Want != want || got.Ref.ID != fleet.SnapshotShareRole || got.Ref.Scope.Region != "" {
		t.Errorf("got %+v", got)
	}
	expect(t, ruled(t, w, approving(), policy.RuleShareeApproved), fleet.Violation, string(stranger))
	expect(t, ruled(t, sharing(missing(), with(string(stranger))), approving(), policy.RuleShareTrust), fleet.NotApplicable, "")
}

func TestThoseWhomTheRoleLacksAreAddedAndOthersKeepTheirPlace(t *testing.T) {
	other := fleet.AccountID("1000000000000003")
	p := approving(func(p *policy.ShareRole) {
		p.Approved.Accounts = append(p.Approved.Accounts, policy.ApprovedAccount{ID: other, Trust: policy.TrustNow})
	})
	role := trusting(accounts(other))
	v := ruled(t, sharing(role, with(string(sharee), string(other))), p, policy.RuleShareTrust)
	expect(t, v, fleet.Violation, string(sharee), fleet.SetShareTrust)
	if c := v.Changes[0]; c.Before != role.V.Trust || c.Want != trusting(accounts(sharee, other)).V.Trust {
		t.Errorf("got %+v", c)
	}
	expect(t, ruled(t, sharing(trusting(accounts(sharee, other)), with(string(sharee))), p, policy.RuleShareTrust), fleet.Passes, "")
}

func TestAForeignRoleIsOnlyAddedTo(t *testing.T) {
	const foreignStatement = `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1000000000000001:root"]}}`
	foreign := `{"Version":"1","Statement":[ {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000007@ecs.aliyuncs.com"}}, ` + foreignStatement + ` ]}`
	w := sharing(fleet.See(fleet.Role{Trust: foreign}), with(string(sharee)))
	w.Sides[0].Tags = fleet.See(map[string]string{})
	v := ruled(t, w, approving(enforced), policy.RuleShareTrust)
	expect(t, v, fleet.Violation, "", fleet.SetShareTrust)
	for _, kept := range []string{foreignStatement, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000007@ecs.aliyuncs.com"}}`} {
		if !strings.Contains(v.Changes[0].Want, kept) {
			t.Errorf("a statement was touched: %s", v.Changes[0].Want)
		}
	}
	back := ruled(t, w, approving(enforced), policy.RuleTakeBack)
	expect(t, back, fleet.Violation, "1000000000000007")
	if !strings.Contains(back.Remedy, "aliyun ram UpdateRole") {
		t.Errorf("no command: %s", back.Remedy)
	}
}

func TestDirectoriesAndFoldersAreTrustedByTheirConditions(t *testing.T) {
	whole := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	part := approving(func(p *policy.ShareRole) {
		p.Approved.Folders = []policy.ApprovedFolder{{ID: "fd-ghi", Trust: policy.TrustNow}}
	})
	for _, c := range []struct {
		p      *policy.Policy
		target string
		want   rampolicy.Sharees
	}{
		{whole, dir, rampolicy.Sharees{Directories: []string{dir}}},
		{whole, "fd-ghi", rampolicy.Sharees{Folders: []string{folder}}},
		{whole, "r-def", rampolicy.Sharees{Folders: []string{"rd-abc/r-def"}}},
		{whole, "1000000000000003", accounts("1000000000000003")},
		{part, "fd-ghi", rampolicy.Sharees{Folders: []string{folder}}},
		{part, "1000000000000003", accounts("1000000000000003")},
	} {
		v := ruled(t, sharing(missing(), with(c.target)), c.p, policy.RuleShareTrust)
		if len(v.Changes) != 1 || v.Changes[0].Want != trusting(c.want).V.Trust {
			t.Errorf("%s: %+v", c.target, v.Changes)
		}
	}
	for _, refused := range []struct {
		p      *policy.Policy
		target string
	}{{part, dir}, {part, "r-def"}, {part, string(stranger)}, {whole, "rd-other"}, {whole, "fd-gone"}, {whole, string(stranger)}} {
		v := ruled(t, sharing(missing(), with(refused.target)), refused.p, policy.RuleShareTrust)
		if len(v.Changes) > 0 {
			t.Errorf("%s is trusted: %+v", refused.target, v.Changes)
		}
	}
}

func TestAShareeWhosePlaceIsNotKnownIsNotTrusted(t *testing.T) {
	p := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	w := sharing(missing(), with("fd-ghi", "1000000000000004"))
	w.Directory = fleet.Unknown[fleet.Directory]("denied")
	expect(t, ruled(t, w, p, policy.RuleShareeApproved), fleet.Undecided, "denied")
	expect(t, ruled(t, w, p, policy.RuleShareTrust), fleet.Undecided, "not known")
}

func TestAheadIsTrustedBeforeTheFirstShare(t *testing.T) {
	p := approving(func(p *policy.ShareRole) {
		p.Approved.Accounts[0].Trust = policy.TrustAhead
		p.Approved.Directory = policy.TrustAhead
	})
	v := ruled(t, sharing(missing()), p, policy.RuleShareTrust)
	expect(t, v, fleet.Violation, "", fleet.EnsureShareRole)
	if want := trusting(rampolicy.Sharees{Accounts: []fleet.AccountID{sharee}, Directories: []string{dir}}).V.Trust; v.Changes[0].Want != want {
		t.Errorf("got %s", v.Changes[0].Want)
	}
}

func TestAFailedShareSelectsFromTheApprovedForADay(t *testing.T) {
	claim := func(code string, age time.Duration) *fleet.ShareWorld {
		w := sharing(missing())
		w.Sides[0].Ref.Call = &fleet.Call{ErrorCode: code, Time: noon.Add(-age).Format(time.RFC3339),
			Share: &fleet.Share{ImageID: "s-1", Add: []fleet.AccountID{sharee, stranger}}}
		w.Sides[0].Claimed = []fleet.SharedResource{with()}
		return w
	}
	w := claim(fleet.AssumeRoleError, time.Hour)
	v := ruled(t, w, approving(), policy.RuleShareTrust)
	expect(t, v, fleet.Violation, "", fleet.EnsureShareRole)
	if strings.Contains(v.Changes[0].Want, string(stranger)) {
		t.Errorf("a claim opened the role: %s", v.Changes[0].Want)
	}
	expect(t, ruled(t, w, approving(), policy.RuleShareKeys), fleet.Violation, resOne, fleet.SetKeyPolicy, fleet.AttachKeyPolicy)
	for _, none := range []*fleet.ShareWorld{claim(fleet.AssumeRoleError, 25*time.Hour), claim("", time.Hour), claim("Throttling", time.Hour)} {
		expect(t, ruled(t, none, approving(), policy.RuleShareTrust), fleet.NotApplicable, "")
		expect(t, ruled(t, none, approving(), policy.RuleShareKeys), fleet.NotApplicable, "")
	}
}

func TestAnOpenTrustIsCriticalAndNeverCoverage(t *testing.T) {
	open := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"}}]}`
	w := sharing(fleet.See(fleet.Role{Trust: open}), with(string(sharee)))
	if v := ruled(t, w, approving(), policy.RuleOpenTrust); v.Severity != fleet.Critical || len(v.Changes) > 0 {
		t.Errorf("got %+v", v)
	}
	expect(t, ruled(t, w, approving(), policy.RuleShareTrust), fleet.Violation, "every account")
	expect(t, ruled(t, sharing(trusting(accounts(sharee)), with(string(sharee))), approving(), policy.RuleOpenTrust), fleet.Passes, "")
}

func TestADenyThatStandsAgainstAShareeIsSaid(t *testing.T) {
	deny := `{"Version":"1","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000002@ecs.aliyuncs.com"}}]}`
	expect(t, ruled(t, sharing(fleet.See(fleet.Role{Trust: deny}), with(string(sharee))), approving(), policy.RuleShareTrust), fleet.Violation, "stands against")
}

func TestABrokenOrUnreadRoleIsLeftAlone(t *testing.T) {
	for _, role := range []fleet.Fact[fleet.Role]{fleet.See(fleet.Role{Trust: "{"}), fleet.Unknown[fleet.Role]("denied")} {
		v := ruled(t, sharing(role, with(string(sharee))), approving(), policy.RuleShareTrust)
		expect(t, v, fleet.Undecided, "")
	}
}

func TestTooManyAccountsGetTheAdviceToUseTheDirectory(t *testing.T) {
	p, r := approving(), with()
	for i := range 200 {
		id := fleet.AccountID("20000000000000" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10)))
		p.ShareRole.Approved.Accounts = append(p.ShareRole.Approved.Accounts, policy.ApprovedAccount{ID: id, Trust: policy.TrustNow})
		r.Sharees = append(r.Sharees, fleet.Sharee{Kind: fleet.ShareeAccount, ID: string(id)})
	}
	w := sharing(missing(), r)
	expect(t, ruled(t, w, p, policy.RuleShareTrust), fleet.Violation, "resource directory")
	expect(t, ruled(t, w, p, policy.RuleShareKeys), fleet.Violation, "resource directory")
}

func TestAnAccountThatThePolicyLeavesOutIsLeftAlone(t *testing.T) {
	p := approving(func(p *policy.ShareRole) { p.Exclude = []policy.Selector{{Accounts: []fleet.AccountID{here.Account}}} })
	vs := shares.Role(sharing(missing(), with(string(sharee))), p)
	if len(vs) != 1 || vs[0].Outcome != fleet.NotApplicable {
		t.Errorf("got %+v", vs)
	}
}

// diskRole is the role of disks with a trust document and the documents of its policies.
func diskRole(trust string, policies ...string) fleet.Fact[fleet.Role] {
	r := fleet.Role{Name: fleet.DiskEncryptRole, Trust: trust}
	for _, p := range policies {
		r.Policies = append(r.Policies, fleet.Policy{Name: fleet.DiskEncryptPolicy, Type: fleet.SystemPolicy, Document: p})
	}
	return fleet.See(r)
}

func TestDisksUnderOwnKeysNeedARoleThatCanDoItsWork(t *testing.T) {
	grants := func(action, resource string) string {
		return `{"Version":"1","Statement":[{"Effect":"Allow","Action":[` + action + `],"Resource":"` + resource + `"}]}`
	}
	const use = `"kms:DescribeKey","kms:GenerateDataKey","kms:Decrypt"`
	for name, x := range map[string]struct {
		role fleet.Fact[fleet.Role]
		want fleet.Outcome
		word string
	}{
		"as the console makes it":  {diskRole(rampolicy.ECSTrust(), grants(use, "*")), fleet.Passes, ""},
		"of all keys":              {diskRole(rampolicy.ECSTrust(), grants(`"kms:*"`, "acs:kms:*:*:*")), fleet.Passes, ""},
		"of some keys":             {diskRole(rampolicy.ECSTrust(), grants(use, resOne)), fleet.Undecided, "in part"},
		"spread over policies":     {diskRole(rampolicy.ECSTrust(), grants(`"kms:DescribeKey"`, "*"), grants(`"kms:GenerateDataKey","kms:D*"`, "*")), fleet.Passes, ""},
		"missing":                  {missing(), fleet.Violation, "is missing"},
		"without policies":         {diskRole(rampolicy.ECSTrust()), fleet.Violation, "does not grant"},
		"without decryption":       {diskRole(rampolicy.ECSTrust(), grants(`"kms:DescribeKey"`, "*")), fleet.Violation, "does not grant"},
		"trusting another service": {diskRole(strings.Replace(rampolicy.ECSTrust(), "ecs.", "fc.", 1), grants(use, "*")), fleet.Violation, "does not trust"},
		"trust that is broken":     {diskRole("{", grants(use, "*")), fleet.Undecided, "cannot be read"},
		"with an unread policy":    {diskRole(rampolicy.ECSTrust(), "{"), fleet.Undecided, "cannot be read"},
		"not read":                 {fleet.Unknown[fleet.Role]("denied"), fleet.Undecided, "denied"},
	} {
		w := sharing(missing())
		w.CMKDisk, w.DiskRole = fleet.See("d-1"), x.role
		v := ruled(t, w, approving(), policy.RuleDiskEncryptRole)
		if v.Outcome != x.want || !strings.Contains(v.Reason, x.word) {
			t.Errorf("%s: %s (%s)", name, v.Outcome, v.Reason)
		}
	}
	w := sharing(missing())
	expect(t, ruled(t, w, approving(), policy.RuleDiskEncryptRole), fleet.NotApplicable, "")
	w.CMKDisk, w.DiskRole = fleet.Unknown[string]("denied"), missing()
	expect(t, ruled(t, w, approving(), policy.RuleDiskEncryptRole), fleet.Undecided, "denied")
}
