package rampolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/rampolicy"
)

func TestEverythingAllOfRAMAndAllOfKMSAreOverBroad(t *testing.T) {
	tests := []struct {
		name       string
		statements []string
		want       []string
	}{
		{"the administrator, by content", []string{allowAll}, []string{"policy 1, Statement[0]: allows *:* on every resource"}},
		{"everything, written out", []string{`{"Effect":"Allow","Action":"*:*","Resource":"acs:*:*:*:*"}`}, []string{"policy 1, Statement[0]: allows *:* on every resource"}},
		{"all of RAM", []string{`{"Effect":"Allow","Action":["ecs:*","RAM:*"],"Resource":"acs:ram::*:*"}`}, []string{"policy 1, Statement[0]: allows ram:* on every resource"}},
		{"all of KMS in the own account", []string{`{"Effect":"Allow","Action":"kms:*","Resource":"acs:kms:*:1000000000000001:*"}`}, []string{"policy 1, Statement[0]: allows kms:* on every resource"}},
		{"both by a pattern", []string{`{"Effect":"Allow","Action":"?m*:*","Resource":"*"},{"Effect":"Allow","Action":"?a*:*","Resource":"*"}`}, []string{"policy 1, Statement[0]: allows kms:* on every resource", "policy 1, Statement[1]: allows ram:* on every resource"}},
		{"a pattern for one", []string{`{"Effect":"Allow","Action":"k*:?*","Resource":"*"}`}, []string{"policy 1, Statement[0]: allows kms:* on every resource"}},
		{"all but RAM", []string{`{"Effect":"Allow","NotAction":"ram:*","Resource":"*"}`}, []string{"policy 1, Statement[0]: allows *:* on every resource"}},
		{"all but one bucket", []string{`{"Effect":"Allow","Action":"*","NotResource":"acs:oss:*:*:b"}`}, []string{"policy 1, Statement[0]: allows *:* on every resource"}},
		{"all but everything", []string{`{"Effect":"Allow","NotAction":"*","Resource":"*"}`}, nil},
		{"denied as a whole", []string{allowAll, denyAll}, nil},
		{"KMS denied as a whole", []string{`{"Effect":"Allow","Action":["kms:*","ram:*"],"Resource":"*"}`, `{"Effect":"Deny","Action":"kms:*","Resource":"*"}`}, []string{"policy 1, Statement[0]: allows ram:* on every resource"}},
		{"denied under a condition", []string{allowAll, maybeDeny}, []string{"policy 1, Statement[0]: allows *:* on every resource"}},
		{"denied in one region", []string{`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, `{"Effect":"Deny","Action":"kms:*","Resource":"acs:kms:cn-hangzhou:*:*"}`}, []string{"policy 1, Statement[0]: allows kms:* on every resource"}},
		{"allowed under a condition", []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"true"}}}`}, []string{"policy 1, Statement[0]: allows *:* on every resource, depending on Bool acs:MFAPresent"}},
		{"allowed with an unknown element", []string{`{"Sid":"x","Effect":"Allow","Action":"kms:*","Resource":"*"}`}, []string{"policy 1, Statement[0]: allows kms:* on every resource, depending on the element Sid"}},
		{"not read", []string{allowRun, ""}, []string{"policy 2 could not be read"}},
		{"the trusted system's full access", []string{`{"Effect":"Allow","Action":"yundun-systrust:*","Resource":"*"}`}, nil},
		{"all of ECS", []string{`{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`}, nil},
		{"reading RAM", []string{`{"Effect":"Allow","Action":["ram:Get*","ram:List*"],"Resource":"*"}`}, nil},
		{"one key", []string{`{"Effect":"Allow","Action":"kms:*","Resource":"acs:kms:cn-hangzhou:1000000000000001:key/k-1"}`}, nil},
		{"one region's keys", []string{`{"Effect":"Allow","Action":"kms:*","Resource":"acs:kms:cn-hangzhou:*:*"}`}, nil},
		{"a deny alone", []string{denyAll}, nil},
		{"nothing", nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, rampolicy.OverBroad(policies(t, test.statements...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
