package invocation_test

import (
	"testing"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

// The role of a member serves all functions: here it may do everything.
func TestASessionIsLimitedToItsFunctionsActions(t *testing.T) {
	a := newAbroad(t)
	all := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	if err := a.cloud.RAM.AddRole(server.Member, "Everything", trustIn(server.Sharer), map[string]string{"all": all}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		function     string
		lists, makes bool // may list instances, may make a role
	}{
		{"attach-role", true, true}, {"setup-share-role", false, true},
		{"push-agent", true, false}, {"validate-instance", true, false}, {"sweep", true, false}, {"backfill", true, false},
		{"watch-shares", false, false},
	} {
		call := a.call()
		call.Options.Stamp.Function, call.Options.Policy.Accounts[2].Role = c.function, "Everything"
		s, err := call.In(t.Context(), server.Member)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ecs.New(s).Listings(t.Context(), server.Home, []string{"i-1"}); c.lists != (err == nil) || !c.lists && fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("%s lists instances: %v", c.function, err)
		}
		if err := makeRole(t, s, "made-by-"+c.function); c.makes != (err == nil) || !c.makes && fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("%s makes a role: %v", c.function, err)
		}
	}
}

func makeRole(t *testing.T, s *aliyun.Session, name string) error {
	t.Helper()
	_, err := aliyun.Do[ramsdk.CreateRoleRequest, ramsdk.CreateRoleResponseBody](t.Context(), s,
		aliyun.API{Product: aliyun.RAM, Action: "CreateRole", Write: true},
		&ramsdk.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: new(trustIn(server.Member))})
	return err
}

func trustIn(account string) string {
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + account + `:root"]}}]}`
}

// Without a part of its own a session would have the rights of all.
func TestAFunctionWithoutWorkInOtherAccountsReachesNone(t *testing.T) {
	a := newAbroad(t)
	call := a.call()
	call.Options.Stamp.Function = "another"
	if s, err := call.In(t.Context(), server.Member); s != nil || fleet.ClassOf(err) != fleet.Denied || a.assumed() != 0 {
		t.Errorf("%v, %v, asked for keys %d times", s, err, a.assumed())
	}
	if _, err := call.In(t.Context(), server.Sharer); err != nil {
		t.Errorf("at home: %v", err)
	}
}

func TestASessionsPolicyStaysWithinItsMaximum(t *testing.T) {
	for _, f := range fleet.Functions() {
		if n := len(invocation.SessionPolicy(f.Name)); (n == 0) != f.Alone || n > 2048 {
			t.Errorf("%s: %d characters", f.Name, n)
		}
	}
}
