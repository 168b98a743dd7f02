package directory_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/fleet"
)

func newBench(t *testing.T, k aliyun.Keys) (*server.Server, *directory.Client) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	return srv, newClient(t, srv.URL(), k)
}

func newClient(t *testing.T, url string, k aliyun.Keys) *directory.Client {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, k)
	return directory.New(cloud.NewSession(0))
}

var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

func TestTheDirectoryIsReadWithThePlacesThatAreAskedFor(t *testing.T) {
	_, c := newBench(t, admin)
	d, err := c.Directory(t.Context(), []string{"fd-none"}, []fleet.AccountID{server.Member, server.Sharee})
	if err != nil || d.ID == "" || d.Root == "" {
		t.Fatalf("got %+v, %v", d, err)
	}
	if path := d.Folders["fd-none"]; !path.Seen() || path.V != "" {
		t.Errorf("a folder that is not there: %+v", path)
	}
	if in := d.Members[server.Member]; !in.Seen() || in.V == "" {
		t.Errorf("a member: %+v", in)
	}
	if out := d.Members[server.Sharee]; !out.Seen() || out.V != "" {
		t.Errorf("an account outside: %+v", out)
	}
}

func TestADirectoryThatMayNotBeReadIsAnError(t *testing.T) {
	_, c := newBench(t, aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	if _, err := c.Directory(t.Context(), nil, nil); fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("got %v", err)
	}
}

func TestWhatTimeHealsIsNotTakenForUnknown(t *testing.T) {
	srv, c := newBench(t, admin)
	if err := srv.Faults.Set(1, []simcloud.Fault{{Action: "ListAccounts", Kind: simcloud.Unavailable}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Directory(t.Context(), nil, []fleet.AccountID{server.Member}); fleet.ClassOf(err) != fleet.Unavailable {
		t.Errorf("got %v", err)
	}
}
