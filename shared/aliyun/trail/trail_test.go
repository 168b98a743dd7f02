package trail_test

import (
	"fmt"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
)

const trust = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["%d@ecs.aliyuncs.com"]}}]}`

type bench struct {
	*server.Server
	session *aliyun.Session
	start   time.Time
}

// newBench is a cloud with a role named role.
func newBench(t *testing.T) *bench {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	b := &bench{srv, session(t, srv, "local-ak", "local-sk"), srv.World.Clock.Now()}
	if err := ram.New(b.session).CreateRole(t.Context(), "role", fmt.Sprintf(trust, 1), ""); err != nil {
		t.Fatal(err)
	}
	return b
}

func session(t *testing.T, srv *server.Server, id, secret string) *aliyun.Session {
	t.Helper()
	cloud := aliyuntest.Cloud(t, srv.URL(), aliyun.Keys{AccessKeyID: id, AccessKeySecret: secret})
	return cloud.NewSession(0)
}

func (b *bench) set(t *testing.T, role string, n int) error {
	t.Helper()
	return ram.New(b.session).SetTrust(t.Context(), role, fmt.Sprintf(trust, n))
}

func (b *bench) pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := b.World.Clock.Advance(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestRecordsThatMayNotBeReadAreAnErrorAndNotNone(t *testing.T) {
	b := newBench(t)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	b.session = session(t, b.Server, "weak-ak", "weak-sk")
	got, _, err := trail.New(b.session).Lookup(t.Context(), server.Home, trail.Query{Since: b.start, Until: b.start.Add(time.Hour), EventName: "UpdateRole"})
	if got != nil || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("got %v, %v", got, err)
	}
}
