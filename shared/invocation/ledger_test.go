package invocation_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
)

func TestALedgerIsABucketOrAFolder(t *testing.T) {
	for value, ok := range map[string]bool{
		"": true, "oss://bucket/ledger": true, "oss://bucket": true, "oss://bucket/a/b?region=cn-hangzhou": true, "file:///var/ledger": true,
		"bucket/ledger": false, "oss:///ledger": false, "file://host/ledger": false, "file:ledger": false, "s3://bucket/x": false, "oss://bucket/%zz": false,
	} {
		if _, err := invocation.ParseLedger(value); (err == nil) != ok {
			t.Errorf("%q: got %v", value, err)
		}
	}
}

// An entry is written to the address of the variable, and nowhere without one.
func TestAnEntryIsInTheLedgerOfTheEnvironment(t *testing.T) {
	srv, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() }) // the test is over
	for bucket, region := range map[string]string{"at-home": server.Home, "elsewhere": server.Another} {
		if err := srv.OSS.CreateBucket(server.Sharer, region, bucket); err != nil {
			t.Fatal(err)
		}
	}
	cloud := aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin())
	folder := t.TempDir()
	for _, value := range []string{"oss://at-home/ledger/", "oss://elsewhere?region=cn-shanghai", "file://" + folder} {
		place, err := invocation.ParseLedger(value)
		if err != nil {
			t.Fatal(err)
		}
		l := place.Open(cloud.NewSession(0), server.Home, ledger.Pass{Function: "f"}, nil)
		if err := l.Write(t.Context(), &fleet.Entry{Stage: fleet.StageIntent}); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
	files, _, err := ledger.NewFolder(folder).List(t.Context(), "f/", "")
	if n, m := len(srv.OSS.Keys("at-home", "ledger/f/")), len(srv.OSS.Keys("elsewhere", "f/")); n != 1 || m != 1 || len(files) != 1 || err != nil {
		t.Errorf("%d objects at home, %d elsewhere, %d files, %v", n, m, len(files), err)
	}
	if l := (invocation.LedgerPlace{}).Open(cloud.NewSession(0), server.Home, ledger.Pass{}, nil); l != nil {
		t.Errorf("nowhere is %v", l)
	}
}
