package sas_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/fleet"
)

const region = fleet.Region(server.Home)

var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

func newClient(t *testing.T, url string, k aliyun.Keys) (*sas.Client, *aliyun.Session) {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, k)
	s := cloud.NewSession(0)
	return sas.New(s), s
}

func newServer(t *testing.T) *server.Server {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	return srv
}

func seed(t *testing.T, srv *server.Server, f simecs.FleetSpec) []string {
	t.Helper()
	seeded, err := srv.ECS.SeedFleet(f)
	if err != nil {
		t.Fatal(err)
	}
	return seeded.IDs
}

func TestAgentsAreReadByTheHundred(t *testing.T) {
	for n, calls := range map[int]int{1: 1, 100: 1, 101: 2, 250: 3} {
		srv := newServer(t)
		ids := seed(t, srv, simecs.FleetSpec{Count: n, Agent: "uninstalled"})
		seed(t, srv, simecs.FleetSpec{Count: 30}) // not requested
		c, s := newClient(t, srv.URL(), admin)
		got, err := c.Agents(t.Context(), region, ids)
		if err != nil || len(got) != n {
			t.Fatalf("got %d of %d, %v", len(got), n, err)
		}
		for _, id := range ids {
			if a := got[id]; !a.Known || a.Sub != "uninstalled" || a.Status == "online" {
				t.Fatalf("got %+v", a)
			}
		}
		if diff := cmp.Diff(map[string]map[string]int{"sas:DescribeCloudCenterInstances": {"ok": calls}}, s.Calls()); diff != "" {
			t.Errorf("%d agents: %s", n, diff)
		}
	}
}

func TestAMachineThatSecurityCenterDoesNotListIsMissing(t *testing.T) {
	srv := newServer(t)
	c, _ := newClient(t, srv.URL(), admin)
	if got, err := c.Agents(t.Context(), region, []string{"i-unknown"}); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

// paged answers with pages of size from all, whatever page size is asked for.
func paged(t *testing.T, all, total, size int) *sas.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.FormValue("CurrentPage"))
		var rows []string
		for i := (page - 1) * size; i < min(page*size, all); i++ {
			rows = append(rows, fmt.Sprintf(`{"InstanceId":"i-%d","ClientStatus":"online","ClientSubStatus":"online"}`, i))
		}
		_, _ = fmt.Fprintf(w, `{"RequestId":"R","Instances":[%s],"PageInfo":{"TotalCount":%d}}`, strings.Join(rows, ","), total)
	}))
	t.Cleanup(srv.Close)
	c, _ := newClient(t, srv.URL, admin)
	return c
}

func TestSmallerPagesAreFollowedToTheirEnd(t *testing.T) {
	ids := make([]string, 45)
	for i := range ids {
		ids[i] = fmt.Sprint("i-", i)
	}
	got, err := paged(t, 45, 45, 20).Agents(t.Context(), region, ids)
	if err != nil || len(got) != 45 {
		t.Errorf("got %d, %v", len(got), err)
	}
	// The counterpart: a truncated list does not prove that an instance is missing.
	if got, err := paged(t, 40, 45, 20).Agents(t.Context(), region, ids); err == nil || got != nil || fleet.ClassOf(err).Passing() {
		t.Errorf("got %d, %v", len(got), err)
	}
}

func TestAgentsThatCannotBeReadAreAnError(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Throttle: fleet.Throttled, simcloud.Unavailable: fleet.Unavailable, simcloud.Empty: fleet.Unavailable} {
		srv := newServer(t)
		if err := srv.Faults.Set(1, []simcloud.Fault{{Action: "DescribeCloudCenterInstances", Kind: kind}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		c, _ := newClient(t, srv.URL(), admin)
		if got, err := c.Agents(t.Context(), region, []string{"i-1"}); fleet.ClassOf(err) != class || got != nil {
			t.Errorf("%s: got %v, %v", kind, got, err)
		}
	}
}

func TestAgentsThatMayNotBeReadAreDenied(t *testing.T) {
	srv := newServer(t)
	if err := srv.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	c, _ := newClient(t, srv.URL(), aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	if got, err := c.Agents(t.Context(), region, []string{"i-1"}); fleet.ClassOf(err) != fleet.Denied || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
