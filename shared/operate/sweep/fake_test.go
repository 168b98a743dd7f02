package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
	"fleetwarden/shared/rules/verdict"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// failure is an error with a class, as the clients return them.
type failure struct {
	class fleet.Class
	after time.Duration
}

func (f failure) Error() string             { return f.class.String() }
func (f failure) Class() fleet.Class        { return f.class }
func (f failure) RetryAfter() time.Duration { return f.after }

// doer does what a pass asks of the outside: "put NAME", "page SCOPE", "notify …".
type doer func(op string, effect func() error) error

// fine does everything.
func fine(_ string, effect func() error) error { return effect() }

// failing fails what begins so, as often as it says; then it is fine.
func failing(err error, times int, prefixes ...string) doer {
	return func(op string, effect func() error) error {
		if times > 0 && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(op, p) }) {
			times--
			return err
		}
		return effect()
	}
}

// message is one in the sweep's inbox.
type message struct {
	ref   fleet.Ref
	after time.Duration
}

// cloud is the accounts, the store and the inboxes, all in memory.
type cloud struct {
	policy   *policy.Policy
	accounts []fleet.AccountID
	// fleets are the ids of the instances by scope; pages hold three. One whose id ends
	// in "x" lacks a role, in "y" an agent, in "xy" both,
	// in "s" the role and what it is, in "r" has another role; in "e" is exempt, in "p" pending.
	fleets map[fleet.Scope][]string
	// as are endings that ids have taken since, and offline agents have "o": a violation
	// once a sweep has found them so an hour ago. With "m" and "n" it is not known whether the
	// rules of one control are asked, with "-" none is. With "g" it violates a rule that has a
	// grace of a day.
	as map[string]string
	// twice says that each page comes a second time.
	twice bool
	// circles is a scope whose listing has two tokens for its last page, by turns.
	circles fleet.Scope
	// shared is how many things an account shares; with one more than ten its role drifts.
	shared map[fleet.AccountID]int
	// budget is how many API calls a pass may spend.
	budget int
	ledger reconcile.Ledger
	// open are intents left open.
	open []fleet.Entry

	now       time.Time
	objects   map[string][]byte
	inbox     []message
	notified  map[string]int
	records   []fleet.Record
	published []sweep.Result
	calls     int // of all passes
	// dead says that the pass at work was killed: it reaches nothing any more.
	dead bool
}

const (
	one = fleet.AccountID("1000000000000001")
	two = fleet.AccountID("1000000000000002")
)

func at(a fleet.AccountID, r fleet.Region) fleet.Scope { return fleet.Scope{Account: a, Region: r} }

// newCloud has two accounts, one region without anything, and drift in most places.
func newCloud() *cloud {
	p := policy.Default()
	p.InstanceRole.Mode, p.ShareRole.Mode = policy.Enforce, policy.Enforce
	p.Limits.PercentAbove, p.Limits.PerPass = 100, 1
	p.Exemptions = []policy.Exemption{{Control: policy.ControlInstanceRole, Owner: "eva", Reason: "old", Instances: []string{"h3e"},
		Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.FixedZone("", 8*3600))}}
	return &cloud{
		policy: p, accounts: []fleet.AccountID{one, two}, budget: 2, now: noon,
		fleets: map[fleet.Scope][]string{
			at(one, "cn-hangzhou"): {"h1", "h2x", "h3e", "h4y", "h5xy", "h6", "h7x", "h8p", "h9", "h10x"},
			at(one, "cn-shanghai"): {},
			at(two, "cn-hangzhou"): {"g1", "g2x", "g3", "g4"},
		},
		shared:  map[fleet.AccountID]int{one: 11, two: 3},
		objects: map[string][]byte{}, notified: map[string]int{},
	}
}

// view is the cloud as one pass sees it.
type view struct {
	*cloud
	do    doer
	meter map[string]map[string]int
	left  int
	// excess allows calls beyond what is left.
	excess bool
}

func (v *view) Now() time.Time                   { return v.now }
func (v *view) Left() int                        { return v.left }
func (v *view) Excess(allowed bool)              { v.excess = allowed }
func (v *view) Calls() map[string]map[string]int { return v.meter }

// call is one API call.
func (v *view) call(api, op string, effect func() error) error {
	if v.left <= 0 && !v.excess {
		return failure{class: fleet.OutOfBudget}
	}
	v.left--
	v.cloud.calls++
	err := v.do(op, effect)
	result := "ok"
	if err != nil {
		result = fleet.ClassOf(err).String()
	}
	if v.meter[api] == nil {
		v.meter[api] = map[string]int{}
	}
	v.meter[api][result]++
	return err
}

func (v *view) Put(_ context.Context, name string, body []byte) error {
	return v.do("put "+name, func() error {
		if _, ok := v.objects[name]; ok {
			return failure{class: fleet.Exists}
		}
		v.objects[name] = slices.Clone(body)
		return nil
	})
}

func (v *view) Get(_ context.Context, name string) (body []byte, err error) {
	err = v.do("get "+name, func() error {
		var ok bool
		if body, ok = v.objects[name]; !ok {
			return failure{class: fleet.NotFound}
		}
		return nil
	})
	return body, err
}

// List has pages of three names.
func (v *view) List(_ context.Context, prefix, after string) (page []string, more bool, err error) {
	err = v.do("list "+prefix, func() error {
		for _, name := range slices.Sorted(maps.Keys(v.objects)) {
			if strings.HasPrefix(name, prefix) && name > after {
				page = append(page, name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return page[:min(3, len(page))], len(page) > 3, nil
}

// Page implements [sweep.Lister]. A token is where the page begins.
func (v *view) Page(_ context.Context, s fleet.Scope, token string) (page []fleet.Instance, next string, err error) {
	err = v.call("ecs:DescribeInstances", fmt.Sprintf("page %s %s", s, token), func() error {
		var from, again int
		if token != "" {
			if _, err := fmt.Sscanf(token, "%d.%d", &from, &again); err != nil {
				return failure{class: fleet.Invalid}
			}
		}
		ids := v.fleets[s]
		to := min(from+3, len(ids))
		for _, id := range ids[from:to] {
			page = append(page, fleet.Instance{Ref: fleet.Ref{Scope: s, Kind: fleet.KindInstance, ID: id}, Listed: fleet.See(fleet.Listing{})})
		}
		if v.twice && again == 0 {
			next = fmt.Sprintf("%d.1", from)
		} else if to < len(ids) {
			next = fmt.Sprintf("%d.0", to)
		} else if s == v.circles {
			next = fmt.Sprintf("%d.%d", from, 1-again)
		}
		return nil
	})
	return page, next, err
}

// world is the control over instances.
func (v *view) world(_ context.Context, account fleet.AccountID) (reconcile.Control[*fleet.World], error) {
	return reconcile.Control[*fleet.World]{
		Observe: func(_ context.Context, b fleet.Batch) (*fleet.World, error) {
			w := &fleet.World{Scope: b.Scope, At: v.now}
			ids := []string{}
			for _, r := range b.Refs {
				ids = append(ids, r.ID)
				w.Instances = append(w.Instances, fleet.Instance{Ref: r, Listed: fleet.See(fleet.Listing{VPC: "vpc-" + r.ID})})
			}
			return w, v.do(fmt.Sprintf("observe %s %s", b.Scope, strings.Join(ids, ",")), func() error { return nil })
		},
		Decide: func(w *fleet.World, p *policy.Policy) (out []fleet.Verdict) {
			for _, in := range w.Instances {
				end, ok := v.as[in.Ref.ID]
				if !ok {
					end = strings.TrimLeft(in.Ref.ID[1:], "0123456789")
				}
				out = append(out, verdicts(w, in, end, p)...)
			}
			return out
		},
		Steps: []reconcile.Step{{Kind: fleet.AttachRole, Act: func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
			panic("a sweep acts in account " + account)
		}}},
	}, v.do("reach "+string(account), func() error { return nil })
}

func verdicts(w *fleet.World, in fleet.Instance, end string, p *policy.Policy) []fleet.Verdict {
	r := in.Ref
	role := fleet.Verdict{Ref: r, Control: policy.ControlInstanceRole, Rule: "systrust-role", Outcome: fleet.Passes}
	agent := fleet.Verdict{Ref: r, Control: policy.ControlAgent, Rule: "agent-online", Outcome: fleet.Passes}
	switch end {
	case "o":
		agent.Outcome, agent.Severity, agent.Patience, agent.Since = fleet.Violation, fleet.High, time.Hour, in.Found.V[agent.Rule]
		if !agent.Matured(w.At) {
			agent.Outcome, agent.Severity = fleet.Pending, ""
		}
	case "e":
		if _, ok := p.Exempt(role.Control, role.Rule, r, fleet.Fact[fleet.Listing]{}, noon); ok {
			role.Outcome = fleet.Exempted
		}
	case "p":
		role.Outcome, role.Again = fleet.Pending, time.Minute
	case "i":
		agent = fleet.Verdict{Ref: r, Control: policy.ControlAgent, Rule: "trust-client",
			Outcome: fleet.NotAssessable, Remark: true, Reason: "no API shows it"}
	case "k":
		agent = fleet.Verdict{Ref: fleet.Ref{Scope: r.Scope, Kind: fleet.KindAccount}, Control: policy.ControlTrustedInstance, Rule: "kms-enabled",
			Outcome: fleet.Violation, Severity: fleet.Medium}
	case "g":
		role.Control, role.Rule, role.Outcome, role.Severity = policy.ControlTrustedInstance, "vpc", fleet.Violation, fleet.High
		if role.Patience, role.Since = 24*time.Hour, in.Found.V["vpc"]; role.Matured(w.At) {
			role.Changes = []fleet.Change{{Kind: fleet.TagInstance, Ref: r, Want: "tag"}}
		}
	case "n":
		role.Rule, role.Outcome, role.Severity = "instance", fleet.Undecided, fleet.Medium
	case "-":
		return nil
	case "u":
		agent.Outcome, agent.Severity = fleet.Undecided, fleet.Medium
	default:
		if strings.Contains(end, "x") {
			role.Outcome, role.Severity = fleet.Violation, fleet.High
			role.Changes = []fleet.Change{{Kind: fleet.AttachRole, Ref: r, Want: "role"}}
		}
		if end == "S" { // the role of many lacks something
			role.Outcome, role.Severity = fleet.Violation, fleet.High
			role.Changes = []fleet.Change{{Kind: fleet.GrantRole, Ref: fleet.Ref{Scope: fleet.Scope{Account: r.Scope.Account}, Kind: fleet.KindRole, ID: "app"}, Want: "policy"}}
		}
		if strings.Contains(end, "s") { // and the role itself is missing
			role.Outcome, role.Severity = fleet.Violation, fleet.High
			shared := fleet.Ref{Scope: fleet.Scope{Account: r.Scope.Account}, Kind: fleet.KindRole, ID: "role"}
			role.Changes = []fleet.Change{{Kind: fleet.EnsureRole, Ref: shared, Want: "policy"}, {Kind: fleet.AttachRole, Ref: r, Want: "role"}}
		}
		if strings.Contains(end, "r") { // another role, which the policy replaces
			role.Outcome, role.Severity = fleet.Conflict, fleet.High
			role.Changes = []fleet.Change{{Kind: fleet.ReplaceRole, Ref: r, Before: "theirs", Want: "role"}}
		}
		if strings.Contains(end, "m") {
			agent.Rule, agent.Outcome, agent.Severity = "instance", fleet.Undecided, fleet.Medium
		}
		if strings.Contains(end, "y") {
			agent.Outcome, agent.Severity = fleet.Violation, fleet.Medium
			agent.Changes = []fleet.Change{{Kind: fleet.PushAgent, Ref: r, Want: "linux"}}
		}
	}
	return []fleet.Verdict{verdict.Enforce(p, role, in.Listed, nil), verdict.Enforce(p, agent, in.Listed, nil)}
}

// sharing is the control over what accounts share.
func (v *view) sharing(_ context.Context, account fleet.AccountID) (reconcile.Control[*fleet.ShareWorld], error) {
	return reconcile.Control[*fleet.ShareWorld]{
		Observe: func(_ context.Context, b fleet.Batch) (*fleet.ShareWorld, error) {
			w := &fleet.ShareWorld{Account: b.Scope.Account, At: v.now}
			err := v.call("ram:GetRole", "observe "+b.Scope.String(), func() error { return nil })
			for _, r := range b.Refs {
				side := fleet.ShareSide{Ref: r}
				if r.Kind == fleet.KindImageShare {
					side.Regions = fleet.See([]fleet.ShareRegion{{Resources: make([]fleet.SharedResource, v.shared[account])}})
				}
				w.Sides = append(w.Sides, side)
			}
			return w, err
		},
		Decide: func(w *fleet.ShareWorld, _ *policy.Policy) (out []fleet.Verdict) {
			for _, side := range w.Sides {
				x := fleet.Verdict{Ref: side.Ref, Control: policy.ControlShareRole, Rule: "share-trust", Outcome: fleet.Passes}
				if side.Ref.Kind == fleet.KindImageShare && v.shared[account] > 10 {
					x.Outcome, x.Severity = fleet.Violation, fleet.Critical
					x.Changes = []fleet.Change{{Kind: fleet.SetShareTrust, Ref: fleet.Ref{Scope: side.Ref.Scope, Kind: fleet.KindRole, ID: "role"}}}
				}
				out = append(out, x)
			}
			return out
		},
	}, v.do("reach "+string(account), func() error { return nil })
}

// sweep is what one pass works with.
func (c *cloud) sweep(do doer) *sweep.Sweep {
	v := &view{cloud: c, do: do, meter: map[string]map[string]int{}, left: c.budget}
	return &sweep.Sweep{
		Store: v, Fleet: v.world, Shares: v.sharing,
		Lister: func(_ context.Context, account fleet.AccountID) (sweep.Lister, error) {
			return v, v.do("lister "+string(account), func() error { return nil })
		},
		Enqueue: func(_ context.Context, function string, region fleet.Region, refs []fleet.Ref) error {
			return v.do(fmt.Sprintf("notify %s %s", function, region), func() error {
				for _, r := range refs {
					c.notified[fmt.Sprintf("%s@%s: %s", function, region, r)]++
				}
				return nil
			})
		},
		Wake: func(_ context.Context, refs []fleet.Ref, after time.Duration) error {
			return v.do("wake", func() error {
				for _, r := range refs {
					c.inbox = append(c.inbox, message{r, after})
				}
				return nil
			})
		},
		Settle: func(_ context.Context, _ time.Time, scope fleet.Scope) iter.Seq2[fleet.Entry, error] {
			return func(yield func(fleet.Entry, error) bool) {
				for _, e := range c.open {
					if e.Refs()[0].Scope == scope && !yield(e, nil) {
						return
					}
				}
			}
		},
		Publish: func(_ context.Context, r sweep.Result) error {
			return v.do("publish", func() error {
				body, err := report.EncodeSummary(r.Summary)
				c.objects[sweep.SummaryObject(r.Start.Run)] = body
				c.published = append(c.published, r)
				return err
			})
		},
		Options: reconcile.Options{Policy: c.policy, Meter: v, Ledger: c.ledger, CallsPerBatch: 1,
			Stamp: fleet.Record{Run: "request", Function: "sweep", Policy: "digest"},
			Record: func(r fleet.Record) error {
				return v.do("record", func() error { c.records = append(c.records, r); return nil })
			}},
	}
}

func (c *cloud) where() sweep.Where {
	return sweep.Where{Accounts: c.accounts, Regions: func(_ context.Context, a fleet.AccountID) ([]fleet.Region, error) {
		var out []fleet.Region
		for s := range c.fleets {
			if s.Account == a {
				out = append(out, s.Region)
			}
		}
		return out, nil
	}}
}

// begin begins a sweep, as often as the platform tries.
func (c *cloud) begin(t tester, do doer) string {
	t.Helper()
	for range 5 {
		run, err := c.sweep(do).Begin(t.Context(), c.where(), false)
		if err == nil && !c.dead {
			return run
		}
		c.dead = false
	}
	t.Fatal("no sweep was begun")
	return ""
}

// deliver takes the next message that is due, as often as the platform tries.
func (c *cloud) deliver(t tester, do doer) (fleet.Pass, error) {
	t.Helper()
	slices.SortStableFunc(c.inbox, func(a, b message) int { return int(a.after - b.after) })
	m := c.inbox[0]
	c.inbox = c.inbox[1:]
	c.now = c.now.Add(m.after)
	for i := range c.inbox {
		c.inbox[i].after = max(0, c.inbox[i].after-m.after)
	}
	var sum fleet.Pass
	var err error
	for range 4 {
		sum, err = c.sweep(do).Shard(t.Context(), m.ref)
		if err == nil && !c.dead {
			return sum, nil
		}
		c.dead = false
	}
	return sum, err
}

// wait is a clock for who sleeps.
func (c *cloud) wait(_ context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return nil
}

// drain delivers messages until there is none.
func (c *cloud) drain(t tester, do doer) {
	t.Helper()
	for n := 0; len(c.inbox) > 0; n++ {
		if n > 5000 {
			t.Fatal("the sweep does not end")
		}
		if _, err := c.deliver(t, do); err != nil {
			t.Fatalf("the platform gave a message up: %v", err)
		}
	}
}

// swept is a whole sweep, and what it came to.
func (c *cloud) swept(t tester, do doer) outcome {
	t.Helper()
	run := c.begin(t, do)
	c.drain(t, do)
	return c.outcome(t, run)
}

// outcome is what a sweep came to, without the price of it.
type outcome struct {
	Shards   []report.Shard
	Findings []string
	Drift    []string
	Notified []string
	Exempt   []report.Exemption
	Memory   []string // without times
}

func (c *cloud) outcome(t tester, run string) outcome {
	t.Helper()
	r, err := sweep.Load(t.Context(), c.sweep(fine).Store, run)
	if err != nil || len(r.Open) > 0 || len(c.published) == 0 {
		t.Fatalf("error %v, open %v, %d reports", err, r.Open, len(c.published))
	}
	out := outcome{Shards: r.Summary.Shards, Notified: slices.Sorted(maps.Keys(c.notified)), Exempt: c.published[len(c.published)-1].Summary.Exemptions}
	for i := range out.Shards {
		out.Shards[i].Calls = nil
	}
	for f, err := range r.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Run != run {
			t.Errorf("a finding of run %q in sweep %q", f.Run, run)
		}
		out.Findings = append(out.Findings, fmt.Sprintf("%s/%s %s %s %s", f.Finding.Account, f.Finding.Region, f.Finding.ID, f.Finding.Rule, f.Finding.Outcome))
	}
	for what := range c.remembered(t, run) {
		out.Memory = append(out.Memory, what)
	}
	slices.Sort(out.Memory)
	for d, err := range r.Drift(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out.Drift = append(out.Drift, fmt.Sprintf("%s %s %s %s", d.Scope, d.Kind, d.ID, d.Changes[0].Kind))
	}
	return out
}

// remembered is what a sweep left for the next one: since when, by scope, instance and
// rule.
func (c *cloud) remembered(t tester, run string) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	for scope := range c.fleets {
		past, err := memory.Load(t.Context(), c.sweep(fine).Store, scope, run)
		if fleet.ClassOf(err) == fleet.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range past.All() {
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s %s %s", scope, e.ID, e.Rule)] = e.First
		}
		past.Close()
	}
	return out
}

// said are the findings of the sweep itself, in the log.
func (c *cloud) said() (out []string) {
	for _, r := range c.records {
		if r.Finding != nil && r.Finding.Kind != fleet.KindInstance && r.Finding.Kind != fleet.KindImageShare && r.Finding.Kind != fleet.KindSnapshotShare {
			out = append(out, fmt.Sprintf("%s %s %s", r.Finding.Rule, r.Finding.Outcome, r.Finding.Reason))
		}
	}
	return out
}

// shard is what one came to.
func (o outcome) shard(t tester, s fleet.Scope) report.Shard {
	t.Helper()
	for _, x := range o.Shards {
		if x.Scope == s {
			return x
		}
	}
	t.Fatalf("no shard %s", s)
	return report.Shard{}
}

// changes are the numbers of a shard's changes by control and state.
func changes(s report.Shard) map[string]int {
	out := map[string]int{}
	for _, c := range s.Changes {
		out[c.Control+" "+string(c.State)] += c.N
	}
	return out
}

// tester is a test of any kind.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// settled is a ledger that notes what was settled.
type settled struct{ names map[string]bool }

func (l *settled) Write(_ context.Context, e *fleet.Entry) error {
	if e.Stage != fleet.StageSettled {
		return fmt.Errorf("a sweep writes an %s", e.Stage)
	}
	if l.names == nil {
		l.names = map[string]bool{}
	}
	l.names[e.Name] = true
	return nil
}

func (l *settled) Open(context.Context, time.Time) iter.Seq2[fleet.Entry, error] {
	panic("the sweep asks for what this function left open, not for a shard's")
}

func (l *settled) Allow(context.Context, fleet.Allowance, int) (fleet.Allowance, error) {
	return fleet.Allowance{}, errors.New("a sweep changes nothing")
}

func (l *settled) Release(context.Context, fleet.Allowance, int) error {
	return errors.New("a sweep changes nothing")
}
