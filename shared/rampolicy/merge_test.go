package rampolicy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

func printed(t rapid.TB, trust *rampolicy.Trust, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text, err := trust.Print()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOurDocumentsHaveThePublishedForms(t *testing.T) {
	files := read(t, "trusts/legal")
	tests := []struct {
		file    string
		sharees rampolicy.Sharees
		text    string
	}{
		{
			"accounts.json",
			rampolicy.Sharees{Accounts: []fleet.AccountID{"1000000000000003", "1000000000000002", "1000000000000003"}},
			`{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["1000000000000002@ecs.aliyuncs.com","1000000000000003@ecs.aliyuncs.com"]}}],"Version":"1"}`,
		},
		{
			"directory.json",
			rampolicy.Sharees{Directories: []string{"rd-Abc123"}},
			`{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-Abc123"}}}],"Version":"1"}`,
		},
		{
			"folder.json",
			rampolicy.Sharees{Folders: []string{"rd-Abc123/r-Wm1/fd-9xYz"}},
			`{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-Abc123/r-Wm1/fd-9xYz*"}}}],"Version":"1"}`,
		},
	}
	for _, test := range tests {
		ours, err := new(rampolicy.Trust).Merge(test.sharees)
		if diff := cmp.Diff(test.text, printed(t, ours, err)); diff != "" {
			t.Errorf("%s: %s", test.file, diff)
		}
		if !ours.Equal(trust(t, files[test.file])) {
			t.Errorf("%s: not equal to the published form", test.file)
		}
	}
}

func TestAddKeepsEveryByteAndMergeKeepsForeignOnes(t *testing.T) {
	const (
		account = `{"Principal":{"Service":"1@ecs.aliyuncs.com"},"Effect" : "Allow","Action":"sts:AssumeRole"}`
		foreign = `{"Effect":"Allow", "Action":"sts:AssumeRole","Principal":{"Service":"ecs.aliyuncs.com"}}`
		two     = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["2@ecs.aliyuncs.com"]}}`
		both    = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["1@ecs.aliyuncs.com","2@ecs.aliyuncs.com"]}}`
	)
	was := trust(t, `{"Version":"1","Statement":[`+account+`,`+foreign+`]}`)
	sharees := rampolicy.Sharees{Accounts: []fleet.AccountID{"1", "2"}}
	added, err := was.Add(sharees)
	want := `{"Statement":[` + account + `,` + foreign + `,` + two + `],"Version":"1"}`
	if diff := cmp.Diff(want, printed(t, added, err)); diff != "" {
		t.Error(diff)
	}
	merged, err := was.Merge(sharees)
	want = `{"Statement":[` + foreign + `,` + both + `],"Version":"1"}`
	if diff := cmp.Diff(want, printed(t, merged, err)); diff != "" {
		t.Error(diff)
	}
	if !added.Equal(merged) || added.Equal(was) {
		t.Error("both trust account 2 as well, and no other account")
	}
}

func TestSubtractLeavesForeignStatementsAlone(t *testing.T) {
	was := trust(t, read(t, "trusts/legal")["foreign.json"])
	less, err := was.Subtract(rampolicy.Sharees{Accounts: []fleet.AccountID{"1000000000000002", "1000000000000004", "1000000000000005"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := less.TrustsService(rampolicy.Service("1000000000000002")); got != rampolicy.Denied {
		t.Errorf("named by our form: %v", got)
	}
	if got := less.TrustsService(rampolicy.Service("1000000000000004")); got != rampolicy.Allowed {
		t.Errorf("named by a foreign statement: %v", got)
	}
}

func TestInvalidShareesAreRefused(t *testing.T) {
	for _, s := range []rampolicy.Sharees{
		{Accounts: []fleet.AccountID{"*"}},
		{Accounts: []fleet.AccountID{""}},
		{Accounts: []fleet.AccountID{`1"`}},
		{Directories: []string{"rd-*"}},
		{Directories: []string{"rd-"}},
		{Directories: []string{""}},
		{Folders: []string{"rd-1"}},
		{Folders: []string{"rd-1/*"}},
		{Folders: []string{"rd-1/r-1/"}},
		{Folders: []string{"rd-1/r-1/fd-1*"}},
		{Folders: []string{"rd-1/fd-1"}},
	} {
		if _, err := new(rampolicy.Trust).Merge(s); err == nil {
			t.Errorf("merged %v", s)
		}
		if _, err := new(rampolicy.Trust).Add(s); err == nil {
			t.Errorf("added %v", s)
		}
	}
}

func TestADocumentThatWouldGrowTooLargeIsRefused(t *testing.T) {
	var s rampolicy.Sharees
	for i := range 3000 {
		s.Accounts = append(s.Accounts, fleet.AccountID(fmt.Sprint(1000000000000000+i)))
	}
	if _, err := new(rampolicy.Trust).Merge(s); err == nil {
		t.Error("no error")
	}
}

// foreignStatements have none of the three forms, and odd layouts.
var foreignStatements = []string{
	`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ecs.aliyuncs.com"}}`,
	`{ "Effect" : "Allow", "Action":["sts:AssumeRole"],` + "\n\t" + `"Principal":{"RAM":["acs:ram::1:root"]}}`,
	`{"Effect":"Deny","Action":"sts:*","Principal":{"Service":["1@ecs.aliyuncs.com"]}}`,
	`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["2@ecs.aliyuncs.com","fc.aliyuncs.com"]}}`,
	`{"Sid":"\u00e9","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"3@ecs.aliyuncs.com"}}`,
	`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-1","rd-2"]}}}`,
	`{"Effect":"Allow","NotAction":"ram:*","Principal":{"Federated":"acs:ram::1:saml-provider/x"},"Condition":{"StringLike":{"a":"b"}}}`,
}

// oursInOtherWords are statements of our forms as others may write them.
var oursInOtherWords = []string{
	`{"Effect":"Allow","Action":["sts:assumerole"],"Principal":{"Service":"1@ecs.aliyuncs.com"}}`,
	`{"Principal":{"Service":["2@ecs.aliyuncs.com", "1@ecs.aliyuncs.com", "1@ecs.aliyuncs.com"]},"Effect":"Allow","Action":"sts:AssumeRole"}`,
	`{"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-1"]}},"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["*@ecs.aliyuncs.com"]}}`,
	`{"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1*"}},"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*@ecs.aliyuncs.com"}}`,
}

// anyTrust draws a trust document, and which of its statements are foreign.
func anyTrust(t *rapid.T) (*rampolicy.Trust, []string) {
	foreign := rapid.SliceOfN(rapid.SampledFrom(foreignStatements), 0, 4).Draw(t, "foreign")
	ours := rapid.SliceOfN(rapid.SampledFrom(oursInOtherWords), 0, 3).Draw(t, "ours")
	all := rapid.Permutation(slices.Concat(foreign, ours)).Draw(t, "all")
	foreign = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(oursInOtherWords, s) })
	parsed, err := rampolicy.ParseTrust(`{"Version":"1","Statement":[` + strings.Join(all, " , ") + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, foreign
}

func anySharees(t *rapid.T, label string) rampolicy.Sharees {
	pick := func(from ...string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(from), 0, 4).Draw(t, label)
	}
	var s rampolicy.Sharees
	for _, account := range pick("1", "2", "3", "4", "5") {
		s.Accounts = append(s.Accounts, fleet.AccountID(account))
	}
	s.Directories = pick("rd-1", "rd-2")
	s.Folders = pick("rd-1/r-1", "rd-1/r-1/fd-1", "rd-2/r-1/fd-1/fd-2")
	return s
}

func merged(t *rapid.T, trust *rampolicy.Trust, s rampolicy.Sharees) *rampolicy.Trust {
	after, err := trust.Merge(s)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestMergingTwiceIsMergingOnceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, _ := anyTrust(t)
		a, b := anySharees(t, "a"), anySharees(t, "b")
		once := merged(t, was, a)
		if !once.Equal(merged(t, once, a)) {
			t.Error("merging again changes something")
		}
		ab, ba := merged(t, once, b), merged(t, merged(t, was, b), a)
		if !ab.Equal(ba) || !ab.Equal(merged(t, was, a.And(b))) {
			t.Error("the order matters")
		}
		if diff := cmp.Diff(was.Sharees().And(a).And(b), ab.Sharees()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSubtractUndoesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, _ := anyTrust(t)
		s := anySharees(t, "s")
		after, err := merged(t, was, s).Subtract(s.Without(was.Sharees()))
		if err != nil {
			t.Fatal(err)
		}
		if !after.Equal(was) {
			t.Error("differs from what was")
		}
		gone, err := was.Subtract(s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(was.Sharees().Without(s), gone.Sharees()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAddTrustsTheSameAsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, _ := anyTrust(t)
		s := anySharees(t, "s")
		added, err := was.Add(s)
		if err != nil {
			t.Fatal(err)
		}
		if !added.Equal(merged(t, was, s)) {
			t.Error("differs from merged")
		}
	})
}

func TestNoForeignStatementIsDroppedOrAltered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, foreign := anyTrust(t)
		s := anySharees(t, "s")
		less, err := merged(t, was, s).Subtract(anySharees(t, "less"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := less.Print()
		if err != nil {
			if len(foreign) > 0 {
				t.Fatal(err)
			}
			return
		}
		if !strings.HasPrefix(text, `{"Statement":[`+strings.Join(foreign, ",")) {
			t.Errorf("foreign %q\nprinted %s", foreign, text)
		}
		again, err := rampolicy.ParseTrust(text)
		if err != nil || !again.Equal(less) {
			t.Errorf("reads differently: %v", err)
		}
	})
}

func TestMergedShareesAreTrustedAndOthersAreUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, foreign := anyTrust(t)
		deniesOne := slices.Contains(foreign, foreignStatements[2])
		s := anySharees(t, "s")
		after := merged(t, was, rampolicy.Sharees{Accounts: s.Accounts})
		context := map[string][]string{rampolicy.OwnerDirectory: {"rd-9"}, rampolicy.OwnerPath: {"rd-9/r-9"}, "a": {"b"}}
		for _, uid := range []string{"1", "2", "3", "4", "5"} {
			before, now := was.Trusts(rampolicy.Service(uid), context), after.Trusts(rampolicy.Service(uid), context)
			want := before
			if slices.Contains(s.Accounts, fleet.AccountID(uid)) && !(uid == "1" && deniesOne) {
				want = rampolicy.Allowed
			}
			if now != want {
				t.Errorf("account %s: %v, then %v, want %v", uid, before, now, want)
			}
		}
	})
}
