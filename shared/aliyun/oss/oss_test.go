package oss_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/oss"
	"fleetwarden/shared/fleet"
)

type bench struct {
	*server.Server
	t       *testing.T
	session *aliyun.Session
	bucket  *oss.Bucket
}

var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

func newBench(t *testing.T, k aliyun.Keys) *bench {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.OSS.CreateBucket(server.Sharer, server.Home, "ledger-bucket"); err != nil {
		t.Fatal(err)
	}
	if err := srv.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, srv.URL(), k)
	s := cloud.NewSession(0)
	return &bench{srv, t, s, oss.Open(s, oss.Place{Bucket: "ledger-bucket", Region: server.Home})}
}

func (b *bench) fault(action string, kind simcloud.FaultKind, count int) {
	b.t.Helper()
	if err := b.Faults.Set(1, []simcloud.Fault{{Product: "oss", Action: action, Kind: kind, Count: count}}, simcloud.EventFaults{}); err != nil {
		b.t.Fatal(err)
	}
}

func TestAnObjectIsMadeOnceAndStaysAsItWas(t *testing.T) {
	b := newBench(t, admin)
	if err := b.bucket.Put(t.Context(), "a/b c.json", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := b.bucket.Put(t.Context(), "a/b c.json", []byte("two")); fleet.ClassOf(err) != fleet.Exists {
		t.Errorf("a second object of that name: got %v", err)
	}
	got, err := b.bucket.Get(t.Context(), "a/b c.json")
	if err != nil || string(got) != "one" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := b.bucket.Get(t.Context(), "none"); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("a missing object: got %v", err)
	}
	want := map[string]map[string]int{"oss:PutObject": {"ok": 1, "exists": 1}, "oss:GetObject": {"ok": 1, "not found": 1}}
	if diff := cmp.Diff(want, b.session.Calls()); diff != "" {
		t.Error(diff)
	}
}

// TestABucketWithVersioningIsNoticedByTheFirstWrite, also where versioning was suspended:
// it can never be taken away.
func TestABucketWithVersioningIsNoticedByTheFirstWrite(t *testing.T) {
	for _, states := range [][]string{{"Enabled"}, {"Suspended"}, {"Enabled", "Suspended"}} {
		b := newBench(t, admin)
		for _, s := range states {
			if err := b.OSS.SetVersioning("ledger-bucket", s); err != nil {
				t.Fatal(err)
			}
		}
		for _, body := range []string{"one", "two"} {
			err := b.bucket.Put(t.Context(), "k", []byte(body))
			if fleet.ClassOf(err) != fleet.NotWriteOnce || !strings.Contains(err.Error(), "ledger-bucket") {
				t.Errorf("%v: got %v", states, err)
			}
		}
		want := map[string]map[string]int{"oss:PutObject": {"not write-once": 2}}
		if diff := cmp.Diff(want, b.session.Calls()); diff != "" {
			t.Errorf("%v: %s", states, diff)
		}
	}
}

func TestAWriteWhoseAnswerWasLostIsSentAgain(t *testing.T) {
	for _, kind := range []simcloud.FaultKind{simcloud.TimeoutAfter, simcloud.TimeoutBefore, simcloud.Empty, simcloud.Throttle, simcloud.Unavailable} {
		b := newBench(t, admin)
		b.fault("PutObject", kind, 1)
		if err := b.bucket.Put(t.Context(), "k", []byte("one")); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if got := b.OSS.Object("ledger-bucket", "k"); string(got) != "one" {
			t.Errorf("%s: the object is %q", kind, got)
		}
	}
}

// The object that exists after a try without an answer may be another writer's.
func TestAWriteThatIsSentAgainDoesNotTakeAnotherWritersObjectForItsOwn(t *testing.T) {
	for _, kind := range []simcloud.FaultKind{simcloud.TimeoutAfter, simcloud.TimeoutBefore, simcloud.Empty, simcloud.Throttle, simcloud.Unavailable} {
		b := newBench(t, admin)
		if err := b.bucket.Put(t.Context(), "k", []byte("theirs")); err != nil {
			t.Fatal(err)
		}
		b.fault("PutObject", kind, 1)
		if err := b.bucket.Put(t.Context(), "k", []byte("ours")); fleet.ClassOf(err) != fleet.Exists {
			t.Errorf("%s: got %v, want that the object exists", kind, err)
		}
	}
}

func TestAWriteWhoseObjectCannotBeReadBackIsAnError(t *testing.T) {
	b := newBench(t, admin)
	faults := []simcloud.Fault{{Product: "oss", Action: "PutObject", Kind: simcloud.TimeoutAfter, Count: 1}, {Product: "oss", Action: "GetObject", Kind: simcloud.Unavailable}}
	if err := b.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if err := b.bucket.Put(t.Context(), "k", []byte("one")); !fleet.ClassOf(err).Passing() {
		t.Errorf("got %v", err)
	}
}

// An error names the call and no address: neither the host nor what was asked for in the query.
func TestAnErrorWithoutAnAnswerHasNoAddress(t *testing.T) {
	b := newBench(t, admin)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, _, listing := b.bucket.List(ctx, "p/", "")
	_, reading := b.bucket.Get(ctx, "k")
	for _, err := range []error{listing, reading, b.bucket.Put(ctx, "k", nil)} {
		if fleet.ClassOf(err) != fleet.Canceled || strings.Contains(err.Error(), "http") || strings.Contains(err.Error(), "aliyuncs") {
			t.Error(err)
		}
	}
}

func TestFailuresHaveTheirClass(t *testing.T) {
	for _, x := range []struct {
		name string
		keys aliyun.Keys
		kind simcloud.FaultKind
		want fleet.Class
	}{
		{"throttled for long", admin, simcloud.Throttle, fleet.Throttled},
		{"unavailable for long", admin, simcloud.Unavailable, fleet.Unavailable},
		{"empty answers", admin, simcloud.Empty, fleet.Unavailable},
		{"a user without rights", aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"}, "", fleet.Denied},
		{"a wrong secret", aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "canary"}, "", fleet.Denied},
	} {
		b := newBench(t, x.keys)
		if x.kind != "" {
			b.fault("", x.kind, 0)
		}
		_, gerr := b.bucket.Get(t.Context(), "k")
		_, _, lerr := b.bucket.List(t.Context(), "", "")
		for _, err := range []error{gerr, lerr} {
			if fleet.ClassOf(err) != x.want || strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("%s: got %v (%s)", x.name, err, fleet.ClassOf(err))
			}
		}
	}
}

func TestAMissingBucketIsNotAMissingObject(t *testing.T) {
	b := newBench(t, admin)
	other := oss.Open(b.session, oss.Place{Bucket: "no-bucket", Region: server.Home})
	if _, err := other.Get(t.Context(), "k"); fleet.ClassOf(err) != fleet.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestAListingIsInOrderAndContinuesWhereItStopped(t *testing.T) {
	b := newBench(t, admin)
	for i := range 1003 {
		if err := b.bucket.Put(t.Context(), fmt.Sprintf("x/%04d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	first, more, err := b.bucket.List(t.Context(), "x/", "")
	if err != nil || len(first) != 1000 || !more || !slices.IsSorted(first) {
		t.Fatalf("got %d names, more %v, %v", len(first), more, err)
	}
	rest, more, err := b.bucket.List(t.Context(), "x/", first[999])
	if err != nil || more || !slices.Equal(rest, []string{"x/1000", "x/1001", "x/1002"}) {
		t.Errorf("got %v, more %v, %v", rest, more, err)
	}
	if none, more, err := b.bucket.List(t.Context(), "y/", ""); err != nil || more || len(none) != 0 {
		t.Errorf("below a prefix that nothing has: got %v, %v, %v", none, more, err)
	}
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	b := newBench(t, admin)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := b.bucket.Put(ctx, "k", []byte("one")); fleet.ClassOf(err) != fleet.Canceled {
		t.Errorf("got %v", err)
	}
	if b.OSS.Object("ledger-bucket", "k") != nil {
		t.Error("the object was written")
	}
}
