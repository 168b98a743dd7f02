package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

// ask calls the control API and decodes what it answers.
func ask(t *testing.T, s *server.Server, method, path, body string) (status int, out map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s %s answered %q", method, path, b)
	}
	return res.StatusCode, out
}

func newServer(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAFleetSeededOverHTTPShowsInTheWorld(t *testing.T) {
	s := newServer(t)
	status, out := ask(t, s, "POST", "/_sim/fleet", `{"count":1,"region":"cn-shanghai","instanceType":"ecs.g7t.large","role":"-","network":"classic","systemDisk":"none","tags":{"ack.aliyun.com":"c1"}}`)
	if status != 200 || out["count"] != 1.0 {
		t.Fatalf("seeding answered %d %v", status, out)
	}
	_, world := ask(t, s, "GET", "/_sim/world", "")
	got := world["ecs"].([]any)[0].(map[string]any)
	delete(got, "id")
	delete(got, "name")
	want := map[string]any{
		"account": server.Sharer, "region": "cn-shanghai", "status": "Running", "stoppedMode": "Not-applicable",
		"instanceType": "ecs.g7t.large", "family": "ecs.g7t", "image": "aliyun_3_x64_20G_uefi_alibase_20230727.vhd",
		"os": "linux", "network": "classic", "role": "", "diskCategory": "", "httpTokens": "required", "hardening": "Active", "assistant": "running",
		"tags": map[string]any{"ack.aliyun.com": "c1", "acs:ecs:supportVtpm": "true"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheDigestChangesWithTheFleetAndOnlyThen(t *testing.T) {
	a, b := newServer(t), newServer(t)
	digest := func(s *server.Server) any {
		_, out := ask(t, s, "GET", "/_sim/world?digest=1", "")
		return out["digest"]
	}
	empty := digest(a)
	for _, s := range []*server.Server{a, b} {
		ask(t, s, "POST", "/_sim/fleet", `{"count":20,"drift":{"noRole":0.1}}`)
	}
	if digest(a) != digest(b) || digest(a) != digest(a) {
		t.Error("the same fleets have different digests")
	}
	if digest(a) == empty {
		t.Error("a fleet does not change the digest")
	}
}

func TestABadSeedIsABadRequest(t *testing.T) {
	s := newServer(t)
	for path, body := range map[string]string{
		"/_sim/fleet":     `{"count":1,"drift":{"nothing":1}}`,
		"/_sim/fleet?x":   `{"cuont":1}`,
		"/_sim/templates": `{"imageId":"x"}`,
	} {
		if status, out := ask(t, s, "POST", path, body); status != 400 || out["error"] == "" {
			t.Errorf("%s %s answered %d %v", path, body, status, out)
		}
	}
	if status, out := ask(t, s, "POST", "/_sim/templates", `{"name":"t","instanceType":"ecs.g7t.large"}`); status != 200 || out["id"] == "" {
		t.Errorf("a good template answered %d %v", status, out)
	}
}
