package conformance_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	v1 "github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	v1trail "github.com/aliyun/alibaba-cloud-sdk-go/services/actiontrail"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

// lookup asks LookupEvents with the older SDK, the only one at hand that has it,
// and returns the role names in the records' parameters.
func (c *cloud) lookup(change func(*v1trail.LookupEventsRequest)) (roles []string, next string) {
	c.t.Helper()
	api, err := v1trail.NewClientWithOptions(server.Home, v1.NewConfig().WithScheme("http").WithTimeout(10*time.Second), credentials.NewAccessKeyCredential("local-ak", "local-sk"))
	c.ok(err)
	q := v1trail.CreateLookupEventsRequest()
	q.Domain = c.host()
	q.LookupAttribute = &[]v1trail.LookupEventsLookupAttribute{{Key: "EventName", Value: "CreateRole"}}
	change(q)
	out, err := api.LookupEvents(q)
	c.ok(err)
	for _, e := range out.Events {
		roles = append(roles, e["requestParameters"].(map[string]any)["RoleName"].(string))
	}
	return roles, out.NextToken
}

func (c *cloud) lookupAll(change func(*v1trail.LookupEventsRequest), between func()) (all []string) {
	c.t.Helper()
	for token := ""; ; {
		page, next := c.lookup(func(q *v1trail.LookupEventsRequest) {
			q.NextToken, q.MaxResults = token, "2"
			change(q)
		})
		all = append(all, page...)
		if token = next; token == "" {
			return all
		}
		between()
	}
}

// rolesMade makes roles r-0, r-1, … a second apart.
func (c *cloud) rolesMade(n int) (names []string) {
	c.t.Helper()
	for i := range n {
		names = append(names, fmt.Sprint("r-", i))
		c.makeRole(names[i], trustsECS, "")
		c.pass(time.Second)
	}
	return names
}

func TestRecordsAreListedBothWaysWhateverIsAddedMeanwhile(t *testing.T) {
	for _, direction := range []string{"FORWARD", "BACKWARD", ""} {
		t.Run(direction, func(t *testing.T) {
			c := newCloud(t, server.Options{})
			want := c.rolesMade(5)
			c.pass(10 * time.Minute)
			late := 0
			got := c.lookupAll(func(q *v1trail.LookupEventsRequest) { q.Direction = direction }, func() {
				late++
				c.makeRole(fmt.Sprint("late-", late), trustsECS, "")
				c.pass(11 * time.Minute)
			})
			if direction == "FORWARD" {
				got = got[:5] // those that came meanwhile follow
			} else {
				slices.Reverse(want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecordsShowAfterTenMinutesAndForNinetyDays(t *testing.T) {
	c := newCloud(t, server.Options{})
	made := c.World.Clock.Now()
	c.makeRole("r", trustsECS, "")
	look := func(after time.Duration) int {
		c.pass(made.Add(after).Sub(c.World.Clock.Now()))
		roles, _ := c.lookup(func(q *v1trail.LookupEventsRequest) {
			q.StartTime, q.EndTime = made.Format("2006-01-02T15:04:05Z"), made.Add(time.Hour).Format("2006-01-02T15:04:05Z")
		})
		return len(roles)
	}
	const day = 24 * time.Hour
	for _, x := range []struct {
		after time.Duration
		want  int
	}{{10*time.Minute - time.Second, 0}, {10 * time.Minute, 1}, {8 * day, 1}, {90 * day, 1}, {90*day + time.Second, 0}} {
		if got := look(x.after); got != x.want {
			t.Errorf("after %s: %d records, want %d", x.after, got, x.want)
		}
	}
}

func TestRecordsAreOfTheLastSevenDaysUnlessAsked(t *testing.T) {
	c := newCloud(t, server.Options{})
	start := c.World.Clock.Now()
	c.makeRole("old", trustsECS, "")
	c.pass(7 * 24 * time.Hour)
	c.makeRole("new", trustsECS, "")
	c.pass(time.Hour)
	at := func(d time.Duration) string { return start.Add(d).Format("2006-01-02T15:04:05Z") }
	for _, x := range []struct {
		start, end string
		want       []string
	}{
		{"", "", []string{"new"}},
		{at(0), at(8 * 24 * time.Hour), []string{"new", "old"}},
		{at(0), at(time.Hour), []string{"old"}},
		{at(time.Second), at(time.Hour), nil},
	} {
		got, _ := c.lookup(func(q *v1trail.LookupEventsRequest) { q.StartTime, q.EndTime = x.start, x.end })
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("from %q to %q: %s", x.start, x.end, diff)
		}
	}
}

func TestAQueryBeyondItsLimitsIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.rolesMade(3)
	c.pass(40 * 24 * time.Hour)
	now := c.World.Clock.Now()
	at := func(d time.Duration) string { return now.Add(-d).Format("2006-01-02T15:04:05Z") }
	const day = 24 * time.Hour
	query := func(change map[string]string) map[string]string {
		q := map[string]string{"StartTime": at(41 * day), "EndTime": at(12 * day), "MaxResults": "2"}
		maps.Copy(q, change)
		return q
	}
	first, err := c.rpc(sharerAdmin, "2020-07-06", "LookupEvents", query(nil))
	c.ok(err)
	next, _ := first["NextToken"].(string)
	for what, x := range map[string]struct {
		change map[string]string
		ok     bool
	}{
		"30 days":                    {map[string]string{"EndTime": at(11 * day)}, true},
		"30 days and a second":       {map[string]string{"EndTime": at(11*day - time.Second)}, false},
		"no end":                     {map[string]string{"EndTime": ""}, false},
		"no start":                   {map[string]string{"StartTime": ""}, false},
		"the end before the start":   {map[string]string{"EndTime": at(42 * day)}, false},
		"two conditions":             {map[string]string{"LookupAttribute.1.Key": "EventName", "LookupAttribute.1.Value": "x", "LookupAttribute.2.Key": "EventRW", "LookupAttribute.2.Value": "Write"}, true},
		"three conditions":           {map[string]string{"LookupAttribute.1.Key": "EventName", "LookupAttribute.2.Key": "EventRW", "LookupAttribute.3.Key": "User"}, false},
		"the next page":              {map[string]string{"NextToken": next}, true},
		"its token with another end": {map[string]string{"NextToken": next, "EndTime": at(13 * day)}, false},
		"its token with a condition": {map[string]string{"NextToken": next, "LookupAttribute.1.Key": "EventRW", "LookupAttribute.1.Value": "Write"}, false},
		"a token that was not given": {map[string]string{"NextToken": "1"}, false},
	} {
		if _, err := c.rpc(sharerAdmin, "2020-07-06", "LookupEvents", query(x.change)); (err == nil) != x.ok {
			t.Errorf("%s: got %v", what, err)
		} else if err != nil {
			wantError(t, err, 400, "InvalidQueryParameter")
		}
	}
}

func TestRecordsAreFoundByOneCondition(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.rolesMade(2)
	_, err := c.ram(sharerAdmin).DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("r-1")})
	c.ok(err)
	c.pass(time.Hour)
	for _, x := range []struct {
		key, value string
		want       []string
	}{
		{"EventName", "DeleteRole", []string{"r-1"}},
		{"EventName", "deleterole", nil},
		{"ResourceName", "r-1", []string{"r-1", "r-1"}},
		{"ResourceType", "ACS::RAM::Role", []string{"r-1", "r-1", "r-0"}},
		{"ServiceName", "Ram", []string{"r-1", "r-1", "r-0"}},
		{"ServiceName", "Ecs", nil},
		{"EventRW", "Write", []string{"r-1", "r-1", "r-0"}},
		{"EventRW", "Read", nil},
		{"User", "local", []string{"r-1", "r-1", "r-0"}},
		{"User", "sharee", nil},
		{"EventAccessKeyId", "local-ak", []string{"r-1", "r-1", "r-0"}},
	} {
		got, _ := c.lookup(func(q *v1trail.LookupEventsRequest) {
			q.LookupAttribute = &[]v1trail.LookupEventsLookupAttribute{{Key: x.key, Value: x.value}}
		})
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s=%s: %s", x.key, x.value, diff)
		}
	}
}
