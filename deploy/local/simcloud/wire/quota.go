package wire

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Quota limits calls of one API per account and region in a window of virtual
// time. An empty Action stands for all APIs of the product, each for itself; an
// empty Product for all RPC products. The first that fits holds.
type Quota struct {
	Product string        `json:"product,omitempty"`
	Action  string        `json:"action,omitempty"`
	Calls   int           `json:"calls"`
	Window  time.Duration `json:"window"`
}

// defaultQuota is generous: virtual time stands still while work is under way, so a
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
		// STS: api-sts-2015-04-01-quota.
		q("sts", "AssumeRole", 100, time.Second), q("sts", "GetCallerIdentity", 100, time.Second),
		// KMS: the older, lower figure for reads of metadata.
		q("kms", "", 20, time.Second),
		// ECS: api-ecs-2014-05-26-quota, as far as the page could be read.
		q("ecs", "CreateCommand", 1000, time.Minute),
		// Security Center: field comment of DescribeInstallCodes.
		q("sas", "DescribeInstallCodes", 10, time.Second),
		// Resource Directory: api-resourcemanager-2020-03-31-quota.
		q("resourcemanager", "ListAccounts", 20, time.Second),
		// DirectMail: api-dm-2015-11-23-quota.
		q("dm", "SingleSendMail", 100, time.Second),
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

// SetQuotas replaces the quotas; none stand for a generous default. What was
// called before does not count any more. It refuses APIs that are not known and
// windows that are not above 0.
func (r *Router) SetQuotas(rules []Quota) error {
	for _, x := range rules {
		if err := r.checkQuota(x); err != nil {
			return fmt.Errorf("setting quotas: %w", err)
		}
	}
	r.quota.mu.Lock()
	defer r.quota.mu.Unlock()
	r.quota.rules, r.quota.used = slices.Clone(rules), map[quotaKey]quotaCount{}
	return nil
}

func (r *Router) checkQuota(x Quota) error {
	if x.Calls < 0 || x.Window <= 0 {
		return fmt.Errorf("%s %s: %d calls in %s", x.Product, x.Action, x.Calls, x.Window)
	}
	if x.Product == "" {
		if x.Action != "" {
			return fmt.Errorf("%s is an API of no product", x.Action)
		}
		return nil
	}
	p, ok := r.table.Product(x.Product)
	if !ok {
		return fmt.Errorf("no product %q", x.Product)
	}
	if _, ok := p.Actions[x.Action]; !ok && x.Action != "" {
		return fmt.Errorf("%s has no API %q", x.Product, x.Action)
	}
	return nil
}

// take counts one call, or refuses it and says, as the header
// X-RateLimit-User-API does, how long. A window begins at a whole multiple of
// its length: what is throttled in one minute goes through in the next.
func (q *quota) take(c *Call, now time.Time) (left string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rule := q.rule(c.Product, c.Action)
	k := quotaKey{c.Caller.Account, c.Region, c.Product, c.Action}
	window := now.Truncate(rule.Window)
	u := q.used[k]
	if !u.window.Equal(window) {
		u = quotaCount{window: window}
	}
	u.calls++
	q.used[k] = u
	if u.calls <= rule.Calls {
		return "", nil
	}
	end := window.Add(rule.Window)
	left = fmt.Sprintf("Limit:%d,Remain:0,TimeLeft:%d,Reset:%d", rule.Calls, end.Sub(now).Milliseconds(), end.UnixMilli())
	if c.Product == "kms" {
		return left, Errorf(429, "Rejected.Throttling", "QPS Limit Exceeded")
	}
	return left, Errorf(400, "Throttling.User", "Request was denied due to user flow control.")
}

func (q *quota) rule(product, action string) Quota {
	for _, r := range q.rules {
		if (r.Product == "" || r.Product == product) && (r.Action == "" || r.Action == action) {
			return r
		}
	}
	return defaultQuota
}
