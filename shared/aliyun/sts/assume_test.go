package sts_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
)

// trust names who may assume a role.
func trust(principal string) string {
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["` + principal + `"]}}]}`
}

func startCloud(t *testing.T) *server.Server {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	for role, principal := range map[string]string{"Ours": "acs:ram::" + server.Sharer + ":root", "Theirs": "acs:ram::" + server.Sharee + ":root"} {
		if err := srv.RAM.AddRole(server.Member, role, trust(principal), nil); err != nil {
			t.Fatal(err)
		}
	}
	return srv
}

// session signs as the administrator of the home account, and does not wait.
func session(t *testing.T, url string) *aliyun.Session {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, aliyuntest.Admin())
	return cloud.NewSession(0)
}

func TestAssumedKeysAreThoseOfTheRolesAccount(t *testing.T) {
	srv := startCloud(t)
	s := session(t, srv.URL())
	got, err := sts.AssumeRole(t.Context(), s, server.Home, sts.Role{Account: server.Member, Name: "Ours", Session: "story"})
	if err != nil {
		t.Fatal(err)
	}
	if account, err := sts.CallerAccount(t.Context(), s.As(got.Keys, nil), server.Home); account != server.Member || err != nil {
		t.Errorf("the keys are those of %q, %v", account, err)
	}
	if left := time.Until(got.Expires); left < 59*time.Minute || left > time.Hour {
		t.Errorf("they last %s, want an hour", left)
	}
	if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, got.Keys.AccessKeySecret) || strings.Contains(text, got.Keys.SecurityToken) {
		t.Errorf("they print their secrets: %s", text)
	}
}

func TestARoleThatCannotBeAssumedSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		role  sts.Role
		class fleet.Class
	}{
		"trusts another": {sts.Role{Account: server.Member, Name: "Theirs", Session: "story"}, fleet.Denied},
		"not there":      {sts.Role{Account: server.Member, Name: "None", Session: "story"}, fleet.NotFound},
		"no account":     {sts.Role{Account: "x", Name: "Ours", Session: "story"}, fleet.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sts.AssumeRole(t.Context(), session(t, startCloud(t).URL()), server.Home, c.role)
			if fleet.ClassOf(err) != c.class || got != (sts.Assumed{}) {
				t.Errorf("got %v, %v, want %s", got, err, c.class)
			}
		})
	}
}

func TestAssumingIsTriedAgainAndThenPutOff(t *testing.T) {
	for count, class := range map[int]fleet.Class{1: fleet.Unclassified, 0: fleet.Throttled} {
		srv := startCloud(t)
		fault := simcloud.Fault{Product: "sts", Action: "AssumeRole", Kind: simcloud.Throttle, Count: count} // 0: for ever
		if err := srv.Faults.Set(1, []simcloud.Fault{fault}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		_, err := sts.AssumeRole(t.Context(), session(t, srv.URL()), server.Home, sts.Role{Account: server.Member, Name: "Ours", Session: "story"})
		if fleet.ClassOf(err) != class || (err == nil) != (count == 1) {
			t.Errorf("%d throttled: %v", count, err)
		}
	}
}

func TestAnAnswerWithoutWholeKeysIsNoAnswer(t *testing.T) {
	const whole = `"AccessKeyId":"STS.a","AccessKeySecret":"canary","SecurityToken":"canary","Expiration":"2026-01-05T01:00:00Z"`
	for name, keys := range map[string]string{
		"whole": whole, "nothing": "", "no token": strings.Replace(whole, `"SecurityToken":"canary",`, "", 1),
		"no expiry": strings.Replace(whole, "2026-01-05T01:00:00Z", "", 1), "expiry of another form": strings.Replace(whole, "2026-01-05T01:00:00Z", "1767574800", 1),
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"RequestId":"R","Credentials":{%s}}`, keys)
		}))
		got, err := sts.AssumeRole(t.Context(), session(t, srv.URL), server.Home, sts.Role{Account: server.Member, Name: "Ours", Session: "story"})
		srv.Close()
		if (err == nil) != (name == "whole") || err != nil && (fleet.ClassOf(err) != fleet.Unavailable || got != (sts.Assumed{})) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: a secret in %v", name, err)
		}
	}
}
