package aliyun_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
)

// admin is the administrator of the local cloud's home account.
var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

// waits notes what a session would have waited.
type waits struct{ all []time.Duration }

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.all = append(w.all, d)
	return ctx.Err()
}

func (w *waits) sum() (total time.Duration) {
	for _, d := range w.all {
		total += d
	}
	return total
}

func startCloud(t *testing.T, faults ...simcloud.Fault) *server.Server {
	t.Helper()
	s := aliyuntest.Serve(t, server.Options{})
	if err := s.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// newSession returns a session against url that does not wait.
func newSession(t *testing.T, url string, budget int) (*aliyun.Session, *waits) {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, admin)
	w := &waits{}
	cloud.Sleep = w.sleep
	return cloud.NewSession(budget), w
}

// answering is a cloud that gives every request the same answer and counts them.
func answering(t *testing.T, answer http.HandlerFunc) (url string, count *atomic.Int64) {
	t.Helper()
	count = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, count
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// form is the parameters of a request, as they came.
func form(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	return string(body)
}

type identity struct {
	AccountID string `json:"AccountId"`
}

type none struct{}

var (
	whoAmI   = aliyun.API{Product: aliyun.STS, Action: "GetCallerIdentity", Region: "cn-hangzhou"}
	makeRole = aliyun.API{Product: aliyun.RAM, Action: "CreateRole", Write: true}
)

func read(ctx context.Context, s *aliyun.Session) (*identity, error) {
	return aliyun.Do[none, identity](ctx, s, whoAmI, &none{})
}

const trust = `{"Version":"1","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`

func write(ctx context.Context, s *aliyun.Session, role string) error {
	_, err := aliyun.Do[ramsdk.CreateRoleRequest, ramsdk.CreateRoleResponseBody](ctx, s, makeRole,
		&ramsdk.CreateRoleRequest{RoleName: &role, AssumeRolePolicyDocument: new(trust)})
	return err
}

// sent counts the requests for one action that reached the cloud.
func sent(s *server.Server, action string) (n int) {
	for _, total := range s.Log.Totals() {
		if total.Action == action {
			n += total.Count
		}
	}
	return n
}
