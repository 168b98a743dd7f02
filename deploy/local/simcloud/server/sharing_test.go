package server_test

import (
	"fmt"
	"testing"

	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
)

func TestASeededImageIsUsableByWhomItIsSharedWith(t *testing.T) {
	s := newServer(t)
	_, key := ask(t, s, "POST", "/_sim/keys", `{"alias":"alias/own"}`)
	_, out := ask(t, s, "POST", "/_sim/images", fmt.Sprintf(`{"key":"alias/own","sharedWith":[%q]}`, server.Sharee))
	encrypted := out["images"].([]any)[0].(map[string]any)["id"].(string)
	_, out = ask(t, s, "POST", "/_sim/images", fmt.Sprintf(`{"sharedWith":[%q]}`, server.Sharee))
	plain := out["images"].([]any)[0].(map[string]any)["id"].(string)
	for _, x := range []struct {
		account, resource string
		want              bool
	}{
		{server.Sharer, encrypted, true}, {server.Sharee, encrypted, false}, {server.Sharee, plain, true},
		{server.Member, plain, false}, {server.Sharee, "m-none", false},
	} {
		status, got := ask(t, s, "GET", "/_sim/usable?account="+x.account+"&region="+server.Home+"&resource="+x.resource, "")
		if status != 200 || got["usable"] != x.want || (got["why"] == "") != x.want {
			t.Errorf("%s of %s is %v, want %t", x.resource, x.account, got, x.want)
		}
	}
	ask(t, s, "POST", "/_sim/keys", fmt.Sprintf(`{"key":%q,"state":"Disabled"}`, key["id"]))
	if ok, why := s.Usable(server.Sharer, server.Home, encrypted); ok || why == "" {
		t.Error("usable under a key that is disabled")
	}
}

func TestSharesKeysAndFoldersAreInTheDigest(t *testing.T) {
	s := newServer(t)
	digest := func() any {
		_, out := ask(t, s, "GET", "/_sim/world?digest=1", "")
		return out["digest"]
	}
	before := digest()
	for path, body := range map[string]string{
		"keys": `{}`, "snapshots": `{}`, "images": `{}`,
		"directory": `{"folder":"` + resourcemanager.RootID + `","name":"More"}`,
	} {
		if status, out := ask(t, s, "POST", "/_sim/"+path, body); status != 200 {
			t.Fatalf("%s answered %d %v", path, status, out)
		}
		after := digest()
		if after == before {
			t.Errorf("%s do not change the digest", path)
		}
		before = after
	}
}

func TestBadSharingControlsAreBadRequests(t *testing.T) {
	s := newServer(t)
	for _, x := range []struct{ method, path, body string }{
		{"GET", "usable?account=1&resource=m-1&region=moon", ""}, {"GET", "usable", ""},
		{"POST", "keys", `{"account":"9"}`}, {"POST", "keys", `{"key":"none","state":"Disabled"}`}, {"POST", "keys", `{"state":"Odd"}`},
		{"POST", "keys", `{"alias":"alias/acs/ecs"}`}, {"POST", "keys", `{"key":"none"}`},
		{"POST", "snapshots", `{"key":"none"}`}, {"POST", "snapshots", `{"region":"moon"}`}, {"POST", "images", `{"key":"none"}`},
		{"POST", "images", `{"sharedWith":["me"]}`}, {"POST", "images", `{"tpyo":1}`},
		{"POST", "directory", `{}`}, {"POST", "directory", `{"account":"1","folder":"fd-none"}`}, {"POST", "directory", `{"folder":"fd-none","name":"x"}`},
	} {
		if status, out := ask(t, s, x.method, "/_sim/"+x.path, x.body); status != 400 || out["error"] == "" {
			t.Errorf("%s %s %s answered %d %v", x.method, x.path, x.body, status, out)
		}
	}
}
