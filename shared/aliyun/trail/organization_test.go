package trail_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
)

// A member may not read the status of its organization's trail: its own is enough if it logs.
func TestATrailThatLogsIsEnough(t *testing.T) {
	for own, class := range map[string]fleet.Class{`{"RequestId":"1","IsLogging":true}`: fleet.ClassOf(nil), `{"RequestId":"1","IsLogging":false}`: fleet.Denied} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			answer := own
			switch {
			case r.Header.Get("x-acs-action") == "DescribeTrails":
				answer = `{"RequestId":"1","TrailList":[{"Name":"org","EventRW":"All","TrailRegion":"All","IsOrganizationTrail":true},{"Name":"own","EventRW":"All","TrailRegion":"All"}]}`
			case r.Form.Get("Name") == "org":
				w.WriteHeader(http.StatusForbidden)
				answer = `{"RequestId":"1","Code":"NoPermission","Message":"only the management account"}`
			}
			_, _ = w.Write([]byte(answer))
		}))
		got, err := trail.New(aliyuntest.Cloud(t, srv.URL, aliyun.Keys{AccessKeyID: "ak", AccessKeySecret: "sk"}).NewSession(0)).Trails(t.Context(), "cn-hangzhou", "cn-hangzhou")
		if fleet.ClassOf(err) != class || len(got) != 1 {
			t.Errorf("%s: %+v, %v", own, got, err)
		}
		srv.Close()
	}
}
