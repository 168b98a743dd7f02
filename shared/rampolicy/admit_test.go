package rampolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/rampolicy"
)

// These forms occur in the trust policies of public modules and reports.
func TestOthersNamesPartiesOfEveryOtherForm(t *testing.T) {
	const (
		assume  = `"Effect":"Allow","Action":"sts:AssumeRole",`
		ecsNine = `"Principal":{"Service":"1000000000000009@ecs.aliyuncs.com"}`
		anyECS  = `"Principal":{"Service":"*@ecs.aliyuncs.com"}`
		deny    = `,{"Effect":"Deny","Action":"sts:AssumeRole",`
	)
	for name, x := range map[string]struct {
		statements string
		want       []string // answer, openness and name
	}{
		"the three forms": {`{` + assume + ecsNine + `},{` + assume + anyECS + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}},
			{` + assume + anyECS + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1*"}}}`, nil},
		"a foreign account's RAM beside a service": {`{` + assume + `"Principal":{"RAM":["acs:ram::1000000000000009:root"],"Service":["ecs.aliyuncs.com"]}}`,
			[]string{"allowed RAM acs:ram::1000000000000009:root", "allowed Service ecs.aliyuncs.com"}},
		"a RAM user":                               {`{` + assume + `"Principal":{"RAM":"acs:ram::1000000000000009:user/x"}}`, []string{"allowed RAM acs:ram::1000000000000009:user/x"}},
		"every RAM identity":                       {`{` + assume + `"Principal":{"RAM":["*"]}}`, []string{"allowed open RAM *"}},
		"every account's root":                     {`{` + assume + `"Principal":{"RAM":"acs:ram::*:root"}}`, []string{"allowed open RAM acs:ram::*:root"}},
		"a federated identity":                     {`{` + assume + `"Principal":{"Federated":"acs:ram::1000000000000009:saml-provider/x"}}`, []string{"allowed Federated acs:ram::1000000000000009:saml-provider/x"}},
		"an account beside a service":              {`{` + assume + `"Principal":{"Service":["1000000000000009@ecs.aliyuncs.com","fc.aliyuncs.com"]}}`, []string{"allowed Service 1000000000000009@ecs.aliyuncs.com", "allowed Service fc.aliyuncs.com"}},
		"another service of theirs":                {`{` + assume + `"Principal":{"Service":"1000000000000009@fc.aliyuncs.com"}}`, []string{"allowed Service 1000000000000009@fc.aliyuncs.com"}},
		"another service of any account":           {`{` + assume + `"Principal":{"Service":"*@fc.aliyuncs.com"}}`, []string{"allowed open Service *@fc.aliyuncs.com"}},
		"actions in a list":                        {`{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"],` + ecsNine + `}`, []string{"allowed Service 1000000000000009@ecs.aliyuncs.com"}},
		"actions by a pattern":                     {`{"Effect":"Allow","Action":"STS:*",` + ecsNine + `}`, []string{"allowed Service 1000000000000009@ecs.aliyuncs.com"}},
		"any action":                               {`{"Effect":"Allow","Action":"*",` + ecsNine + `}`, []string{"allowed Service 1000000000000009@ecs.aliyuncs.com"}},
		"all but another action":                   {`{"Effect":"Allow","NotAction":"ecs:*",` + ecsNine + `}`, []string{"allowed Service 1000000000000009@ecs.aliyuncs.com"}},
		"all but the action":                       {`{"Effect":"Allow","NotAction":"sts:*",` + ecsNine + `}`, nil},
		"another action":                           {`{"Effect":"Allow","Action":"sts:SetSourceIdentity",` + ecsNine + `}`, nil},
		"by SAML alone":                            {`{"Effect":"Allow","Action":"sts:AssumeRoleWithSAML","Principal":{"Federated":"acs:ram::1000000000000009:saml-provider/x"}}`, []string{"unsure Federated acs:ram::1000000000000009:saml-provider/x: an action other than sts:AssumeRole"}},
		"several directories":                      {`{` + assume + anyECS + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-1","rd-2"]}}}`, []string{"allowed Service *@ecs.aliyuncs.com within rd-1, rd-2"}},
		"several folders":                          {`{` + assume + anyECS + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":["rd-1/r-1/fd-1*","rd-2/*"]}}}`, []string{"allowed Service *@ecs.aliyuncs.com within rd-2, rd-1/r-1/fd-1"}},
		"a directory and more":                     {`{` + assume + anyECS + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"},"Bool":{"acs:x":"true"}}}`, []string{"unsure Service *@ecs.aliyuncs.com within rd-1: Bool acs:x"}},
		"a directory whatever its case":            {`{` + assume + anyECS + `,"Condition":{"StringEqualsIgnoreCase":{"sts:ServiceOwnerRDId":"rd-1"}}}`, []string{"allowed Service *@ecs.aliyuncs.com within rd-1"}},
		"half a directory":                         {`{` + assume + anyECS + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1*"}}}`, []string{"unsure open Service *@ecs.aliyuncs.com: StringLike sts:ServiceOwnerRDPath"}},
		"all but a directory":                      {`{` + assume + anyECS + `,"Condition":{"StringNotEquals":{"sts:ServiceOwnerRDId":"rd-1"}}}`, []string{"unsure open Service *@ecs.aliyuncs.com: StringNotEquals sts:ServiceOwnerRDId"}},
		"an operator that is unknown":              {`{` + assume + ecsNine + `,"Condition":{"ForAnyValue:StringLike":{"acs:x":"y"}}}`, []string{"unsure Service 1000000000000009@ecs.aliyuncs.com: ForAnyValue:StringLike acs:x"}},
		"without a kind":                           {`{` + assume + `"Principal":"*"}`, []string{"unsure open *: a Principal without a kind"}},
		"a kind that is unknown":                   {`{` + assume + `"Principal":{"service":"1000000000000009@ecs.aliyuncs.com"}}`, []string{"unsure service 1000000000000009@ecs.aliyuncs.com: a principal of a kind that is not known"}},
		"all but some":                             {`{` + assume + `"NotPrincipal":{"RAM":"acs:ram::1000000000000001:root"}}`, []string{"unsure open the principals of a statement without a Principal: the element NotPrincipal"}},
		"services of the own account by a pattern": {`{` + assume + `"Principal":{"Service":"ecs*.aliyuncs.com"}}`, []string{"allowed Service ecs*.aliyuncs.com"}},
		"services of many accounts by a pattern":   {`{` + assume + `"Principal":{"Service":"1*.aliyuncs.com"}}`, []string{"allowed open Service 1*.aliyuncs.com"}},
		"the element in small letters":             {`{` + assume + `"principal":{"Service":"1000000000000009@ecs.aliyuncs.com"}}`, []string{"unsure open the principals of a statement without a Principal: the element principal"}},
		"denied":                                   {`{` + assume + `"Principal":{"RAM":"*"}}` + deny + `"Principal":{"RAM":"*"}}`, nil},
		"denied to some":                           {`{` + assume + `"Principal":{"RAM":"*"}}` + deny + `"Principal":{"RAM":"acs:ram::1000000000000009:root"}}`, []string{"allowed open RAM *"}},
		"denied to another kind":                   {`{` + assume + `"Principal":{"RAM":"*"}}` + deny + `"Principal":{"Service":"*"}}`, []string{"allowed open RAM *"}},
		"denied at times":                          {`{` + assume + `"Principal":{"RAM":"acs:ram::1000000000000009:root"}}` + deny + `"Principal":{"RAM":"*"},"Condition":{"Bool":{"acs:x":"true"}}}`, []string{"unsure RAM acs:ram::1000000000000009:root: a Deny"}},
		"denied another action":                    {`{` + assume + `"Principal":{"RAM":"*"}},{"Effect":"Deny","Action":"sts:AssumeRoleWithSAML","Principal":{"RAM":"*"}}`, []string{"allowed open RAM *"}},
		"denied one action of several": {`{"Effect":"Allow","Action":"sts:*","Principal":{"Federated":"acs:ram::1000000000000009:saml-provider/x"}}` + deny + `"Principal":{"Federated":"*"}}`,
			[]string{"unsure Federated acs:ram::1000000000000009:saml-provider/x: a Deny"}},
		"denied all actions of several": {`{"Effect":"Allow","Action":"*","Principal":{"Federated":"*"}},{"Effect":"Deny","Action":"sts:*","Principal":{"Federated":"*"}}`, nil},
		"what is below a folder":        {`{` + assume + anyECS + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1/*"}}}`, []string{"allowed Service *@ecs.aliyuncs.com within rd-1/r-1/fd-1"}},
		"denied but for some":           {`{` + assume + `"Principal":{"RAM":"acs:ram::1000000000000009:root"}}` + deny + `"NotPrincipal":{"RAM":"acs:ram::1000000000000001:root"}}`, []string{"unsure RAM acs:ram::1000000000000009:root: a Deny"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range trust(t, `{"Version":"1","Statement":[`+x.statements+`]}`).Others() {
				text := p.Answer.String()
				if p.Open {
					text += " open"
				}
				text += " " + p.String()
				if p.Depends != "" {
					text += ": " + p.Depends
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAStatementThatIsNoListIsEvaluatedAsOne(t *testing.T) {
	one := trust(t, `{"Version":"1","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"acs:ram::1000000000000009:root"}}}`)
	if got := one.Others(); len(got) != 1 || got[0].Account != "1000000000000009" {
		t.Errorf("got %+v", got)
	}
}

// A document that grants the four actions in any form must not be reported to lack them.
func TestARoleThatGrantsTheTrustedSystemInAnyFormPasses(t *testing.T) {
	actions := `"yundun-systrust:GenerateNonce","yundun-systrust:GenerateAikcert","yundun-systrust:RegisterMessage","yundun-systrust:PutMessage"`
	four := map[string]string{
		"listed": `"Action":[` + actions + `]`, "in capitals": `"Action":[` + strings.ToUpper(actions) + `]`, "by a pattern": `"Action":"yundun-systrust:*"`,
		"by a narrow pattern": `"Action":["yundun-systrust:G*","YUNDUN-SYSTRUST:?egisterMessage","yundun-*:PutM*"]`, "everything": `"Action":"*"`,
		"all of all": `"Action":"*:*"`, "all but others": `"NotAction":["ram:*","kms:*"]`,
	}
	onAll := map[string]rampolicy.Answer{
		`"Resource":"*"`: rampolicy.Allowed, `"Resource":["*"]`: rampolicy.Allowed, `"Resource":"acs:*:*:*:*"`: rampolicy.Allowed, `"Resource":"acs:*"`: rampolicy.Allowed,
		`"NotResource":"acs:oss:*:*:secret"`: rampolicy.Allowed, `"NotResource":["acs:kms:*:*:*","acs:ram::*:*"]`: rampolicy.Allowed,
		`"Resource":"acs:yundun-systrust:*:*:*"`: rampolicy.Unsure, `"Resource":"acs:yundun-systrust:cn-hangzhou:1000000000000001:*"`: rampolicy.Unsure,
		`"Resource":"acs:Yundun-Systrust:*:*:*"`: rampolicy.Unsure, `"Resource":"acs:yundun-*:*:*:*"`: rampolicy.Unsure,
		`"NotResource":"acs:*:*:*:instance/*"`: rampolicy.Unsure,
	}
	for how, action := range four {
		for resource, want := range onAll {
			statement := `{"Effect":"Allow",` + action + `,` + resource + `}`
			for form, doc := range map[string]string{"a list": `[` + statement + `]`, "an object": statement, "beside others": `[{"Effect":"Allow","Action":"oss:Get*","Resource":"*"},` + statement + `]`} {
				docs := []*rampolicy.Document{policy(t, `{"Version":"1","Statement":`+doc+`}`)}
				if got := rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*"); got != want {
					t.Errorf("%s, %s, %s: %v, want %v", how, resource, form, got, want)
				}
			}
		}
	}
}

// The code that the service has in resource names is not published, so a statement on its
// actions may cover resources of any code.
func TestAServicesActionsOnAllOfAnotherCodeAreUnsure(t *testing.T) {
	for statement, want := range map[string]rampolicy.Answer{
		`{"Effect":"Allow","Action":"yundun-systrust:*","Resource":"acs:systrust:*:*:*"}`:                                        rampolicy.Unsure,
		`{"Effect":"Allow","Action":["Yundun-Systrust:*"],"Resource":["acs:oss:*:*:b","acs:yundun-sas:cn-hangzhou:*:*"]}`:        rampolicy.Unsure,
		`{"Effect":"Allow","Action":"*","Resource":"acs:yundun-sas:*:*:*"}`:                                                      rampolicy.Denied,
		`{"Effect":"Allow","Action":"yundun-*:*","Resource":"acs:yundun-sas:*:*:*"}`:                                             rampolicy.Denied,
		`{"Effect":"Allow","Action":"yundun-systrust:*","Resource":"acs:oss:*:*:bucket"}`:                                        rampolicy.Denied,
		`{"Effect":"Allow","NotAction":"yundun-systrust:Get*","Resource":"acs:oss:*:*:*"}`:                                       rampolicy.Denied,
		`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"yundun-systrust:*","Resource":"acs:sas:*"}]`: rampolicy.Unsure,
	} {
		docs := []*rampolicy.Document{policy(t, `{"Version":"1","Statement":`+statement+`}`)}
		if got := rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*"); got != want {
			t.Errorf("%v, want %v: %s", got, want, statement)
		}
	}
}

func TestActionsSpreadOverStatementsAndPoliciesAreGrantedTogether(t *testing.T) {
	var docs []*rampolicy.Document
	for _, action := range rampolicy.SysTrustActions() {
		docs = append(docs, policy(t, fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":"Allow","Action":%q,"Resource":"acs:*:*:*:*"}]}`, action)))
	}
	if got := rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*"); got != rampolicy.Allowed {
		t.Errorf("got %v", got)
	}
	if got := rampolicy.Grants(docs[1:], rampolicy.SysTrustActions(), "*"); got != rampolicy.Denied {
		t.Errorf("without one: %v", got)
	}
}
