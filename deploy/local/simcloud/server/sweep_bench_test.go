package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
)

// caller sends signed API calls over HTTP, without an SDK's own costs.
type caller struct {
	tb    testing.TB
	url   string
	nonce int
	http  http.Client
}

func newCaller(tb testing.TB, s *server.Server) *caller { return &caller{tb: tb, url: s.URL()} }

var emptySum = sha256.Sum256(nil)

// call sends one call as the home account's administrator and decodes the
// answer; the status is returned.
func (c *caller) call(version, action string, params url.Values, out any) int {
	c.tb.Helper()
	r, err := http.NewRequestWithContext(c.tb.Context(), http.MethodPost, c.url+"/?"+params.Encode(), nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.nonce++
	signed := []string{"host"}
	for k, v := range map[string]string{
		"x-acs-action": action, "x-acs-version": version, "x-acs-date": time.Now().UTC().Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": strconv.Itoa(c.nonce), "x-acs-content-sha256": hex.EncodeToString(emptySum[:]),
	} {
		r.Header.Set(k, v)
		signed = append(signed, k)
	}
	slices.Sort(signed)
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=local-ak,SignedHeaders="+strings.Join(signed, ";")+",Signature="+wire.SignV3(r, signed, "local-sk"))
	resp, err := c.http.Do(r)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && out != nil {
		err = json.Unmarshal(body, out)
	}
	if err != nil {
		c.tb.Fatalf("%s: %v in %s", action, err, body)
	}
	return resp.StatusCode
}

const (
	ecsAPI = "2014-05-26"
	sasAPI = "2018-12-03"
	fleet  = 100_000
)

func seeded(b *testing.B) (*caller, []string) {
	b.Helper()
	s, err := server.New(server.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	f, err := s.ECS.SeedFleet(ecs.FleetSpec{Count: fleet, Drift: map[string]float64{"badDisk": 0.01, "noRole": 0.01, "noAgent": 0.01}})
	if err != nil {
		b.Fatal(err)
	}
	return newCaller(b, s), f.IDs
}

func BenchmarkSeedFleetOverHTTP(b *testing.B) {
	for b.Loop() {
		s, err := server.New(server.Options{})
		if err != nil {
			b.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		resp, err := http.Post(s.URL()+"/_sim/fleet", "application/json", strings.NewReader(`{"count":100000,"drift":{"noRole":0.01,"badDisk":0.01,"noAgent":0.01}}`))
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
		_ = resp.Body.Close()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
		start := time.Now()
		resp, err = http.Get(s.URL() + "/_sim/world?digest=1")
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
		_ = resp.Body.Close()
		b.ReportMetric(time.Since(start).Seconds(), "digest-s")
		_ = s.Close()
	}
}

func BenchmarkInstancesPaged(b *testing.B) {
	c, _ := seeded(b)
	for b.Loop() {
		n, token := 0, ""
		for more := true; more; more = token != "" {
			var out struct {
				Instances struct{ Instance []struct{ InstanceId string } }
				NextToken string
			}
			c.call(ecsAPI, "DescribeInstances", url.Values{"RegionId": {"cn-hangzhou"}, "MaxResults": {"100"}, "NextToken": {token}}, &out)
			n, token = n+len(out.Instances.Instance), out.NextToken
		}
		if n != fleet {
			b.Fatal(n)
		}
	}
}

func BenchmarkRolesByIDs(b *testing.B) {
	c, ids := seeded(b)
	for b.Loop() {
		for page := range slices.Chunk(ids, 50) {
			text, _ := json.Marshal(page)
			if c.call(ecsAPI, "DescribeInstanceRamRole", url.Values{"RegionId": {"cn-hangzhou"}, "InstanceIds": {string(text)}, "PageSize": {"50"}}, nil) != 200 {
				b.Fatal("refused")
			}
		}
	}
}

func BenchmarkAgentsByIDs(b *testing.B) {
	c, ids := seeded(b)
	for b.Loop() {
		for page := range slices.Chunk(ids, 100) {
			var criteria []map[string]string
			for _, id := range page {
				criteria = append(criteria, map[string]string{"name": "instanceId", "value": id})
			}
			text, _ := json.Marshal(criteria)
			var out struct{ Instances []struct{ InstanceId string } }
			c.call(sasAPI, "DescribeCloudCenterInstances", url.Values{"Criteria": {string(text)}, "LogicalExp": {"OR"}, "MachineTypes": {"ecs"}, "PageSize": {"100"}}, &out)
			if len(out.Instances) != 100 {
				b.Fatal(len(out.Instances))
			}
		}
	}
}

func BenchmarkDisksOfACategory(b *testing.B) {
	c, _ := seeded(b)
	for b.Loop() {
		for _, category := range []string{"cloud", "cloud_efficiency", "cloud_ssd", "cloud_auto", "cloud_essd_entry"} {
			n, token := 0, ""
			for more := true; more; more = token != "" {
				var out struct {
					Disks     struct{ Disk []struct{ InstanceId string } }
					NextToken string
				}
				c.call(ecsAPI, "DescribeDisks", url.Values{"RegionId": {"cn-hangzhou"}, "Category": {category}, "DiskType": {"system"}, "MaxResults": {"500"}, "NextToken": {token}}, &out)
				n, token = n+len(out.Disks.Disk), out.NextToken
			}
			if category == "cloud_efficiency" && n != fleet/100 {
				b.Fatal(n)
			}
		}
	}
}

func BenchmarkAssistantsByIDs(b *testing.B) {
	c, ids := seeded(b)
	for b.Loop() {
		for page := range slices.Chunk(ids, 50) {
			q := url.Values{"RegionId": {"cn-hangzhou"}}
			for n, id := range page {
				q.Set(fmt.Sprintf("InstanceId.%d", n+1), id)
			}
			if c.call(ecsAPI, "DescribeCloudAssistantStatus", q, nil) != 200 {
				b.Fatal("refused")
			}
		}
	}
}
