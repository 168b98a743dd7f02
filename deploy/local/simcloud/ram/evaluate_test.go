package ram_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/wire"
)

const account = "1000000000000001"

func newRAM(t testing.TB) *ram.RAM {
	t.Helper()
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	r, err := ram.New(ram.Options{World: simcloud.NewWorld(clock, []string{account}, []string{"cn-hangzhou"})})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.AddUser(account, "admin", "ak", "sk", "AdministratorAccess"); err != nil {
		t.Fatal(err)
	}
	if err := r.AddUser(account, "norights", "ak2", "sk2"); err != nil {
		t.Fatal(err)
	}
	return r
}

// session is the administrator, narrowed by a policy: what it may do is what
// the policy says.
func session(policy string) wire.Identity {
	return wire.Identity{Account: account, Type: "RAMUser", Name: "admin", SessionPolicy: policy}
}

func statements(s ...string) string {
	return `{"Version":"1","Statement":[` + strings.Join(s, ",") + `]}`
}

func TestPolicyDecides(t *testing.T) {
	const (
		instance = "acs:ecs:cn-hangzhou:1000000000000001:instance/i-1"
		role     = "acs:ram:*:1000000000000001:role/fleetwarden-a"
	)
	allow := func(action, resource string) string {
		return `{"Effect":"Allow","Action":` + action + `,"Resource":` + resource + `}`
	}
	with := func(condition string) string {
		return `{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}`
	}
	keys := map[string]string{"acs:SourceIp": "10.1.2.3", "ecs:SecurityEnhancementStrategy": "Active", "x:n": "5", "acs:SecureTransport": "false"}
	for _, x := range []struct {
		name, policy, action, resource string
		want                           bool
	}{
		{"exact", statements(allow(`"ecs:RunInstances"`, `"*"`)), "ecs:RunInstances", instance, true},
		{"another action", statements(allow(`"ecs:RunInstances"`, `"*"`)), "ecs:StopInstance", instance, false},
		{"action's case", statements(allow(`"ECS:runinstances"`, `"*"`)), "ecs:RunInstances", instance, true},
		{"wildcard in action", statements(allow(`["ram:Get*","ecs:Describe*"]`, `"*"`)), "ecs:DescribeDisks", instance, true},
		{"question mark", statements(allow(`"ecs:Stop?nstance"`, `"*"`)), "ecs:StopInstance", instance, true},
		{"question mark is one", statements(allow(`"ecs:StopInstanc?e"`, `"*"`)), "ecs:StopInstance", instance, false},
		{"instance wildcard", statements(allow(`"ecs:*"`, `"acs:ecs:*:*:instance/*"`)), "ecs:StopInstance", instance, true},
		{"another account", statements(allow(`"ecs:*"`, `"acs:ecs:*:1000000000000002:instance/*"`)), "ecs:StopInstance", instance, false},
		{"role by ARN without region", statements(allow(`"ram:*"`, `"acs:ram::1000000000000001:role/fleetwarden-*"`)), "ram:PassRole", role, true},
		{"resource's case", statements(allow(`"ram:*"`, `"acs:ram:*:*:role/FW-*"`)), "ram:PassRole", role, false},
		{"deny wins", statements(allow(`"*"`, `"*"`), `{"Effect":"Deny","Action":"ecs:Stop*","Resource":"*"}`), "ecs:StopInstance", instance, false},
		{"deny wins first", statements(`{"Effect":"Deny","Action":"ecs:Stop*","Resource":"*"}`, allow(`"*"`, `"*"`)), "ecs:StopInstance", instance, false},
		{"deny elsewhere", statements(allow(`"*"`, `"*"`), `{"Effect":"Deny","Action":"ecs:Stop*","Resource":"*"}`), "ecs:StartInstance", instance, true},
		{"NotAction leaves out", statements(`{"Effect":"Allow","NotAction":"ram:*","Resource":"*"}`), "ram:PassRole", role, false},
		{"NotAction lets others", statements(`{"Effect":"Allow","NotAction":"ram:*","Resource":"*"}`), "ecs:StopInstance", instance, true},
		{"NotResource leaves out", statements(`{"Effect":"Allow","Action":"*","NotResource":"acs:ecs:*"}`), "ecs:StopInstance", instance, false},
		{"NotResource lets others", statements(`{"Effect":"Allow","Action":"*","NotResource":"acs:ecs:*"}`), "ram:PassRole", role, true},
		{"StringEquals", statements(with(`{"StringEquals":{"ecs:SecurityEnhancementStrategy":["Deactive","Active"]}}`)), "ecs:RunInstances", instance, true},
		{"StringEquals of another", statements(with(`{"StringEquals":{"ecs:SecurityEnhancementStrategy":"Deactive"}}`)), "ecs:RunInstances", instance, false},
		{"StringEquals of an absent key", statements(with(`{"StringEquals":{"ecs:None":""}}`)), "ecs:RunInstances", instance, false},
		{"StringNotEquals of an absent key", statements(with(`{"StringNotEquals":{"ecs:None":"a"}}`)), "ecs:RunInstances", instance, true},
		{"StringNotEquals of one of two", statements(with(`{"StringNotEquals":{"ecs:SecurityEnhancementStrategy":["Active","x"]}}`)), "ecs:RunInstances", instance, false},
		{"StringLike", statements(with(`{"StringLike":{"ecs:SecurityEnhancementStrategy":"Act*"}}`)), "ecs:RunInstances", instance, true},
		{"Bool as a boolean", statements(with(`{"Bool":{"acs:SecureTransport":false}}`)), "ecs:RunInstances", instance, true},
		{"Bool as text", statements(with(`{"Bool":{"acs:SecureTransport":"true"}}`)), "ecs:RunInstances", instance, false},
		{"IpAddress", statements(with(`{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}`)), "ecs:RunInstances", instance, true},
		{"NotIpAddress", statements(with(`{"NotIpAddress":{"acs:SourceIp":["10.1.2.3"]}}`)), "ecs:RunInstances", instance, false},
		{"NumericLessThan", statements(with(`{"NumericLessThan":{"x:n":10}}`)), "ecs:RunInstances", instance, true},
		{"NumericGreaterThan", statements(with(`{"NumericGreaterThan":{"x:n":10}}`)), "ecs:RunInstances", instance, false},
		{"two operators, one fails", statements(with(`{"StringLike":{"ecs:SecurityEnhancementStrategy":"*"},"Bool":{"acs:SecureTransport":true}}`)), "ecs:RunInstances", instance, false},
		{"unknown operator", statements(with(`{"StringEqualsSometimes":{"a":"b"}}`)), "ecs:RunInstances", instance, false},
		{"unknown effect", statements(`{"Effect":"allow","Action":"*","Resource":"*"}`), "ecs:RunInstances", instance, false},
		{"no resource", statements(`{"Effect":"Allow","Action":"*"}`), "ecs:RunInstances", instance, false},
		{"both forms", statements(`{"Effect":"Allow","Action":"*","NotAction":"a","Resource":"*"}`), "ecs:RunInstances", instance, false},
		{"another version", `{"Version":"2","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, "ecs:RunInstances", instance, false},
		{"one bad statement spoils all", statements(allow(`"*"`, `"*"`), `{"Effect":"Maybe"}`), "ecs:RunInstances", instance, false},
		{"no JSON", `allow`, "ecs:RunInstances", instance, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := newRAM(t).Allowed(session(x.policy), x.action, x.resource, keys); got != x.want {
				t.Errorf("got %t, want %t", got, x.want)
			}
		})
	}
}

func TestWhoeverIsNotGrantedIsDenied(t *testing.T) {
	r := newRAM(t)
	who := func(kind, name string) wire.Identity {
		return wire.Identity{Account: account, Type: kind, Name: name}
	}
	for _, x := range []struct {
		who  wire.Identity
		want bool
	}{
		{who("RAMUser", "admin"), true}, {who("Account", "root"), true},
		{who("RAMUser", "norights"), false}, {who("RAMUser", "missing"), false}, {who("AssumedRoleUser", "admin"), false},
		{who("", "admin"), false}, {wire.Identity{Account: "2", Type: "RAMUser", Name: "admin"}, false},
	} {
		if got := r.Allowed(x.who, "ecs:RunInstances", "acs:ecs:cn-hangzhou:"+account+":instance/*", nil); got != x.want {
			t.Errorf("%+v: got %t, want %t", x.who, got, x.want)
		}
	}
	if r.Allowed(who("Account", "root"), "ecs:RunInstances", "acs:ecs:cn-hangzhou:2:instance/*", nil) {
		t.Error("an account may not touch another account's resources")
	}
}

// A policy that is no JSON object with an Allow in it never allows anything.
func FuzzPolicyDeniesByDefault(f *testing.F) {
	f.Add(statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`), "ecs:RunInstances", "acs:ecs:r:1:instance/i")
	f.Add(statements(`{"Effect":"Deny","NotAction":["a"],"NotResource":"b*?","Condition":{"IpAddress":{"k":["1.2.3.4/8"]}}}`), "", "")
	f.Add(`{"Version":"1","Statement":{}}`, "a", "****")
	r := newRAM(f)
	f.Fuzz(func(t *testing.T, policy, action, resource string) {
		// An empty session policy would be none: the blank keeps it one.
		got := r.Allowed(session(" "+policy), action, resource, map[string]string{"k": "1.2.3.4"})
		if got && (!json.Valid([]byte(policy)) || !strings.Contains(policy, "Allow") && !strings.Contains(policy, `\u`)) {
			t.Errorf("allowed by %q", policy)
		}
	})
}

func BenchmarkAllowed(b *testing.B) {
	r := newRAM(b)
	who := wire.Identity{Account: account, Type: "RAMUser", Name: "admin"}
	for b.Loop() {
		r.Allowed(who, "ecs:RunInstances", "acs:ecs:cn-hangzhou:1:instance/*", nil)
	}
}

// Trust policies as they are found: a statement without a list, lists of actions, all but
// some, several kinds of principals, several values, dates.
func TestATrustPolicyLetsInWhomItsStatementsNameInAnyForm(t *testing.T) {
	const nine = `"Principal":{"Service":["1000000000000009@ecs.aliyuncs.com","fc.aliyuncs.com"],"RAM":"acs:ram::1000000000000001:root"}`
	keys := map[string]string{"sts:ServiceOwnerRDId": "rd-2", "acs:CurrentTime": "2026-01-05T00:00:00Z"}
	for statement, want := range map[string]bool{
		`{"Effect":"Allow","Action":"sts:AssumeRole",` + nine + `}`:                             true,
		`[{"Effect":"Allow","Action":["sts:SetSourceIdentity","STS:assumerole"],` + nine + `}]`: true,
		`[{"Effect":"Allow","Action":"*",` + nine + `}]`:                                        true,
		`[{"Effect":"Allow","NotAction":"ecs:*",` + nine + `}]`:                                 true,
		`[{"Effect":"Allow","NotAction":"sts:*",` + nine + `}]`:                                 false,
		`[{"Effect":"Allow","Action":"sts:SetSourceIdentity",` + nine + `}]`:                    false,
		`[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"*"}}]`:                false,
		`[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-1","rd-2"]}}}]`: true,
		`[{"Effect":"Allow","Action":"sts:AssumeRole",` + nine + `,"Condition":{"DateLessThan":{"acs:CurrentTime":"2026-01-04T00:00:00Z"}}}]`:                               false,
		`[{"Effect":"Allow","Action":"sts:AssumeRole",` + nine + `,"Condition":{"DateGreaterThanEquals":{"acs:CurrentTime":"2026-01-05T00:00:00Z"}}}]`:                      true,
		`[{"Effect":"Allow","Action":"sts:AssumeRole",` + nine + `},{"Effect":"Deny","NotAction":"ecs:*","Principal":{"Service":"*"}}]`:                                     false,
	} {
		r := newRAM(t)
		if err := r.AddRole(account, "r", `{"Version":"1","Statement":`+statement+`}`, nil); err != nil {
			t.Fatal(err)
		}
		if got := r.Trusts(account, "r", "1000000000000009@ecs.aliyuncs.com", keys); got != want {
			t.Errorf("%t: %s", got, statement)
		}
	}
	if err := newRAM(t).AddRole(account, "r", statements(`{"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":{"RAM":"*"},`+nine+`}`), nil); err == nil {
		t.Error("NotPrincipal was ignored")
	}
}
