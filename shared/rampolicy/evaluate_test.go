package rampolicy_test

import (
	"strings"
	"testing"

	"fleetwarden/shared/rampolicy"
)

const (
	allowAll  = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	denyAll   = `{"Effect":"Deny","Action":"*","Resource":"*"}`
	maybeDeny = `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"acs:CurrentTime":"2030-01-01T00:00:00Z"}}}`
	allowRun  = `{"Effect":"Allow","Action":"ecs:Run*","Resource":"acs:ecs:*:*:instance/*"}`
)

func TestADenyWinsAndTheDefaultIsDenied(t *testing.T) {
	const instance = "acs:ecs:cn-hangzhou:1000000000000001:instance/i-1"
	tests := []struct {
		name             string
		statements       []string
		action, resource string
		want             rampolicy.Answer
	}{
		{"no policy allows nothing", nil, "ecs:RunInstances", "*", rampolicy.Denied},
		{"everything is allowed", []string{allowAll}, "ecs:RunInstances", instance, rampolicy.Allowed},
		{"a deny in another policy wins", []string{allowAll, denyAll}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"a deny comes first or last", []string{denyAll, allowAll}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"a deny elsewhere does no harm", []string{allowAll, `{"Effect":"Deny","Action":"ram:*","Resource":"*"}`}, "ecs:RunInstances", instance, rampolicy.Allowed},
		{"a deny that may apply", []string{allowAll, maybeDeny}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"a deny that may apply to an action that is not allowed", []string{maybeDeny}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"a sure deny beside one that may apply", []string{maybeDeny, denyAll, allowAll}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"an unread policy may deny", []string{allowAll, ""}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"an unread policy may allow", []string{""}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"an unread policy cannot lift a deny", []string{"", denyAll}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"an action's case does not matter", []string{allowRun}, "ECS:runInstances", instance, rampolicy.Allowed},
		{"a resource's case does", []string{allowRun}, "ecs:RunInstances", strings.ToUpper(instance), rampolicy.Denied},
		{"the action does not match", []string{allowRun}, "ecs:StopInstances", instance, rampolicy.Denied},
		{"the resource does not match", []string{allowRun}, "ecs:RunInstances", "acs:ecs:cn-hangzhou:1:disk/d-1", rampolicy.Denied},
		{"whether some resources are what a service without them asks for is open", []string{allowRun}, "ecs:RunInstances", "*", rampolicy.Unsure},
		{"another service's resources are not", []string{`{"Effect":"Allow","Action":"*","Resource":"acs:oss:*"}`}, "ecs:RunInstances", "*", rampolicy.Denied},
		{"a deny of some takes from all", []string{allowAll, `{"Effect":"Deny","Action":"*","Resource":"acs:ecs:*:*:disk/*"}`}, "ecs:RunInstances", "*", rampolicy.Unsure},
		{"a deny of others takes nothing", []string{allowAll, `{"Effect":"Deny","Action":"*","Resource":"acs:oss:*"}`}, "ecs:RunInstances", "acs:ecs:*", rampolicy.Allowed},
		{"a question mark is one character", []string{`{"Effect":"Allow","Action":"ecs:Run?nstances","Resource":"?"}`}, "ecs:RunInstances", "é", rampolicy.Allowed},
		{"a question mark is not none", []string{`{"Effect":"Allow","Action":"ecs:RunInstances?","Resource":"*"}`}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"question marks do not split a character", []string{`{"Effect":"Allow","Action":"*","Resource":"*??bcc"}`}, "ecs:RunInstances", "中bcc", rampolicy.Denied},
		{"a question mark is not all", []string{`{"Effect":"Allow","Action":"*","Resource":"?"}`}, "ecs:RunInstances", "*", rampolicy.Denied},
		{"NotAction allows the others", []string{`{"Effect":"Allow","NotAction":["ram:*","kms:*"],"Resource":"*"}`}, "ecs:RunInstances", instance, rampolicy.Allowed},
		{"NotAction leaves out its own", []string{`{"Effect":"Allow","NotAction":["ram:*","kms:*"],"Resource":"*"}`}, "KMS:Decrypt", instance, rampolicy.Denied},
		{"a deny by NotAction spares its own", []string{allowAll, `{"Effect":"Deny","NotAction":"ecs:*","Resource":"*"}`}, "ecs:RunInstances", instance, rampolicy.Allowed},
		{"a deny by NotAction hits the others", []string{allowAll, `{"Effect":"Deny","NotAction":"ecs:*","Resource":"*"}`}, "ram:GetRole", instance, rampolicy.Denied},
		{"NotResource allows the others", []string{`{"Effect":"Allow","Action":"*","NotResource":"acs:oss:*"}`}, "ecs:RunInstances", instance, rampolicy.Allowed},
		{"NotResource leaves out its own", []string{`{"Effect":"Allow","Action":"*","NotResource":"acs:ecs:*"}`}, "ecs:RunInstances", instance, rampolicy.Denied},
		{"a deny by NotResource takes from all", []string{allowAll, `{"Effect":"Deny","Action":"*","NotResource":"acs:ecs:*"}`}, "ecs:RunInstances", "*", rampolicy.Unsure},
		{"a deny by NotResource spares its own", []string{allowAll, `{"Effect":"Deny","Action":"*","NotResource":"acs:ecs:*"}`}, "ecs:RunInstances", "acs:ecs:*:*:instance/*", rampolicy.Allowed},
		{"NotResource leaves out other services", []string{`{"Effect":"Allow","Action":"*","NotResource":"acs:oss:*"}`}, "ecs:RunInstances", "*", rampolicy.Allowed},
		{"NotResource leaves out some of this one", []string{`{"Effect":"Allow","Action":"*","NotResource":"acs:*:*:*:instance/*"}`}, "ecs:RunInstances", "*", rampolicy.Unsure},
		{"NotResource leaves out everything", []string{`{"Effect":"Allow","Action":"*","NotResource":"acs:*:*:*:*"}`}, "ecs:RunInstances", "*", rampolicy.Denied},
		{"an unknown element in an allow", []string{`{"Sid":"1","Effect":"Allow","Action":"*","Resource":"*"}`}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"an unknown element in a deny", []string{allowAll, `{"Sid":"1","Effect":"Deny","Action":"*","Resource":"*"}`}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"a variable", []string{`{"Effect":"Allow","Action":"*","Resource":["*","acs:oss:*:*:${acs:UserName}"]}`}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"a variable in other words", []string{`{"Effect":"Allow","Action":"*","Resource":["*","\u0024\u007bacs:UserName}"]}`}, "ecs:RunInstances", instance, rampolicy.Unsure},
		{"a Kelvin sign is no k", []string{`{"Effect":"Allow","Action":"\u212ams:*","Resource":"*"}`}, "kms:Decrypt", instance, rampolicy.Denied},
		{"no action", []string{allowAll}, "", instance, rampolicy.Unsure},
		{"no resource", []string{allowAll}, "ecs:RunInstances", "", rampolicy.Unsure},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := rampolicy.Evaluate(policies(t, test.statements...), rampolicy.Request{Action: test.action, Resource: test.resource})
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAConditionHoldsFailsOrIsUnknown(t *testing.T) {
	tests := []struct {
		name, condition string
		known           []string // of the key k
		want            rampolicy.Answer
	}{
		{"equal", `{"StringEquals":{"k":"a"}}`, []string{"a"}, rampolicy.Allowed},
		{"equal to one of several", `{"StringEquals":{"k":["b","a"]}}`, []string{"a"}, rampolicy.Allowed},
		{"not equal", `{"StringEquals":{"k":"a"}}`, []string{"A"}, rampolicy.Denied},
		{"equal but for case", `{"StringEqualsIgnoreCase":{"k":"a"}}`, []string{"A"}, rampolicy.Allowed},
		{"a star is a star", `{"StringEquals":{"k":"*"}}`, []string{"a"}, rampolicy.Denied},
		{"like", `{"StringLike":{"k":"a*c?"}}`, []string{"abbcd"}, rampolicy.Allowed},
		{"not like", `{"StringLike":{"k":"a*c?"}}`, []string{"abbc"}, rampolicy.Denied},
		{"differs as asked", `{"StringNotEquals":{"k":"a"}}`, []string{"b"}, rampolicy.Allowed},
		{"differs from one, equals the other", `{"StringNotEquals":{"k":["a","b"]}}`, []string{"b"}, rampolicy.Denied},
		{"differs but for case", `{"StringNotEqualsIgnoreCase":{"k":"a"}}`, []string{"A"}, rampolicy.Denied},
		{"unlike as asked", `{"StringNotLike":{"k":"a*"}}`, []string{"b"}, rampolicy.Allowed},
		{"like against the wish", `{"StringNotLike":{"k":"a*"}}`, []string{"ab"}, rampolicy.Denied},
		{"a boolean without quotes", `{"Bool":{"k":true}}`, []string{"true"}, rampolicy.Allowed},
		{"the other boolean", `{"Bool":{"k":"true"}}`, []string{"false"}, rampolicy.Denied},
		{"no known value", `{"StringEquals":{"k":"a"}}`, nil, rampolicy.Unsure},
		{"no known value, negated", `{"StringNotEquals":{"k":"a"}}`, nil, rampolicy.Unsure},
		{"values that agree", `{"StringLike":{"k":"a*"}}`, []string{"a", "ab"}, rampolicy.Allowed},
		{"values that disagree", `{"StringLike":{"k":"a*"}}`, []string{"a", "b"}, rampolicy.Unsure},
		{"a wildcard in the context", `{"StringNotLike":{"k":"?"}}`, []string{"*"}, rampolicy.Unsure},
		{"another key", `{"StringEquals":{"K":"a"}}`, []string{"a"}, rampolicy.Unsure},
		{"an operator for numbers", `{"NumericEquals":{"k":"1"}}`, []string{"1"}, rampolicy.Unsure},
		{"an operator for addresses", `{"IpAddress":{"k":"0.0.0.0/0"}}`, []string{"10.0.0.1"}, rampolicy.Unsure},
		{"an unknown operator", `{"ForAnyValue:StringEquals":{"k":"a"}}`, []string{"a"}, rampolicy.Unsure},
		{"no condition in it", `{}`, nil, rampolicy.Allowed},
		{"one holds, one does not", `{"StringEquals":{"k":"a"},"StringLike":{"k":"b*"}}`, []string{"a"}, rampolicy.Denied},
		{"one holds, one is open", `{"StringEquals":{"k":"a","l":"a"}}`, []string{"a"}, rampolicy.Unsure},
		{"one fails, one is open", `{"StringEquals":{"k":"b","l":"a"}}`, []string{"a"}, rampolicy.Denied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			docs := policies(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+test.condition+`}`)
			got := rampolicy.Evaluate(docs, rampolicy.Request{
				Action: "ecs:RunInstances", Resource: "*", Conditions: map[string][]string{"k": test.known},
			})
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestGrantsNeedsEveryAction(t *testing.T) {
	three := `{"Effect":"Allow","Action":["yundun-systrust:GenerateNonce","yundun-systrust:GenerateAikcert","yundun-systrust:RegisterMessage"],"Resource":"*"}`
	fourth := `{"Effect":"Allow","Action":"yundun-systrust:PutMessage","Resource":"*"}`
	tests := []struct {
		name       string
		statements []string
		want       rampolicy.Answer
	}{
		{"three of four", []string{three}, rampolicy.Denied},
		{"the fourth in another policy", []string{three, fourth}, rampolicy.Allowed},
		{"the fourth perhaps", []string{three, strings.Replace(fourth, `{`, `{"Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}},`, 1)}, rampolicy.Unsure},
		{"the service's full access", []string{`{"Effect":"Allow","Action":"yundun-systrust:*","Resource":"*"}`}, rampolicy.Allowed},
		{"an administrator", []string{allowAll}, rampolicy.Allowed},
		{"an administrator without the service", []string{allowAll, `{"Effect":"Deny","Action":"yundun-*","Resource":"*"}`}, rampolicy.Denied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := rampolicy.Grants(policies(t, test.statements...), rampolicy.SysTrustActions(), "*")
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	if got := rampolicy.Grants(policies(t, allowAll), nil, "*"); got != rampolicy.Unsure {
		t.Errorf("no action at all: got %v", got)
	}
}

func TestOurSysTrustPolicyGrantsItsActionsAndNoOther(t *testing.T) {
	docs := []*rampolicy.Document{policy(t, rampolicy.SysTrustPolicy())}
	if got := rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*"); got != rampolicy.Allowed {
		t.Errorf("got %v", got)
	}
	if got := rampolicy.Grants(docs, []string{"yundun-systrust:DeleteProgram"}, "*"); got != rampolicy.Denied {
		t.Errorf("another action: got %v", got)
	}
}

// Sixty stars against a text that fails at its end take 2^60 steps in a naive
// matcher: it would not end within any test's timeout.
func TestManyStarsDoNotBlowUp(t *testing.T) {
	pattern := strings.Repeat("a*", 60) + "b"
	docs := policies(t, allowAll, `{"Effect":"Deny","Action":"*","Resource":"`+pattern+`"}`)
	if got := rampolicy.Evaluate(docs, rampolicy.Request{Action: "a", Resource: strings.Repeat("a", 5000)}); got != rampolicy.Allowed {
		t.Errorf("got %v", got)
	}
	if got := rampolicy.Evaluate(docs, rampolicy.Request{Action: "a", Resource: strings.Repeat("*a", 2500) + "c"}); got != rampolicy.Allowed {
		t.Errorf("with wildcards: got %v", got)
	}
}
