package ram

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Options of RAM.
type Options struct {
	World *simcloud.World
	// Propagation is the virtual time after which other products see a new role
	// or a changed trust policy; 0 stands for 5 s, negative for none. RAM itself
	// sees changes at once. The real delay is not published.
	Propagation time.Duration
	// TagLists is how the tag APIs read lists: [AnyList] if empty.
	TagLists TagLists
}

// RAM is the product. Its exported methods of the API shape are its actions.
type RAM struct {
	world *simcloud.World
	delay time.Duration
	lists TagLists

	mu       sync.RWMutex
	accounts map[string]*account
	keys     map[string]accessKey
	ids      uint64
	record   recorder
}

type account struct {
	id       string
	users    map[string]*principal
	roles    map[string]*role // by lower-case name
	policies map[string]*policy
}

// principal is what policies are attached to.
type principal struct {
	name     string
	id       string
	attached []attachment
}

type attachment struct {
	policy *policy
	at     time.Time
}

type role struct {
	principal
	trust       string
	parsed      *document
	description string
	maxSession  int64
	created     time.Time
	updated     time.Time
	tags        map[string]string
	// Until seenAt, other products see the trust policy before; nil before the
	// role was made.
	seenAt time.Time
	before *document
}

type policy struct {
	name        string
	kind        string // System or Custom
	description string
	versions    []*version
	next        int
	created     time.Time
	updated     time.Time
	tags        map[string]string
	attachments int
}

type version struct {
	id        string
	text      string
	parsed    *document
	isDefault bool
	created   time.Time
}

type accessKey struct {
	secret string
	who    wire.Identity
}

// New returns RAM with the system policies, and without users, roles and custom
// policies, for every account of the world.
func New(o Options) (*RAM, error) {
	o.Propagation = cmp.Or(o.Propagation, 5*time.Second)
	r := &RAM{world: o.World, delay: max(o.Propagation, 0), lists: o.TagLists, accounts: map[string]*account{}, keys: map[string]accessKey{}}
	for _, id := range o.World.Accounts {
		a := &account{id: id, users: map[string]*principal{}, roles: map[string]*role{}, policies: map[string]*policy{}}
		if err := a.addSystemPolicies(o.World.Clock.Now()); err != nil {
			return nil, err
		}
		r.accounts[id] = a
	}
	return r, nil
}

// newID returns a number such as the vendor uses for users and roles. The
// caller holds the mutex.
func (r *RAM) newID() string {
	r.ids++
	return fmt.Sprintf("3%017d", r.ids)
}

// AddUser makes a RAM user with an access key and the named system policies.
func (r *RAM) AddUser(accountID, name, keyID, secret string, systemPolicies ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.accounts[accountID]
	if !ok {
		return fmt.Errorf("adding user %s: no account %s", name, accountID)
	}
	u := &principal{name: name, id: r.newID()}
	for _, p := range systemPolicies {
		pol, ok := a.policies[policyKey("System", p)]
		if !ok {
			return fmt.Errorf("adding user %s: no system policy %s", name, p)
		}
		u.attached = append(u.attached, attachment{pol, r.world.Clock.Now()})
		pol.attachments++
	}
	a.users[name] = u
	who := wire.Identity{Account: accountID, Type: "RAMUser", Name: name, PrincipalID: u.id, AccessKeyID: keyID}
	r.keys[keyID] = accessKey{secret, who}
	return nil
}

// AddRootKey makes an access key of the account itself.
func (r *RAM) AddRootKey(accountID, keyID, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	who := wire.Identity{Account: accountID, Type: "Account", Name: "root", PrincipalID: accountID, AccessKeyID: keyID}
	r.keys[keyID] = accessKey{secret, who}
}

// Key implements wire.Keys for long-term keys, which come without a token: one that comes
// with any is refused.
func (r *RAM) Key(id, token string) (string, wire.Identity, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.keys[id]
	if !ok {
		return "", wire.Identity{}, wire.Errorf(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	if token != "" {
		// Known from practice; the code is assumed to be that of a wrong token.
		return "", wire.Identity{}, wire.Errorf(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.")
	}
	return k.secret, k.who, nil
}

// RoleVisible says what other products see of a role: whether it is there yet,
// and whether its trust policy lets ecs.aliyuncs.com assume it.
func (r *RAM) RoleVisible(accountID, name string) (exists, trustsECS bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := r.visibleTrust(accountID, name)
	return d != nil, d != nil && d.trusts("Service", "ecs.aliyuncs.com", nil)
}

// Trusts reports whether the role's trust policy, as other products see it,
// lets a service assume it, such as ("Service", "fc.aliyuncs.com", nil) or
// "2000…@ecs.aliyuncs.com" with the condition keys of the service's owner.
func (r *RAM) Trusts(accountID, name, service string, keys map[string]string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := r.visibleTrust(accountID, name)
	return d != nil && d.trusts("Service", service, keys)
}

func (r *RAM) visibleTrust(accountID, name string) *document {
	x := r.role(accountID, name)
	if x == nil {
		return nil
	}
	if r.world.Clock.Now().Before(x.seenAt) {
		return x.before
	}
	return x.parsed
}

// role finds a role; nil when there is none. RAM does not tell names apart by
// case. The caller holds the mutex.
func (r *RAM) role(accountID, name string) *role {
	a := r.accounts[accountID]
	if a == nil {
		return nil
	}
	return a.roles[strings.ToLower(name)]
}

// Role is what STS needs to know of a role.
type Role struct {
	Name       string
	ID         string
	MaxSession time.Duration
}

// FindRole returns a role by name.
func (r *RAM) FindRole(accountID, name string) (Role, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	x := r.role(accountID, name)
	if x == nil {
		return Role{}, false
	}
	return Role{x.name, x.id, time.Duration(x.maxSession) * time.Second}, true
}

// TrustsCaller reports whether the role's trust policy names the caller's
// account, or the caller itself.
func (r *RAM) TrustsCaller(accountID, name string, who wire.Identity, keys map[string]string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	x := r.role(accountID, name)
	if x == nil {
		return false
	}
	self := "acs:ram::" + who.Account + ":user/" + who.Name
	if who.Type == "AssumedRoleUser" {
		self = "acs:ram::" + who.Account + ":role/" + who.Name
	}
	return x.parsed.trusts("RAM", "acs:ram::"+who.Account+":root", keys) || x.parsed.trusts("RAM", self, keys)
}

func roleARN(accountID, name string) string { return "acs:ram::" + accountID + ":role/" + name }

// resource names a RAM resource as policies write it.
func resource(accountID, kind, name string) string {
	return "acs:ram:*:" + accountID + ":" + kind + "/" + name
}

// stamp is how RAM writes times.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
