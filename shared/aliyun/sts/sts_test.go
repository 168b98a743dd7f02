package sts_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
)

func TestCallerAccountIsThatOfTheKeys(t *testing.T) {
	srv, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, x := range []struct {
		keys    aliyun.Keys
		account fleet.AccountID
		class   fleet.Class
	}{
		{aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}, server.Sharer, fleet.Unclassified},
		{aliyun.Keys{AccessKeyID: "sharee-ak", AccessKeySecret: "sharee-sk"}, server.Sharee, fleet.Unclassified},
		{aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "wrong"}, "", fleet.Denied},
	} {
		cloud := aliyuntest.Cloud(t, srv.URL(), x.keys)
		got, err := sts.CallerAccount(t.Context(), cloud.NewSession(0), server.Home)
		if got != x.account || fleet.ClassOf(err) != x.class || (err == nil) != (x.account != "") {
			t.Errorf("%v: got %q, %v", x.keys, got, err)
		}
	}
}
