package trail_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/test/simcloud/server"
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
	srv, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{srv, session(t, srv, "local-ak", "local-sk"), srv.World.Clock.Now()}
	if err := ram.New(b.session).CreateRole(t.Context(), "role", fmt.Sprintf(trust, 1), ""); err != nil {
		t.Fatal(err)
	}
	return b
}

func session(t *testing.T, srv *server.Server, id, secret string) *aliyun.Session {
	t.Helper()
	keys := &aliyun.Renewable{}
	keys.Renew(aliyun.Keys{AccessKeyID: id, AccessKeySecret: secret})
	cloud, err := aliyun.NewCloud(keys, srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	cloud.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
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

func (b *bench) edits(t *testing.T) ([]fleet.TrustEdit, error) {
	t.Helper()
	return trail.New(b.session).TrustEdits(t.Context(), server.Home, b.start)
}

func TestEditsAreThoseThatSucceededNewestFirst(t *testing.T) {
	b := newBench(t)
	for n := 2; n <= 3; n++ {
		if err := b.set(t, "role", n); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.set(t, "nobody", 4); fleet.ClassOf(err) != fleet.NotFound {
		t.Fatal(err)
	}
	if got, err := b.edits(t); err != nil || len(got) > 0 {
		t.Errorf("at once: got %v, %v", got, err)
	}
	b.pass(t, 15*time.Minute)
	want := []fleet.TrustEdit{{At: b.start, Role: "role", Trust: fmt.Sprintf(trust, 3)}, {At: b.start, Role: "role", Trust: fmt.Sprintf(trust, 2)}}
	got, err := b.edits(t)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestMoreEditsThanAreReadAtOnceAreAnError(t *testing.T) {
	b := newBench(t)
	for n := range 100 {
		if err := b.set(t, "role", n); err != nil {
			t.Fatal(err)
		}
	}
	b.pass(t, 15*time.Minute)
	if got, err := b.edits(t); err != nil || len(got) != 100 {
		t.Errorf("a hundred: got %d, %v", len(got), err)
	}
	if err := b.set(t, "role", 100); err != nil {
		t.Fatal(err)
	}
	b.pass(t, 15*time.Minute)
	if got, err := b.edits(t); err == nil {
		t.Errorf("got %d edits and no error", len(got))
	}
}

func TestRecordsThatMayNotBeReadAreAnErrorAndNotNone(t *testing.T) {
	b := newBench(t)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	b.session = session(t, b.Server, "weak-ak", "weak-sk")
	if got, err := b.edits(t); got != nil || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("got %v, %v", got, err)
	}
}
