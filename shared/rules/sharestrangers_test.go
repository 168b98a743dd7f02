package rules_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/shares"
)

// identity is one that may try to assume a role, with the directory of its account.
type identity struct {
	kind, id, directory string
	// account is whose it is; own ones are none that the policy could approve.
	account fleet.AccountID
}

// identities: the ECS of the sharee alone is approved.
var identities = []identity{
	{"Service", "1000000000000002@ecs.aliyuncs.com", "", sharee},
	{"Service", "1000000000000009@ecs.aliyuncs.com", "rd-other", stranger},
	{"Service", "1000000000000009@fc.aliyuncs.com", "rd-other", stranger},
	{"Service", "ecs.aliyuncs.com", dir, here.Account},
	{"Service", "fc.aliyuncs.com", dir, here.Account},
	{"RAM", "acs:ram::1000000000000002:root", "", sharee},
	{"RAM", "acs:ram::1000000000000009:root", "rd-other", stranger},
	{"RAM", "acs:ram::1000000000000009:user/eve", "rd-other", stranger},
	{"RAM", "acs:ram::1000000000000001:root", dir, here.Account},
	{"Federated", "acs:ram::1000000000000009:saml-provider/idp", "rd-other", stranger},
}

// lets is a second opinion: whether a trust document lets an identity in, by the published
// rules and in the fewest words. Only what the generator below draws is understood.
func lets(t *rapid.T, doc string, who identity) bool {
	var parsed struct {
		Statement []struct {
			Effect            string
			Action, NotAction any
			Principal         map[string]any
			Condition         map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(doc), &parsed); err != nil {
		t.Fatal(err)
	}
	in := false
	for _, s := range parsed.Statement {
		acts := fits(s.Action, "sts:assumerole")
		if s.NotAction != nil {
			acts = !fits(s.NotAction, "sts:assumerole")
		}
		applies := acts && fits(s.Principal[who.kind], strings.ToLower(who.id))
		for operator, keys := range s.Condition {
			for key, values := range keys {
				place := who.directory
				if key == "sts:ServiceOwnerRDPath" && place != "" {
					place += "/r-1/fd-1"
				}
				in := place != "" && fits(values, place)
				applies = applies && in != strings.HasPrefix(operator, "StringNot")
			}
		}
		if applies && s.Effect == "Deny" {
			return false
		}
		in = in || applies
	}
	return in
}

// fits reports whether a text, or one of a list, is a pattern of text; a star stands for
// anything.
func fits(patterns any, text string) bool {
	if list, ok := patterns.([]any); ok {
		return slices.ContainsFunc(list, func(p any) bool { return fits(p, text) })
	}
	pattern, _ := patterns.(string)
	parts := strings.Split(strings.ToLower(pattern), "*")
	if len(parts) == 1 {
		return parts[0] == text
	}
	if !strings.HasPrefix(text, parts[0]) || !strings.HasSuffix(text, parts[len(parts)-1]) {
		return false
	}
	rest := text[len(parts[0]):]
	for _, part := range parts[1:] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return true
}

// anyTrust is a trust document of up to four statements, in many forms.
func anyTrust(t *rapid.T) string {
	one := func(values ...string) string {
		list := rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, 3, rapid.ID[string]).Draw(t, "values")
		if len(list) == 1 && rapid.Bool().Draw(t, "bare") {
			return fmt.Sprintf("%q", list[0])
		}
		b, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	principals := map[string][]string{
		"Service":   {"1000000000000002@ecs.aliyuncs.com", "1000000000000009@ecs.aliyuncs.com", "1000000000000009@fc.aliyuncs.com", "ecs.aliyuncs.com", "fc.aliyuncs.com", "*@ecs.aliyuncs.com", "*"},
		"RAM":       {"acs:ram::1000000000000002:root", "acs:ram::1000000000000009:root", "acs:ram::1000000000000009:*", "acs:ram::1000000000000001:root", "acs:ram::*:root", "*"},
		"Federated": {"acs:ram::1000000000000009:saml-provider/idp", "*"},
	}
	var statements []string
	for range rapid.IntRange(1, 4).Draw(t, "statements") {
		if rapid.IntRange(0, 2).Draw(t, "about directories") == 0 {
			statements = append(statements, pick(t, "statement",
				`{`+anyECSOf+`{"StringEquals":{"sts:ServiceOwnerRDId":"rd-other"}}}`,
				`{`+anyECSOf+`{"StringLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-1*"}}}`,
				strings.Replace(`{`+anyECSOf, "Allow", "Deny", 1)+`{"StringNotLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-1*"}}}`,
				strings.Replace(`{`+anyECSOf, "Allow", "Deny", 1)+`{"StringLike":{"sts:ServiceOwnerRDPath":["rd-other/r-1/fd-2*","rd-third/*"]}}}`))
			continue
		}
		effect := pick(t, "effect", "Allow", "Allow", "Allow", "Deny")
		action := pick(t, "actions", `"Action"`, `"Action"`, `"NotAction"`) + ":" + one("sts:AssumeRole", "sts:*", "*", "STS:assumerole", "ecs:*", "sts:SetSourceIdentity")
		var kinds []string
		for _, kind := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"Service", "RAM", "Federated"}), 1, 2, rapid.ID[string]).Draw(t, "kinds") {
			kinds = append(kinds, fmt.Sprintf("%q:%s", kind, one(principals[kind]...)))
		}
		condition := ""
		if rapid.IntRange(0, 2).Draw(t, "condition") == 0 {
			condition = pick(t, "key",
				pick(t, "operator", "StringEquals", "StringNotEquals")+`":{"sts:ServiceOwnerRDId":`+one(dir, "rd-other", "rd-third"),
				pick(t, "operator", "StringLike", "StringNotLike")+`":{"sts:ServiceOwnerRDPath":`+one("rd-other/r-1/fd-1*", "rd-other/r-1/fd-2*", "rd-other/*", dir+"/r-1*"))
			condition = `,"Condition":{"` + condition + `}}`
		}
		statements = append(statements, fmt.Sprintf(`{"Effect":%q,%s,"Principal":{%s}%s}`, effect, action, strings.Join(kinds, ","), condition))
	}
	return `{"Version":"1","Statement":[` + strings.Join(statements, ",") + `]}`
}

// The rules that speak of whom a role lets in.
var trustRules = []string{policy.RuleShareeApproved, policy.RuleOpenTrust, policy.RuleTakeBack, policy.RuleShareTrust}

// Whoever is let in and not approved is never behind a pass: what is not in one of the
// three forms, behind none of the four; and a finding names it, or says what is not known.
func TestNoUnapprovedPartyThatTheRoleLetsInIsBehindAPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := anyTrust(t)
		w := sharing(fleet.See(fleet.Role{Name: fleet.SnapshotShareRole, Trust: doc}), with(string(sharee)))
		w.Sides[0].Tags = fleet.See(map[string]string{})
		vs := shares.Role(w, approving())
		for _, who := range identities {
			approved := who.kind == "Service" && who.id == string(sharee)+"@ecs.aliyuncs.com"
			if approved || !lets(t, doc, who) {
				continue
			}
			named := false
			for _, v := range vs {
				if !slices.Contains(trustRules, v.Rule) {
					continue
				}
				text := v.Reason
				for _, e := range v.Evidence {
					text += " " + e.Value
				}
				named = named || v.Severity == fleet.Critical || v.Outcome == fleet.Undecided ||
					v.Outcome == fleet.Violation && (strings.Contains(text, string(who.account)) || strings.Contains(text, who.id) || strings.Contains(text, who.directory))
				ecs := who.kind == "Service" && strings.HasSuffix(who.id, "@ecs.aliyuncs.com") // perhaps in one of the three forms
				if v.Outcome == fleet.Passes && (!ecs || v.Rule == policy.RuleShareeApproved) {
					t.Fatalf("%s %s is let in, and %s passes: %s\n%s", who.kind, who.id, v.Rule, v.Reason, doc)
				}
			}
			if !named {
				t.Fatalf("%s %s is let in, and no finding names it\n%s\n%+v", who.kind, who.id, doc, vs)
			}
		}
	})
}

func TestAnUnapprovedShareeWhomTheRoleTrustsIsReportedAsTrusted(t *testing.T) {
	w := sharing(fleet.See(fleet.Role{Trust: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["1000000000000009@ecs.aliyuncs.com","fc.aliyuncs.com"]}},
		{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000002@ecs.aliyuncs.com"}}]}`}), with(string(sharee), string(stranger)))
	v := ruled(t, w, approving(), policy.RuleShareeApproved)
	expect(t, v, fleet.Violation, "trusts account "+string(stranger))
	if strings.Contains(v.Reason, "not opened") {
		t.Error(v.Reason)
	}
	for _, rule := range []string{policy.RuleOpenTrust, policy.RuleTakeBack, policy.RuleShareTrust} {
		expect(t, ruled(t, w, approving(), rule), fleet.Violation, "fc.aliyuncs.com")
	}
}

// A sharee whom the policy approves may stand in any form: it is no stranger, and no
// second statement is added for it.
func TestAnApprovedShareeInAnotherFormIsNoStranger(t *testing.T) {
	for _, statement := range []string{
		`{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Principal":{"Service":"1000000000000002@ecs.aliyuncs.com"}}`,
		`{"Effect":"Allow","Action":"sts:*","Principal":{"Service":["1000000000000002@ecs.aliyuncs.com"]}}`,
	} {
		w := sharing(fleet.See(fleet.Role{Trust: `{"Version":"1","Statement":[` + statement + `]}`}), with(string(sharee)))
		for _, rule := range trustRules {
			expect(t, ruled(t, w, approving(), rule), fleet.Passes, "")
		}
	}
}

func TestSeveralDirectoriesOfOneConditionAreApprovedEachForItself(t *testing.T) {
	both := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-abc","rd-other"]}}}]}`
	whole := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	w := sharing(fleet.See(fleet.Role{Trust: both}), with(dir))
	v := ruled(t, w, whole, policy.RuleOpenTrust)
	expect(t, v, fleet.Violation, "rd-other")
	if v.Severity != fleet.High {
		t.Errorf("severity %s", v.Severity)
	}
	w.Sides[0].Role = fleet.See(fleet.Role{Trust: strings.Replace(both, `,"rd-other"`, `,"rd-abc"`, 1)})
	expect(t, ruled(t, w, whole, policy.RuleOpenTrust), fleet.Passes, "")
}

func TestARoleWhoseTrustCannotBeReadIsBehindNoPass(t *testing.T) {
	for _, role := range []fleet.Fact[fleet.Role]{fleet.See(fleet.Role{Trust: "{"}), fleet.Unknown[fleet.Role]("denied")} {
		for _, v := range shares.Role(sharing(role, with(string(sharee))), approving()) {
			if slices.Contains(trustRules, v.Rule) && v.Outcome == fleet.Passes {
				t.Errorf("%s passes: %s", v.Rule, v.Reason)
			}
		}
	}
}

const anyECSOf = `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":`

func trustDoc(statements ...string) fleet.Fact[fleet.Role] {
	return fleet.See(fleet.Role{Name: fleet.SnapshotShareRole, Trust: `{"Version":"1","Statement":[` + strings.Join(statements, ",") + `]}`})
}

// A share in a region that the policy does not guard keeps its sharee's trust; it approves
// nothing.
func TestAShareInAnUnguardedRegionHidesNoUnapprovedSharee(t *testing.T) {
	w := sharing(trusting(accounts(sharee, stranger)), with(string(sharee)))
	elsewhere := with(string(stranger))
	elsewhere.Region = "cn-shanghai"
	w.Sides[0].Regions.V[1].Resources = []fleet.SharedResource{elsewhere}
	p := approving()
	p.Regions = []fleet.Region{"cn-hangzhou"}
	expect(t, ruled(t, w, p, policy.RuleShareeApproved), fleet.Undecided, string(stranger))
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Passes, "")
}

// A Deny takes a directory or a folder away for certain only if it takes away all of it.
func TestADenyThatLeavesAPartOfADirectoryHidesNothing(t *testing.T) {
	const deny = `{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":`
	for name, x := range map[string]struct {
		allow, deny string
		want        fleet.Outcome
	}{
		"all but one folder":     {`{"StringEquals":{"sts:ServiceOwnerRDId":"rd-other"}}`, `{"StringNotLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-1*"}}`, fleet.Undecided},
		"one folder":             {`{"StringEquals":{"sts:ServiceOwnerRDId":"rd-other"}}`, `{"StringLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-1*"}}`, fleet.Violation},
		"all but a folder below": {`{"StringLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-1*"}}`, `{"StringNotLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-1/fd-2*"}}`, fleet.Undecided},
		"all but another one":    {`{"StringEquals":{"sts:ServiceOwnerRDId":"rd-other"}}`, `{"StringNotEquals":{"sts:ServiceOwnerRDId":"rd-third"}}`, fleet.Passes},
		"all of another one":     {`{"StringEquals":{"sts:ServiceOwnerRDId":"rd-other"}}`, `{"StringEquals":{"sts:ServiceOwnerRDId":"rd-third"}}`, fleet.Violation},
		"all of it, by its path": {`{"StringEquals":{"sts:ServiceOwnerRDId":"rd-other"}}`, `{"StringLike":{"sts:ServiceOwnerRDPath":"rd-other/*"}}`, fleet.Passes},
	} {
		w := sharing(trustDoc(`{`+anyECSOf+x.allow+`}`, deny+x.deny+`}`), with(string(sharee)))
		v := ruled(t, w, approving(), policy.RuleShareeApproved)
		if v.Outcome != x.want || v.Outcome != fleet.Passes && !strings.Contains(v.Reason, "rd-other") {
			t.Errorf("%s: %s (%s), want %s", name, v.Outcome, v.Reason, x.want)
		}
	}
}

// Whether the role lets in a sharee whose place in the directory is not known is unknown.
func TestAShareeWhosePlaceIsUnknownIsNotSaidToBeKeptOut(t *testing.T) {
	w := sharing(trustDoc(`{`+anyECSOf+`{"StringLike":{"sts:ServiceOwnerRDPath":"rd-other/r-1/fd-else*"}}}`), with("fd-else"))
	w.Directory.V.Folders["fd-else"] = fleet.See("")
	v := ruled(t, w, approving(), policy.RuleShareeApproved)
	expect(t, v, fleet.Violation, "could not be determined")
	if strings.Contains(v.Reason, "not opened") {
		t.Error(v.Reason)
	}
}

// An approved party that is not needed is reported for removal only if all shares were seen and
// no sharee depends on it.
func TestAnApprovedPartyIsNotCalledUnneededWhileItMayBeNeeded(t *testing.T) {
	role := trustDoc(`{"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"Service":["`+string(sharee)+`@ecs.aliyuncs.com"]},"Condition":{"Bool":{"acs:SecureTransport":"true"}}}`,
		`{`+anyECSOf+`{"StringLike":{"sts:ServiceOwnerRDId":["rd-abc"]}}}`)
	p := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })

	idle := ruled(t, sharing(role), p, policy.RuleTakeBack)
	expect(t, idle, fleet.Violation, "within rd-abc")
	unread := sharing(role)
	unread.Sides[0].Regions.V[1].Unread = "denied"
	expect(t, ruled(t, unread, p, policy.RuleTakeBack), fleet.Undecided, "cn-shanghai")

	for _, target := range []string{"1000000000000003", "fd-ghi", dir} {
		w := sharing(role, with(target))
		if v := ruled(t, w, p, policy.RuleTakeBack); strings.Contains(v.Reason, "within rd-abc") {
			t.Errorf("shared with %s: %s", target, v.Reason)
		}
	}
}

// An account that is right in a folder, and not in one below, depends on trust in the folder.
func TestAnAccountRightInAFolderNeedsTheTrustInIt(t *testing.T) {
	const member = "1000000000000003"
	w := sharing(trustDoc(`{`+anyECSOf+`{"StringLike":{"sts:ServiceOwnerRDPath":["rd-abc/r-def/fd-ghi*","rd-abc/r-def/fd-ghi/fd-x*"]}}}`), with(member))
	w.Directory.V.Members[member] = fleet.See("rd-abc/r-def/fd-ghi")
	p := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	expect(t, ruled(t, w, p, policy.RuleShareTrust), fleet.Passes, "")
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Passes, "")
}

// The remedy for an open statement fits its principals.
func TestTheAdviceOnAnOpenStatementFitsItsPrincipals(t *testing.T) {
	for principal, key := range map[string]bool{
		`{"Service":"*@ecs.aliyuncs.com"}`: true,
		`{"Service":"*"}`:                  true,
		`{"RAM":"*"}`:                      false,
		`{"RAM":"acs:ram::*:root"}`:        false,
		`{"Federated":"*"}`:                false,
		`{"Service":"*@fc.aliyuncs.com"}`:  false,
	} {
		w := sharing(trustDoc(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal + `}`))
		v := ruled(t, w, approving(), policy.RuleOpenTrust)
		if v.Severity != fleet.Critical || strings.Contains(v.Remedy, "sts:ServiceOwnerRDId") != key || strings.Contains(v.Remedy, "writes no trust policy") != key {
			t.Errorf("%s: %s: %s", principal, v.Severity, v.Remedy)
		}
	}
}

// A sharee whom an open statement lets in can use what is shared, and one that stands under a
// condition perhaps.
func TestAShareeWhomAnotherStatementLetsInIsNotSaidToBeKeptOut(t *testing.T) {
	for statement, word := range map[string]string{
		`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"}}`:                                                                             "by a statement that trusts every account",
		`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000002@ecs.aliyuncs.com"},"Condition":{"StringEquals":{"acs:SourceAccount":["1","2"]}}}`: "for certain",
		`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ecs.aliyuncs.com"}}`:                                                                               "who cannot use what is shared",
	} {
		v := ruled(t, sharing(trustDoc(statement), with(string(sharee))), approving(), policy.RuleShareTrust)
		if v.Outcome != fleet.Violation || !strings.Contains(v.Reason, word) || strings.Contains(v.Reason, "cannot use") != (word == "who cannot use what is shared") {
			t.Errorf("%s: %s", statement, v.Reason)
		}
	}
}

func TestAnUnapprovedShareeWhoseIdentitiesAreLetInIsNotSaidToBeKeptOut(t *testing.T) {
	w := sharing(trustDoc(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"acs:ram::1000000000000009:root"}}`), with(string(stranger)))
	v := ruled(t, w, approving(), policy.RuleShareeApproved)
	expect(t, v, fleet.Violation, "trusts account "+string(stranger))
	if strings.Contains(v.Reason, "not opened") {
		t.Error(v.Reason)
	}
}

// The advice on a role that is not ours is about what is not needed of it, and no more.
func TestTheAdviceOnAForeignRoleIsAboutWhatIsNotNeeded(t *testing.T) {
	for name, x := range map[string]struct {
		role       fleet.Fact[fleet.Role]
		trust, key bool
	}{
		"trust": {trusting(accounts(sharee, stranger), resOne), true, false},
		"keys":  {trusting(accounts(sharee), resOne, resTwo), false, true},
		"both":  {trusting(accounts(sharee, stranger), resOne, resTwo), true, true},
	} {
		w := sharing(x.role, with(string(sharee)))
		w.Sides[0].Tags = fleet.See(map[string]string{})
		v := ruled(t, w, approving(), policy.RuleTakeBack)
		if strings.Contains(v.Remedy, "UpdateRole") != x.trust || strings.Contains(v.Remedy, resTwo) != x.key || strings.Contains(v.Remedy, "fleetwarden-share-snapshot-") != x.key {
			t.Errorf("%s: %s", name, v.Remedy)
		}
	}
}
