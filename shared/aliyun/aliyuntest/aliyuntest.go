// Package aliyuntest is the local cloud and a client of it, for tests of what calls the cloud.
// No program links it.
package aliyuntest

import (
	"context"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
)

// Serve runs a local cloud until the test ends.
func Serve(t testing.TB, o server.Options) *server.Server {
	t.Helper()
	srv, err := server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

// Admin returns the keys of the home account's administrator.
func Admin() aliyun.Keys {
	return aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}
}

// Cloud is what calls the cloud at an address with keys, and waits for nothing.
func Cloud(t testing.TB, address string, k aliyun.Keys) *aliyun.Cloud {
	t.Helper()
	keys := &aliyun.Renewable{}
	keys.Renew(k)
	cloud, err := aliyun.NewCloud(keys, address)
	if err != nil {
		t.Fatal(err)
	}
	cloud.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return cloud
}
