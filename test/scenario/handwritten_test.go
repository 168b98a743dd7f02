package scenario_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"

	"github.com/google/go-cmp/cmp"
)

// handWritten are trust policies written by hand, in shapes that RAM takes.
var handWritten = map[string]string{
	"one service as text":   `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000003@ecs.aliyuncs.com"}}]}`,
	"several services":      `{"Statement":[{"Principal":{"Service":["1000000000000003@ecs.aliyuncs.com","ecs.aliyuncs.com"]},"Effect":"Allow","Action":["sts:AssumeRole"]}],"Version":"1"}`,
	"accounts and services": `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1000000000000003:root"],"Service":["1000000000000003@ecs.aliyuncs.com"]}}]}`,
	"a user under a condition": `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"acs:ram::1000000000000001:root"},"Condition":{"IpAddress":{"acs:SourceIp":["10.0.0.0/8"]}}},
	  {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000003@ecs.aliyuncs.com"}}]}`,
	"a directory under two conditions": `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["*@ecs.aliyuncs.com"]},
	  "Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-Other1"]},"StringLike":{"sts:ServiceOwnerRDPath":["rd-Other1/r-Other1/fd-Other1*"]}}}]}`,
	"another account denied": `{"Version":"1","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":["1000000000000003@ecs.aliyuncs.com"]}},
	  {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`,
}

// A statement written into a share role's trust policy by hand stays, whatever its shape: the
// sharee's statement is added behind it, once.
func TestAHandWrittenTrustPolicyKeepsItsStatements(t *testing.T) {
	t.Parallel()
	for shape, trust := range handWritten {
		t.Run(shape, func(t *testing.T) {
			s := newSharer(t, stage.Options{})
			id := s.shareUnder(trust)
			s.pass(70 * time.Minute)
			before, after := statements(t, trust), statements(t, s.trust())
			if len(after) != len(before)+1 {
				t.Errorf("%d statements became %d:\n%s", len(before), len(after), s.trust())
			}
			for _, want := range before {
				if !slices.ContainsFunc(after, func(got any) bool { return cmp.Equal(got, want) }) {
					t.Errorf("this statement is gone: %v", want)
				}
			}
			s.wantUsable(server.Sharee, id, true)
			s.wantRecord(1, map[string]string{"kind": "set-share-trust", "state": "done"})
		})
	}
}

// One that denies the sharee, or that stands against adding to it, is left byte for
// byte, and a finding says so.
func TestATrustPolicyThatStandsAgainstTheShareeIsLeftAlone(t *testing.T) {
	t.Parallel()
	for shape, trust := range map[string]string{
		"the sharee denied": `{"Version":"1","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":["1000000000000002@ecs.aliyuncs.com"]}},
		  {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`,
		"everybody allowed": `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["*@ecs.aliyuncs.com","ecs.aliyuncs.com"]}}]}`,
	} {
		t.Run(shape, func(t *testing.T) {
			s := newSharer(t, stage.Options{})
			s.shareUnder(trust)
			s.pass(70 * time.Minute)
			if got := s.trust(); got != trust {
				t.Errorf("the trust policy became %s", got)
			}
			s.wantRecord(0, map[string]string{"kind": "set-share-trust"})
			if n := count(s.Stage, "setup-share-role", "ram:UpdateRole", anyCode); n != 0 {
				t.Errorf("UpdateRole was called %d times", n)
			}
			if all := records(t, s.Stage); !strings.Contains(all, `rule="share-trust" outcome="violation"`) {
				t.Errorf("no finding:\n%s", all)
			}
		})
	}
}

// shareUnder shares an image while the image share role, which is not ours, has that trust.
func (s *sharer) shareUnder(trust string) string {
	s.t.Helper()
	if err := s.Server.RAM.AddRole(server.Sharer, fleet.ImageShareRole, trust, nil); err != nil {
		s.t.Fatal(err)
	}
	made, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "alias/shared", SharedWith: []string{server.Sharee}})
	if err != nil {
		s.t.Fatal(err)
	}
	return made[0].ID
}

// trust is the image share role's trust policy now.
func (s *sharer) trust() string {
	s.t.Helper()
	answer, err := s.Call(s.t.Context(), stage.Operator, "2015-05-01", "GetRole", map[string]string{"RoleName": fleet.ImageShareRole})
	if err != nil {
		s.t.Fatal(err)
	}
	role, _ := answer["Role"].(map[string]any)
	return fmt.Sprint(role["AssumeRolePolicyDocument"])
}

func statements(t *testing.T, trust string) []any {
	t.Helper()
	var doc struct{ Statement []any }
	if err := json.Unmarshal([]byte(trust), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Statement
}
