package ram_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/fleet"
)

const (
	trust    = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["ecs.aliyuncs.com"]}}],"Version":"1"}`
	document = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"yundun-systrust:PutMessage","Resource":"*"}]}`
)

type bench struct {
	*server.Server
	*ram.Client
	session *aliyun.Session
}

func newBench(t *testing.T, faults ...simcloud.Fault) *bench {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	session := newSession(t, srv.URL(), aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"})
	return &bench{srv, ram.New(session), session}
}

func newSession(t *testing.T, url string, k aliyun.Keys) *aliyun.Session {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, k)
	return cloud.NewSession(0)
}

// build makes a role with one policy, as the product does.
func (b *bench) build(t *testing.T, role, policy string) {
	t.Helper()
	for _, err := range []error{
		b.CreateRole(t.Context(), role, trust, "a role"),
		b.CreatePolicy(t.Context(), policy, document, "a policy"),
		b.AttachPolicy(t.Context(), role, fleet.Policy{Name: policy, Type: fleet.CustomPolicy}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRoleIsReadWithTheDocumentsOfItsPolicies(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	if err := b.AttachPolicy(t.Context(), "role", fleet.Policy{Name: "AliyunSysTrustFullAccess", Type: fleet.SystemPolicy}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Role(t.Context(), "role")
	if err != nil {
		t.Fatal(err)
	}
	if got.Missing || got.Updated == "" || got.ARN != "acs:ram::1000000000000001:role/role" || !strings.Contains(got.Trust, "ecs.aliyuncs.com") {
		t.Errorf("got %+v", got)
	}
	documents := map[string]string{}
	for _, p := range got.Policies {
		documents[string(p.Type)+"/"+p.Name] = p.Document
	}
	if len(documents) != 2 || documents["Custom/policy"] != document || !strings.Contains(documents["System/AliyunSysTrustFullAccess"], "yundun-systrust") {
		t.Errorf("got documents %v", documents)
	}
}

func TestRoleThatDoesNotExistIsMissing(t *testing.T) {
	b := newBench(t)
	got, err := b.Role(t.Context(), "no-such-role")
	if diff := cmp.Diff(fleet.Role{Name: "no-such-role", Missing: true}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestRoleThatCannotBeReadIsNotMissing(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Throttle: fleet.Throttled, simcloud.Empty: fleet.Unavailable} {
		for _, action := range []string{"GetRole", "ListPoliciesForRole", "GetPolicy"} {
			b := newBench(t)
			b.build(t, "role", "policy")
			if err := b.Faults.Set(1, []simcloud.Fault{{Action: action, Kind: kind}}, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			got, err := b.Role(t.Context(), "role")
			if got.Missing || fleet.ClassOf(err) != class {
				t.Errorf("%s %s: got %+v, %v", kind, action, got, err)
			}
		}
	}
}

func TestRoleThatMayNotBeReadIsDeniedAndNotMissing(t *testing.T) {
	b := newBench(t)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	weak := ram.New(newSession(t, b.URL(), aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"}))
	got, err := weak.Role(t.Context(), "no-such-role")
	if got.Missing || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestPolicySharedByRolesIsReadOnceAPass(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	if err := b.CreateRole(t.Context(), "second", trust, ""); err != nil {
		t.Fatal(err)
	}
	if err := b.AttachPolicy(t.Context(), "second", fleet.Policy{Name: "policy", Type: fleet.CustomPolicy}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, role := range []string{"role", "second"} {
			got, err := b.Role(t.Context(), role)
			if err != nil || len(got.Policies) != 1 || got.Policies[0].Document != document {
				t.Fatalf("%s: got %+v, %v", role, got, err)
			}
		}
	}
	if n := b.session.Calls()["ram:GetPolicy"]["ok"]; n != 1 {
		t.Errorf("GetPolicy was called %d times", n)
	}
	another := b.session.Cloud().NewSession(0)
	if _, err := ram.New(another).Role(t.Context(), "role"); err != nil || another.Calls()["ram:GetPolicy"]["ok"] != 1 {
		t.Errorf("another pass must read it again: %v, %v", err, another.Calls())
	}
}

func TestPolicyIsReadInItsDefaultVersion(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	newer := strings.Replace(document, "PutMessage", "GenerateNonce", 1)
	type request struct {
		PolicyName     *string `json:"PolicyName"`
		PolicyDocument *string `json:"PolicyDocument"`
		SetAsDefault   *bool   `json:"SetAsDefault"`
	}
	api := aliyun.API{Product: aliyun.RAM, Action: "CreatePolicyVersion", Write: true}
	for _, r := range []request{
		{new("policy"), &newer, new(true)},
		{new("policy"), new(document), new(false)},
	} {
		if _, err := aliyun.Do[request, struct{}](t.Context(), b.session, api, &r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.Role(t.Context(), "role")
	if err != nil || got.Policies[0].Document != newer {
		t.Errorf("got %+v, %v, want %s", got.Policies, err, newer)
	}
}

func TestWhatWeMakeCarriesOurTag(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	type request struct {
		ResourceType *string   `json:"ResourceType"`
		Names        []*string `json:"ResourceNames"`
	}
	type tags struct {
		TagResources []struct{ ResourceName, TagKey, TagValue string }
	}
	for kind, name := range map[string]string{"role": "role", "policy": "policy"} {
		got, err := aliyun.Do[request, tags](t.Context(), b.session, aliyun.API{Product: aliyun.RAM, Action: "ListTagResources"},
			&request{&kind, []*string{&name}})
		if err != nil {
			t.Fatal(err)
		}
		found := got.TagResources
		if len(found) != 1 || found[0].TagKey != "fleetwarden" || found[0].TagValue != "managed" {
			t.Errorf("%s: got %v", kind, found)
		}
	}
}

func TestMakingWhatExistsSaysSo(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	for name, err := range map[string]error{
		"role":   b.CreateRole(t.Context(), "role", trust, ""),
		"policy": b.CreatePolicy(t.Context(), "policy", document, ""),
		"attachment": b.AttachPolicy(t.Context(), "role",
			fleet.Policy{Name: "policy", Type: fleet.CustomPolicy}),
	} {
		if fleet.ClassOf(err) != fleet.Exists {
			t.Errorf("%s: got %v, want exists", name, err)
		}
	}
}

func TestWrongWritesAreRefused(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	for name, x := range map[string]struct {
		err  error
		want fleet.Class
	}{
		"trust that is no document": {b.CreateRole(t.Context(), "other", "{", ""), fleet.Invalid},
		"policy that is none":       {b.CreatePolicy(t.Context(), "other", "{", ""), fleet.Invalid},
		"no such policy":            {b.AttachPolicy(t.Context(), "role", fleet.Policy{Name: "no-such-role", Type: fleet.CustomPolicy}), fleet.NotFound},
		"no such role":              {b.AttachPolicy(t.Context(), "no-such-role", fleet.Policy{Name: "policy", Type: fleet.CustomPolicy}), fleet.NotFound},
	} {
		if fleet.ClassOf(x.err) != x.want {
			t.Errorf("%s: got %v, want %v", name, x.err, x.want)
		}
	}
}

func TestWriteWhoseAnswerWasLostIsSentOnce(t *testing.T) {
	b := newBench(t)
	b.build(t, "role", "policy")
	if err := b.Faults.Set(1, []simcloud.Fault{{Kind: simcloud.TimeoutAfter}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"CreateRole":         b.CreateRole(t.Context(), "other", trust, ""),
		"CreatePolicy":       b.CreatePolicy(t.Context(), "other", document, ""),
		"AttachPolicyToRole": b.AttachPolicy(t.Context(), "role", fleet.Policy{Name: "AliyunSysTrustFullAccess", Type: fleet.SystemPolicy}),
	} {
		if n := b.session.Calls()["ram:"+name]["lost answer"]; fleet.ClassOf(err) != fleet.Lost || n != 1 {
			t.Errorf("%s: got %v, lost %d times, want once", name, err, n)
		}
	}
}
