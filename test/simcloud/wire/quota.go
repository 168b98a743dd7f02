package wire

import (
	"fmt"
	"sync"
	"time"
)

// Quota limits calls of one API per account and region in a window of virtual
// time. An empty Action stands for all APIs of the product, each for itself; an
// empty Product for all products. The first that fits holds.
type Quota struct {
	Product string        `json:"product,omitempty"`
	Action  string        `json:"action,omitempty"`
	Calls   int           `json:"calls"`
	Window  time.Duration `json:"window"`
}

// defaultQuota is generous: virtual time stands still while anybody works, so a
// whole sweep falls into one minute.
var defaultQuota = Quota{Calls: 1_000_000, Window: time.Minute}

// PublishedQuotas returns the limits that the vendor has published for the APIs
// served here. They count virtual time.
func PublishedQuotas() []Quota {
	q := func(p, a string, n int, w time.Duration) Quota { return Quota{p, a, n, w} }
	return []Quota{
		// RAM: api-ram-2015-05-01-quota.
		q("ram", "CreateRole", 20, time.Second), q("ram", "DeleteRole", 20, time.Second),
		q("ram", "GetRole", 100, time.Second), q("ram", "AttachPolicyToRole", 10, time.Second),
		q("ram", "DetachPolicyFromRole", 10, time.Second), q("ram", "ListPoliciesForRole", 100, time.Second),
		q("ram", "CreatePolicyVersion", 20, time.Second), q("ram", "DeletePolicy", 20, time.Second),
		q("ram", "ListPolicies", 100, time.Second), q("ram", "ListEntitiesForPolicy", 100, time.Second),
		// STS: api-sts-2015-04-01-quota.
		q("sts", "AssumeRole", 100, time.Second), q("sts", "GetCallerIdentity", 100, time.Second),
		// KMS: the older, lower figure for reads of metadata.
		q("kms", "", 20, time.Second),
		// ECS: api-ecs-2014-05-26-quota, as far as the page could be read.
		q("ecs", "CreateCommand", 1000, time.Minute),
		// Security Center: field comment of DescribeInstallCodes.
		q("sas", "DescribeInstallCodes", 10, time.Second),
		// ActionTrail: limits page.
		q("actiontrail", "LookupEvents", 2, time.Second),
	}
}

type quotaKey struct{ account, region, product, action string }

type quotaCount struct {
	window time.Time
	calls  int
}

type quota struct {
	mu    sync.Mutex
	rules []Quota
	used  map[quotaKey]quotaCount
}

// take counts one call, or refuses it. A window begins at a whole multiple of
// its length: what is throttled in one minute goes through in the next.
func (q *quota) take(c *Call, now time.Time) error {
	rule := q.rule(c.Product, c.Action)
	k := quotaKey{c.Caller.Account, c.Region, c.Product, c.Action}
	window := now.Truncate(rule.Window)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.used == nil {
		q.used = map[quotaKey]quotaCount{}
	}
	u := q.used[k]
	if !u.window.Equal(window) {
		u = quotaCount{window: window}
	}
	u.calls++
	q.used[k] = u
	if u.calls <= rule.Calls {
		return nil
	}
	if c.Product == "kms" {
		return Errorf(429, "Rejected.Throttling", "QPS Limit Exceeded")
	}
	return Errorf(400, "Throttling.User", "Request was denied due to user flow control.")
}

func (q *quota) rule(product, action string) Quota {
	for _, r := range q.rules {
		if (r.Product == "" || r.Product == product) && (r.Action == "" || r.Action == action) && r.Window > 0 {
			return r
		}
	}
	return defaultQuota
}

// timeLeft is the value of the header X-RateLimit-User-API: how long until the
// next minute, in milliseconds.
func timeLeft(now time.Time) string {
	left := now.Truncate(time.Minute).Add(time.Minute).Sub(now)
	return fmt.Sprintf("Limit:1,Remain:0,TimeLeft:%d,Reset:%d", left.Milliseconds(), now.Add(left).UnixMilli())
}
