package aliyun_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
)

// Passes of one process run side by side on one Cloud; the race detector sees what
// they share.
func TestPassesSideBySideShareNothingThatChanges(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"RequestId":"r-1"}`))
	}))
	defer server.Close()
	cloud := aliyuntest.Cloud(t, server.URL, aliyun.Keys{AccessKeyID: "ak", AccessKeySecret: "sk"})
	type none struct{}
	type answer struct {
		RequestID string `json:"RequestId"`
	}
	session := cloud.NewSession(0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				_, err := aliyun.Do[none, answer](t.Context(), session, aliyun.API{Product: aliyun.ECS, Action: "DescribeRegions", Region: "cn-hangzhou"}, &none{})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := session.Calls()["ecs:DescribeRegions"]["ok"]; got != 80 {
		t.Errorf("counted %d calls, want 80", got)
	}
}
