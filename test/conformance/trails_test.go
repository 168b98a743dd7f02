package conformance_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	v1 "github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	v1errors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	v1trail "github.com/aliyun/alibaba-cloud-sdk-go/services/actiontrail"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/actiontrail"
	"fleetwarden/deploy/local/simcloud/server"
)

// older is the transport of the older SDK, the only one at hand for some products.
func older() *v1.Config {
	return v1.NewConfig().WithScheme("http").WithTimeout(10 * time.Second).WithAutoRetry(false)
}

// credentialOf is an identity for the older SDK.
func credentialOf(who identity) auth.Credential {
	if who.token != "" {
		return credentials.NewStsTokenCredential(who.key, who.secret, who.token)
	}
	return credentials.NewAccessKeyCredential(who.key, who.secret)
}

// wantOlder is wantError for the older SDK.
func wantOlder(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *v1errors.ServerError
	got := "no error"
	if errors.As(err, &e) {
		got = fmt.Sprint(e.HttpStatus(), " ", e.ErrorCode())
	} else if err != nil {
		got = err.Error()
	}
	if want := fmt.Sprint(status, " ", code); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type trails struct {
	*cloud
	api *v1trail.Client
}

func (c *cloud) trails(who identity) trails {
	c.t.Helper()
	api, err := v1trail.NewClientWithOptions(server.Home, older(), credentialOf(who))
	c.ok(err)
	return trails{c, api}
}

func (x trails) start(name string) error {
	q := v1trail.CreateStartLoggingRequest()
	q.Domain, q.Name = x.host(), name
	_, err := x.api.StartLogging(q)
	return err
}

func (x trails) stop(name string) error {
	q := v1trail.CreateStopLoggingRequest()
	q.Domain, q.Name = x.host(), name
	_, err := x.api.StopLogging(q)
	return err
}

func (x trails) remove(name string) error {
	q := v1trail.CreateDeleteTrailRequest()
	q.Domain, q.Name = x.host(), name
	_, err := x.api.DeleteTrail(q)
	return err
}

func (x trails) create(name, project string) error {
	q := v1trail.CreateCreateTrailRequest()
	q.Domain, q.Name, q.EventRW, q.TrailRegion, q.SlsProjectArn = x.host(), name, "Write", "All", project
	_, err := x.api.CreateTrail(q)
	return err
}

func (x trails) update(name, region string) error {
	q := v1trail.CreateUpdateTrailRequest()
	q.Domain, q.Name, q.TrailRegion = x.host(), name, region
	_, err := x.api.UpdateTrail(q)
	return err
}

func (x trails) list(names, region string, shadows bool) ([]v1trail.Trail, error) {
	q := v1trail.CreateDescribeTrailsRequest()
	q.Domain, q.NameList, q.IncludeShadowTrails = x.host(), names, requests.NewBoolean(shadows)
	q.QueryParams["RegionId"] = region
	out, err := x.api.DescribeTrails(q)
	if err != nil {
		return nil, err
	}
	return out.TrailList, nil
}

func (x trails) status(name string) (*v1trail.GetTrailStatusResponse, error) {
	q := v1trail.CreateGetTrailStatusRequest()
	q.Domain, q.Name = x.host(), name
	return x.api.GetTrailStatus(q)
}

const project = "acs:log:cn-hangzhou:1000000000000001:project/fleetwarden"

func TestATrailIsMadeFreshStartedStoppedAndDeleted(t *testing.T) {
	c := newCloud(t, server.Options{})
	x := c.trails(sharerAdmin)
	c.ok(x.create("fleetwarden", project))
	steps := []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, "Fresh false  "},
		{func() error { return x.start("fleetwarden") }, "Enable true 2026-01-05T00:02:00Z "},
		{func() error { return x.stop("fleetwarden") }, "Disable false 2026-01-05T00:02:00Z 2026-01-05T00:03:00Z"},
		{func() error { return x.update("fleetwarden", "cn-hangzhou") }, "Disable false 2026-01-05T00:02:00Z 2026-01-05T00:03:00Z"},
		{func() error { return x.start("fleetwarden") }, "Enable true 2026-01-05T00:05:00Z 2026-01-05T00:03:00Z"},
	}
	for _, s := range steps {
		c.pass(time.Minute)
		c.ok(s.do())
		list, err := x.list("fleetwarden", "cn-hangzhou", false)
		c.ok(err)
		st, err := x.status("fleetwarden")
		c.ok(err)
		if got := fmt.Sprintf("%s %v %s %s", list[0].Status, st.IsLogging, list[0].StartLoggingTime, st.StopLoggingTime); got != s.want {
			t.Errorf("got %q, want %q", got, s.want)
		}
	}
	list, err := x.list("", "cn-shanghai", false)
	if c.ok(err); len(list) != 0 {
		t.Errorf("in a region without a home: %v", list)
	}
	list, err = x.list("fleetwarden", "cn-shanghai", true)
	c.ok(err)
	got := []any{len(list), list[0].HomeRegion, list[0].Region, list[0].IsShadowTrail, list[0].TrailRegion, list[0].SlsProjectArn, list[0].EventRW}
	if diff := cmp.Diff([]any{1, "cn-hangzhou", "cn-shanghai", int64(1), "cn-hangzhou", project, "Write"}, got); diff != "" {
		t.Error(diff)
	}
	c.ok(x.remove("fleetwarden"))
	_, err = x.status("fleetwarden")
	wantOlder(t, err, 404, "TrailNotFoundException")
}

func TestWhatATrailCannotBeIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	x := c.trails(sharerAdmin)
	wantOlder(t, x.create("five5", project), 400, "InvalidTrailNameException")
	wantOlder(t, x.create("fleetwarden", ""), 400, "InvalidQueryParameter")
	c.ok(x.create("fleetwarden", project))
	wantOlder(t, x.create("fleetwarden", project), 409, "TrailAlreadyExistsException")
	wantOlder(t, x.update("fleetwarden", "moon"), 400, "InvalidQueryParameter")
	for i := range 3 {
		c.ok(x.create(fmt.Sprint("another-", i), project))
	}
	wantOlder(t, x.create("sixth-trail", project), 403, "MaximumNumberOfTrailsExceededException")
	wantOlder(t, x.start("unknown"), 404, "TrailNotFoundException")
	wantOlder(t, x.stop("unknown"), 404, "TrailNotFoundException")
	wantOlder(t, x.remove("unknown"), 404, "TrailNotFoundException")
	wantOlder(t, x.update("unknown", "All"), 404, "TrailNotFoundException")
}

// TestOnlyATrailThatLogsBringsEvents is why a doctor asks for IsLogging.
func TestOnlyATrailThatLogsBringsEvents(t *testing.T) {
	c := newCloud(t, server.Options{})
	x := c.trails(sharerAdmin)
	made := 0
	arrives := func() bool {
		made++
		name := fmt.Sprint("role-", made)
		_, err := c.ram(sharerAdmin).CreateRole(&ramsdk.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: tea.String(trustsECS)})
		c.ok(err)
		before := len(c.trail("CreateRole"))
		c.pass(time.Minute)
		return len(c.trail("CreateRole")) > before
	}
	if !arrives() {
		t.Error("the standing trail brings nothing")
	}
	c.ok(x.stop(actiontrail.Standing))
	if arrives() {
		t.Error("a stopped trail brings events")
	}
	c.ok(x.create("fleetwarden", project))
	if arrives() {
		t.Error("a fresh trail brings events")
	}
	c.ok(x.start("fleetwarden"))
	if !arrives() {
		t.Error("a trail that logs brings nothing")
	}
	c.ok(x.update("fleetwarden", "cn-shanghai"))
	if arrives() {
		t.Error("a trail of another region brings events")
	}
	c.ok(x.remove("fleetwarden"))
	c.ok(x.start(actiontrail.Standing))
	if !arrives() {
		t.Error("the standing trail, started again, brings nothing")
	}
	c.pass(time.Hour)
	if roles, _ := c.lookup(func(*v1trail.LookupEventsRequest) {}); len(roles) != made {
		t.Errorf("LookupEvents shows %d of %d: it needs no trail", len(roles), made)
	}
}

func TestATrailsStatusShowsItsDeliveries(t *testing.T) {
	c := newCloud(t, server.Options{})
	x := c.trails(sharerAdmin)
	c.pass(time.Hour)
	c.makeRole("r", trustsECS, "")
	st, err := x.status(actiontrail.Standing)
	if c.ok(err); !st.SlsLogStoreStatus || st.LatestDeliveryLogServiceTime != "2026-01-05T01:00:00Z" || st.LatestDeliveryLogServiceError != "" || st.LatestDeliveryTime != "" {
		t.Errorf("got %+v", st)
	}
	c.Trail.Fail(server.Sharer, actiontrail.Standing, "write sls failed")
	if st, err = x.status(actiontrail.Standing); err != nil || !st.IsLogging || st.SlsLogStoreStatus || st.LatestDeliveryLogServiceError != "write sls failed" {
		t.Errorf("got %+v, %v", st, err)
	}
}

func TestTrailsNeedTheirRights(t *testing.T) {
	calls := map[string]func(trails) error{
		"CreateTrail":    func(x trails) error { return x.create("fleetwarden", project) },
		"UpdateTrail":    func(x trails) error { return x.update(actiontrail.Standing, "All") },
		"DeleteTrail":    func(x trails) error { return x.remove(actiontrail.Standing) },
		"StartLogging":   func(x trails) error { return x.start(actiontrail.Standing) },
		"StopLogging":    func(x trails) error { return x.stop(actiontrail.Standing) },
		"DescribeTrails": func(x trails) error { _, err := x.list("", "cn-hangzhou", false); return err },
		"GetTrailStatus": func(x trails) error { _, err := x.status(actiontrail.Standing); return err },
	}
	for action, call := range calls {
		c := newCloud(t, server.Options{})
		alone := c.acting("alone", `{"Effect":"Allow","Action":"actiontrail:`+action+`","Resource":"acs:actiontrail:*:*:*"}`)
		others := c.acting("all-else", `{"Effect":"Allow","Action":"actiontrail:*","Resource":"*"},{"Effect":"Deny","Action":"actiontrail:`+action+`","Resource":"*"}`)
		wantOlder(t, call(c.trails(others)), 403, "Forbidden.RAM")
		if err := call(c.trails(alone)); err != nil {
			t.Errorf("%s alone: %v", action, err)
		}
	}
}

// acting is a new role that Function Compute has assumed, with those statements.
func (c *cloud) acting(role, statements string) identity {
	c.t.Helper()
	const trust = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`
	c.ok(c.RAM.AddRole(server.Sharer, role, trust, map[string]string{role: `{"Version":"1","Statement":[` + statements + `]}`}))
	return c.asFunction(role)
}
