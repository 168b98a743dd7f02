package server_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

var (
	instanceIDs = regexp.MustCompile(`"(?:InstanceId|ResourceId)":"(i-[^"]*)"`)
	nextTokens  = regexp.MustCompile(`"NextToken":"([^"]+)"`)
)

// listing is an API that lists instances, page by page.
type listing struct {
	version, action string
	params          url.Values
}

// page is a page's instances, in its order, and the next token.
func (l listing) page(c *caller, token string) (ids []string, next string) {
	c.tb.Helper()
	l.params.Set("NextToken", token)
	var body json.RawMessage
	if status := c.call(l.version, l.action, l.params, &body); status != 200 {
		c.tb.Fatalf("%s: %d %s", l.action, status, body)
	}
	for _, m := range instanceIDs.FindAllStringSubmatch(string(body), -1) {
		ids = append(ids, m[1])
	}
	if m := nextTokens.FindStringSubmatch(string(body)); m != nil {
		next = m[1]
	}
	return slices.Compact(ids), next
}

func listings(ids []string) map[string]listing {
	of := func(version, action string, pairs ...string) listing {
		l := listing{version, action, url.Values{"RegionId": {server.Home}, "MaxResults": {"10"}}}
		for kv := range slices.Chunk(pairs, 2) {
			l.params.Set(kv[0], kv[1])
		}
		return l
	}
	sas := of(sasAPI, "DescribeCloudCenterInstances", "UseNextToken", "true", "PageSize", "10")
	sas.params.Del("MaxResults")
	sas.params.Del("RegionId")
	tagged := of(ecsAPI, "ListTagResources", "ResourceType", "instance", "Tag.1.Key", "team", "Tag.1.Value", "a")
	tagged.params.Del("MaxResults") // pages of 50
	return map[string]listing{
		"all":        of(ecsAPI, "DescribeInstances"),
		"by filter":  of(ecsAPI, "DescribeInstances", "Status", "Running"),
		"by tag":     of(ecsAPI, "DescribeInstances", "Tag.1.Key", "team", "Tag.1.Value", "a"),
		"by ids":     of(ecsAPI, "DescribeInstances", "InstanceIds", `["`+strings.Join(ids[:100], `","`)+`"]`),
		"disks":      of(ecsAPI, "DescribeDisks", "Category", "cloud_essd"),
		"assistants": of(ecsAPI, "DescribeCloudAssistantStatus"),
		"tags":       tagged,
		"agents":     sas,
	}
}

// An instance released between two pages is in no later page, and one that stays is in
// exactly one, even when the last instance shown goes, or most of all.
func TestInstancesThatVanishBetweenPagesMoveNoOthers(t *testing.T) {
	const n = 150
	for name := range listings(make([]string, n)) {
		t.Run(name, func(t *testing.T) {
			s := start(t, server.Options{})
			f, err := s.ECS.SeedFleet(ecs.FleetSpec{Count: n, Tags: map[string]string{"team": "a"}})
			if err != nil {
				t.Fatal(err)
			}
			c, l := newCaller(t, s), listings(f.IDs)[name]
			got, next := l.page(c, "")
			want := slices.Clone(got)
			for i, id := range f.IDs {
				if i%3 == 1 {
					if i >= len(got) && (name != "by ids" || i < 100) {
						want = append(want, id)
					}
					continue
				}
				if status := c.call(ecsAPI, "DeleteInstance", url.Values{"InstanceId": {id}, "Force": {"true"}}, nil); status != 200 {
					t.Fatal(status)
				}
			}
			for calls := 0; next != ""; calls++ {
				if calls > n {
					t.Fatal("the listing does not end")
				}
				var more []string
				more, next = l.page(c, next)
				got = append(got, more...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A listing by number has no such memory: what follows moves up. A client that
// may lose nothing must not list by number.
func TestInstancesThatVanishMoveNumberedPages(t *testing.T) {
	s, c, ids := fleetOf(t, 20)
	l := listing{ecsAPI, "DescribeInstances", url.Values{"RegionId": {server.Home}, "PageSize": {"10"}, "PageNumber": {"1"}}}
	first, _ := l.page(c, "")
	_ = c.call(ecsAPI, "DeleteInstance", url.Values{"InstanceId": {ids[0]}, "Force": {"true"}}, nil)
	l.params.Set("PageNumber", "2")
	second, _ := l.page(c, "")
	if len(first) != 10 || len(second) != 9 || slices.Contains(second, ids[10]) {
		t.Errorf("got %d and %v", len(first), second)
	}
	if n := len(s.ECS.Instances()); n != 19 {
		t.Errorf("%d instances are left", n)
	}
}

// Reading changes nothing: neither what is listed nor who listed it shows in any
// product's digest.
func TestReadingChangesNoDigest(t *testing.T) {
	s, c, ids := fleetOf(t, 150)
	digests := func() string {
		_, got := control(t, s, "GET", "world?digest=1", "")
		return fmt.Sprint(got["products"])
	}
	before := digests()
	for _, l := range listings(ids) {
		l.page(c, "")
	}
	for version, actions := range map[string][]string{
		"2020-07-06": {"LookupEvents"}, "2020-03-31": {"ListAccounts", "GetResourceDirectory"}, "2015-04-01": {"GetCallerIdentity"},
		ecsAPI: {"DescribeRegions", "DescribeImages", "DescribeSnapshots", "DescribeInvocations"},
	} {
		for _, action := range actions {
			if status := c.call(version, action, url.Values{"RegionId": {server.Home}}, nil); status != 200 {
				t.Errorf("%s: %d", action, status)
			}
		}
	}
	if after := digests(); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}
