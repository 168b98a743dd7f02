package sharing_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/fleet"
)

// association is one element of an answer.
type association map[string]string

func of(share, id, kind, status string) association {
	return association{"ResourceShareId": share, "EntityId": id, "EntityType": kind, "AssociationStatus": status, "UpdateTime": "2026-11-20T12:00:00.000Z"}
}

// client reads from a server that answers with one association a page.
func client(t *testing.T, byType map[string][]association) *sharing.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		list, at := byType[r.Form.Get("AssociationType")], len(r.Form.Get("NextToken"))
		answer := map[string]any{"RequestId": "q-1"}
		if at < len(list) {
			answer["ResourceShareAssociations"] = list[at : at+1]
		}
		if at+1 < len(list) {
			answer["NextToken"] = "xxxxxxxxxx"[:at+1]
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(srv.Close)
	cloud := aliyuntest.Cloud(t, srv.URL, aliyun.Keys{AccessKeyID: "a", AccessKeySecret: "b"})
	return sharing.New(cloud.NewSession(0))
}

func TestWhatIsSharedIsJoinedWithThoseItIsSharedWith(t *testing.T) {
	c := client(t, map[string][]association{
		"Resource": {of("rs-1", "s-1", "Snapshot", "Associated"), of("rs-1", "m-1", "Image", "Failed"), of("rs-2", "s-1", "Snapshot", "Associating"),
			of("rs-1", "vsw-1", "VSwitch", "Associated"), of("rs-1", "s-gone", "Snapshot", "Disassociated"), of("rs-3", "s-3", "Snapshot", "Associated")},
		"Target": {of("rs-1", "1000000000000002", "Account", "Associating"), of("rs-1", "fd-1", "Folder", "Failed"), of("rs-2", "rd-1", "ResourceDirectory", "Associated"),
			of("rs-1", "1000000000000009", "Account", "Disassociating"), of("rs-1", "a-service", "Service", "Associated")},
	})
	got, err := c.Shared(t.Context(), "cn-hangzhou")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	account, folder, directory := fleet.Sharee{Kind: fleet.ShareeAccount, ID: "1000000000000002"}, fleet.Sharee{Kind: fleet.ShareeFolder, ID: "fd-1"}, fleet.Sharee{Kind: fleet.ShareeDirectory, ID: "rd-1"}
	want := map[fleet.Kind][]fleet.SharedResource{
		fleet.KindSnapshotShare: {{Region: "cn-hangzhou", ID: "s-1", Sharees: []fleet.Sharee{account, folder, directory}, Changed: at}},
		fleet.KindImageShare:    {{Region: "cn-hangzhou", ID: "m-1", Sharees: []fleet.Sharee{account, folder}, Changed: at}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingSharedIsOneCall(t *testing.T) {
	if got, err := client(t, nil).Shared(t.Context(), "cn-hangzhou"); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
