package rampolicy_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

func key(n int) string {
	return fmt.Sprintf("acs:kms:cn-hangzhou:1000000000000001:key/key-hzz%039d", n)
}

func TestAKeyPolicyHasTheVendorsTwoFormsForEachKey(t *testing.T) {
	want := `{"Statement":[{"Action":"kms:List*","Effect":"Allow","Resource":["acs:kms:cn-hangzhou:1:key","acs:kms:cn-shanghai:1:key"]},` +
		`{"Action":["kms:DescribeKey","kms:TagResource","kms:UntagResource","kms:Encrypt","kms:Decrypt","kms:GenerateDataKey"],"Effect":"Allow",` +
		`"Resource":["acs:kms:cn-hangzhou:1:key/a","acs:kms:cn-hangzhou:1:key/b","acs:kms:cn-shanghai:1:key/c"]}],"Version":"1"}`
	got := rampolicy.KeyPolicy(rampolicy.Keys{"acs:kms:cn-shanghai:1:key/c", "acs:kms:cn-hangzhou:1:key/b", "acs:kms:cn-hangzhou:1:key/a", "acs:kms:cn-hangzhou:1:key/b"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAKeyPolicyIsReadBackAndAnotherPolicyIsNot(t *testing.T) {
	keys := rampolicy.Keys{key(1), key(2)}
	if got, ok := rampolicy.ParseKeyPolicy(rampolicy.KeyPolicy(keys)); !ok || !cmp.Equal(got, keys) {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, doc := range []string{
		"", "{}", rampolicy.SysTrustPolicy(),
		`{"Version":"1","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"` + key(1) + `"}]}`,
		`{"Version":"1","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"acs:kms:*:1:key/*"}]}`,
		`{"Version":"1","Statement":[]}`,
	} {
		if got, ok := rampolicy.ParseKeyPolicy(doc); ok {
			t.Errorf("%s: taken for ours, with %v", doc, got)
		}
	}
}

func TestAKeyPolicyGrantsItsKeysAndNoOthers(t *testing.T) {
	doc, err := rampolicy.Parse(rampolicy.KeyPolicy(rampolicy.Keys{key(1)}))
	if err != nil {
		t.Fatal(err)
	}
	docs := []*rampolicy.Document{doc}
	for resource, want := range map[string]rampolicy.Answer{key(1): rampolicy.Allowed, key(2): rampolicy.Denied, key(1) + "0": rampolicy.Denied} {
		if got := rampolicy.Grants(docs, rampolicy.KeyActions(), resource); got != want {
			t.Errorf("%s: %v", resource, got)
		}
	}
	if rampolicy.Grants(docs, []string{"kms:ScheduleKeyDeletion"}, key(1)) != rampolicy.Denied {
		t.Error("the key may be deleted")
	}
}

func TestANameThatIsAPatternInAPolicyIsRefused(t *testing.T) {
	good := fleet.KMSKey{Account: "1", Region: "cn-hangzhou", ID: "key-1"}
	if got, ok := rampolicy.KeyResource(good); !ok || got != "acs:kms:cn-hangzhou:1:key/key-1" {
		t.Errorf("got %q, %v", got, ok)
	}
	for _, bad := range []fleet.KMSKey{
		{Account: "*", Region: "cn-hangzhou", ID: "key-1"}, {Account: "1", Region: "*", ID: "key-1"},
		{Account: "1", Region: "cn-hangzhou", ID: "*"}, {Account: "1", Region: "cn-hangzhou", ID: `a","b`},
		{Account: "1", Region: "cn-hangzhou"}, {Account: "1", ID: "a"},
	} {
		if got, ok := rampolicy.KeyResource(bad); ok {
			t.Errorf("%+v: %s", bad, got)
		}
	}
}

func TestKeysThatDoNotFitAreLeft(t *testing.T) {
	var all rampolicy.Keys
	for i := range 200 {
		all = append(all, key(i))
	}
	with, left := rampolicy.Keys(nil).Fit(all)
	if len(with) == 0 || len(left) == 0 || len(with)+len(left) != len(all) {
		t.Fatalf("%d and %d", len(with), len(left))
	}
	if n := len(rampolicy.KeyPolicy(with)); n > rampolicy.MaxPolicy {
		t.Errorf("%d bytes", n)
	}
	if n := len(rampolicy.KeyPolicy(append(with, left[0]))); n <= rampolicy.MaxPolicy {
		t.Errorf("one more would have fitted: %d bytes", n)
	}
}
