package ram

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"fleetwarden/deploy/local/simcloud/wire"
)

// rights are what RAM is asked about by its own APIs, as the vendor's table names them; the
// tag APIs ask in their methods.
var rights = map[string][]string{
	"AttachPolicyToRole":   {aRole, aPolicy},
	"CreatePolicy":         {"acs:ram:*:$Account:policy/*"},
	"CreatePolicyVersion":  {aPolicy},
	"CreateRole":           {"acs:ram:*:$Account:role/*"},
	"DeletePolicy":         {aPolicy},
	"DeletePolicyVersion":  {aPolicy},
	"DeleteRole":           {aRole},
	"DetachPolicyFromRole": {aRole, aPolicy},
	"GetPolicy":            {aPolicy},
	"GetRole":              {aRole},
	"ListPoliciesForRole":  {aRole},
	"ListPolicyVersions":   {aPolicy},
	"UpdateRole":           {aRole},
}

const (
	aRole   = "acs:ram:*:$Account:role/$RoleName"
	aPolicy = "acs:ram:*:$Owner:policy/$PolicyName"
)

// Enter implements wire.Guarded.
func (r *RAM) Enter(c *wire.Call) (sync.Locker, error) {
	asked := rights[c.Action]
	if asked == nil {
		return nil, nil
	}
	return &r.mu, c.Ask("ram:"+c.Action, asked...)
}

// Allowed implements wire.Authorizer: the account itself may do anything, a user
// or role what its policies allow, a session no more than its session policy.
// It records the question and the answer.
func (r *RAM) Allowed(who wire.Identity, action, resource string, conditions map[string]string) bool {
	ok := r.decide(who, ask{action, resource, conditions})
	r.record.add(who, action, resource, ok)
	return ok
}

func (r *RAM) decide(who wire.Identity, q ask) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if who.Type == "Account" {
		// The account owns its own resources and no others.
		owner := strings.Split(q.resource, ":")
		return len(owner) < 4 || owner[3] == who.Account || owner[3] == "*"
	}
	p := r.principal(who)
	if p == nil {
		return false
	}
	if evaluate(p.documents(), q) != allowed {
		return false
	}
	if who.SessionPolicy == "" {
		return true
	}
	d, err := parsePolicy(who.SessionPolicy)
	return err == nil && evaluate([]*document{d}, q) == allowed
}

// principal finds who signed, nil when it is gone: a session outlives its role,
// but not the role's rights.
func (r *RAM) principal(who wire.Identity) *principal {
	a := r.accounts[who.Account]
	if a == nil {
		return nil
	}
	switch who.Type {
	case "RAMUser":
		return a.users[who.Name]
	case "AssumedRoleUser":
		if x := a.roles[strings.ToLower(who.Name)]; x != nil {
			return &x.principal
		}
	}
	return nil
}

func (p *principal) documents() []*document {
	out := make([]*document, 0, len(p.attached))
	for _, a := range p.attached {
		out = append(out, a.policy.current().parsed)
	}
	return out
}

// Permission is one question that a caller's calls raised, with its answer.
type Permission struct {
	Account  string `json:"account"`
	Type     string `json:"type"`
	Caller   string `json:"caller"`
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Allowed  bool   `json:"allowed"`
}

// maxPermissions bounds the record. Past it, resources of the same action are
// recorded together, as "(many)"; no action is ever left out.
const maxPermissions = 20_000

type recorder struct {
	mu   sync.Mutex
	seen map[Permission]int
}

func (c *recorder) add(who wire.Identity, action, resource string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[Permission]int{}
	}
	p := Permission{who.Account, who.Type, who.Name, action, resource, ok}
	if _, known := c.seen[p]; !known && len(c.seen) >= maxPermissions {
		p.Resource = "(many)"
	}
	c.seen[p]++
}

// UsedPermission is a Permission and how often it was asked for.
type UsedPermission struct {
	Permission
	Count int `json:"count"`
}

// Permissions returns all that was asked since start, in a fixed order: what is
// not allowed is missing in a policy, and what a policy allows and this list
// does not hold is unused.
func (r *RAM) Permissions() []UsedPermission {
	c := &r.record
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]UsedPermission, 0, len(c.seen))
	for p, n := range c.seen {
		out = append(out, UsedPermission{p, n})
	}
	slices.SortFunc(out, func(a, b UsedPermission) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Caller, b.Caller),
			cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource), boolRank(a.Allowed)-boolRank(b.Allowed))
	})
	return out
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
