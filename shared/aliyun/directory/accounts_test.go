package directory_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/fleet"
)

func TestTheMembersOfTheDirectoryAreListed(t *testing.T) {
	_, c := newBench(t, admin)
	got, err := c.Accounts(t.Context())
	want := []directory.Account{{ID: server.Member, Name: "account-" + server.Member, Status: "InviteSuccess", JoinMethod: "invited"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(directory.Account{})); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestMembersAreReadByTheHundredAndEachOnce(t *testing.T) {
	for more, calls := range map[int]int{98: 1, 99: 1, 100: 2, 230: 3} {
		srv, c := newBench(t, admin)
		for i := range more {
			if err := srv.Directory.Move(fmt.Sprint(5000000000000000+i), resourcemanager.Web); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.Accounts(t.Context())
		if err != nil || len(got) != more+1 {
			t.Errorf("got %d of %d, %v", len(got), more+1, err)
		}
		sent := 0
		for _, e := range srv.Log.Since(0) {
			if e.Action == "ListAccounts" {
				sent++
			}
		}
		if sent != calls {
			t.Errorf("%d members took %d calls, want %d", more+1, sent, calls)
		}
	}
}

// canned answers each page by its number.
func canned(t *testing.T, answer func(page string) string) *directory.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answer(r.FormValue("PageNumber"))))
	}))
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL, admin)
}

func TestWhoIsNoMemberYetOrAnyMoreIsLeftOut(t *testing.T) {
	for status, member := range map[string]bool{
		"CreateSuccess": true, "InviteSuccess": true, "PromoteVerifying": true, "PromoteFailed": true, "PromoteExpired": true,
		"PromoteCancelled": true, "PromoteSuccess": true, "SwitchSuccess": true,
		"Removed": false, "CreateVerifying": false, "CreateCancelled": false, "CreateExpired": false, "CreateFailed": false,
		"": true, "SomethingNew": true, // looked at and complained of, rather than left out
	} {
		c := canned(t, func(string) string {
			return fmt.Sprintf(`{"RequestId":"R","TotalCount":1,"Accounts":{"Account":[{"AccountId":"1","Status":%q,"JoinMethod":"created"}]}}`, status)
		})
		got, err := c.Accounts(t.Context())
		if err != nil || (len(got) == 1) != member {
			t.Errorf("%q: got %v, %v", status, got, err)
		}
	}
}

func TestAListOfMembersThatIsNotWholeIsAnError(t *testing.T) {
	page := func(first, n, total int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"AccountId":"%d"}`, first+i))
		}
		return fmt.Sprintf(`{"RequestId":"R","TotalCount":%d,"Accounts":{"Account":[%s]}}`, total, strings.Join(all, ","))
	}
	for name, answer := range map[string]func(string) string{
		"a page comes twice":      func(string) string { return page(1, 100, 150) },
		"the last page is empty":  func(n string) string { return map[string]string{"1": page(1, 100, 150), "2": page(1, 0, 150)}[n] },
		"there are fewer than so": func(n string) string { return map[string]string{"1": page(1, 3, 4), "2": page(1, 0, 4)}[n] },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := canned(t, answer).Accounts(t.Context())
			if err == nil || got != nil || fleet.ClassOf(err).Passing() {
				t.Errorf("got %d members, %v", len(got), err)
			}
		})
	}
	// The twin: a short page that others follow is no end.
	c := canned(t, func(n string) string { return map[string]string{"1": page(1, 3, 4), "2": page(4, 1, 4)}[n] })
	if got, err := c.Accounts(t.Context()); err != nil || len(got) != 4 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestMembersThatCannotBeListedAreAnError(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Throttle: fleet.Throttled, simcloud.Unavailable: fleet.Unavailable, simcloud.Empty: fleet.Unavailable} {
		srv, c := newBench(t, admin)
		if err := srv.Faults.Set(1, []simcloud.Fault{{Action: "ListAccounts", Kind: kind}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Accounts(t.Context()); fleet.ClassOf(err) != class || got != nil {
			t.Errorf("%s: got %v, %v", kind, got, err)
		}
	}
}

func TestMembersMayBeListedByTheManagementAccountOnly(t *testing.T) {
	for ak, class := range map[string]fleet.Class{"weak": fleet.Denied, "sharee": fleet.NotFound} {
		_, c := newBench(t, aliyun.Keys{AccessKeyID: ak + "-ak", AccessKeySecret: ak + "-sk"})
		if got, err := c.Accounts(t.Context()); fleet.ClassOf(err) != class || got != nil {
			t.Errorf("%s: got %v, %v", ak, got, err)
		}
	}
}
