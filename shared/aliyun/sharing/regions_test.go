package sharing_test

import (
	"slices"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/fleet"
)

func TestResourceSharingListsWhereItIsServed(t *testing.T) {
	srv := aliyuntest.Serve(t, server.Options{Regions: []string{server.Home, "cn-nanjing", server.Another}})
	if err := srv.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	as := func(id, secret string) *sharing.Client {
		cloud := aliyuntest.Cloud(t, srv.URL(), aliyun.Keys{AccessKeyID: id, AccessKeySecret: secret})
		return sharing.New(cloud.NewSession(0))
	}
	c := as("local-ak", "local-sk")
	if got, err := c.Regions(t.Context(), server.Home); err != nil || !slices.Equal(got, []fleet.Region{server.Home, server.Another}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := as("weak-ak", "weak-sk").Regions(t.Context(), server.Home); got != nil || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("without permission: got %v, %v", got, err)
	}
	// Where it is not served there is no such host.
	if got, err := c.Shared(t.Context(), "cn-nanjing"); got != nil || fleet.ClassOf(err) != fleet.Unavailable {
		t.Errorf("got %v, %v", got, err)
	}
}
