package kms_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/fleet"
)

func newBench(t *testing.T, k aliyun.Keys) (*server.Server, *kms.Client) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, srv.URL(), k)
	return srv, kms.New(cloud.NewSession(0))
}

var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

func TestAccountStatusIsThatOfTheRegion(t *testing.T) {
	srv, c := newBench(t, admin)
	srv.KMS.SetStatus(server.Sharer, server.Another, "InDebt")
	for region, want := range map[fleet.Region]string{server.Home: "Enabled", server.Another: "InDebt"} {
		if got, err := c.AccountStatus(t.Context(), region); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %s", region, got, err, want)
		}
	}
}

func TestStatusThatCannotBeReadIsAnError(t *testing.T) {
	_, weak := newBench(t, aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	if got, err := weak.AccountStatus(t.Context(), server.Home); got != "" || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("without permission: got %q, %v", got, err)
	}
	srv, c := newBench(t, admin)
	if err := srv.Faults.Set(1, []simcloud.Fault{{Kind: simcloud.Throttle, Count: 1}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.AccountStatus(t.Context(), server.Home); err != nil || got != "Enabled" {
		t.Errorf("throttled once: got %q, %v", got, err)
	}
}
