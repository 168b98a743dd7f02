package why

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// Instances reads ECS.
type Instances interface {
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
	RoleNames(ctx context.Context, region fleet.Region, ids []string) (map[string]string, error)
	Assistants(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Assistant, error)
	Invocations(ctx context.Context, region fleet.Region, since time.Time) (map[string][]fleet.Invocation, error)
}

// Agents reads Security Center.
type Agents interface {
	Agents(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Agent, error)
}

// Trail reads ActionTrail.
type Trail interface {
	Lookup(ctx context.Context, region fleet.Region, q trail.Query) (records []trail.Record, next string, err error)
	Trails(ctx context.Context, home, region fleet.Region) ([]trail.State, error)
}

// Past reads the memory of the sweep.
type Past interface {
	Found(ctx context.Context, s fleet.Scope, ids []string) (map[string]map[string]time.Time, error)
}

// Account has the readers of an account.
type Account struct {
	Instances Instances
	Agents    Agents
	Trail     Trail
}

// Sources are what a page is made from.
type Sources struct {
	Home   fleet.Scope
	Policy *policy.Policy
	// Named are the accounts of the policy file, which are searched after that of the
	// credentials, unless there are too many.
	Named []fleet.AccountID
	In    func(ctx context.Context, account fleet.AccountID) (Account, error)
	Judge func(ctx context.Context, ref fleet.Ref, resource string) (Judged, error)
	// Claims decodes a trail record of an account, and returns the resources that it names and
	// the call's claims; nil for a call that no function watches.
	Claims func(record []byte, account fleet.AccountID) (ids []string, call *fleet.Call)
	// Store is the ledger; nil for none, and NoLedger says why.
	Store    ledger.Store
	NoLedger error
	Past     Past
	Sweep    func(ctx context.Context, s fleet.Scope) (Sweep, error)
	Pauses   func(ctx context.Context, account fleet.AccountID) (map[string]Pause, error)
	// NoPasses is why passes that changed nothing are not read.
	NoPasses string
	// Calls counts the calls so far, by product:Action and result.
	Calls func() map[string]map[string]int
	Now   func() time.Time
}

// Question is what to explain, and how far back to search.
type Question struct {
	Subject
	// Only are the controls that are asked about; none: all.
	Only []string
	// Account is where it is; empty: where it is found. Region is where it is looked for first.
	Account fleet.AccountID
	Region  fleet.Region
	// Since bounds the search of ledger and trail, Most how many batches of the ledger are read.
	Since time.Time
	Most  int
}

// Gather reads the facts. What can be read independently is read at the same time.
func (s *Sources) Gather(ctx context.Context, q Question) *Facts {
	f := &Facts{Subject: q.Subject, Only: q.Only, Policy: s.Policy, Home: s.Home.Account, NoPasses: s.NoPasses, Spent: map[string]fleet.Fact[Spent]{}}
	if q.Kind == fleet.KindInstance {
		s.locate(ctx, q, f)
	} else {
		f.Ref = fleet.Ref{Scope: fleet.Scope{Account: cmp.Or(q.Account, s.Home.Account)}, Kind: q.Kind}
		f.Place.Found = true
	}
	account, err := s.In(ctx, f.Ref.Scope.Account)
	if err != nil {
		f.unreachable(err)
		account = Account{}
	}
	together(
		func() { s.now(ctx, account, f) },
		func() {
			s.trail(ctx, account, q, f)
			s.judge(ctx, err == nil, f)
		},
		func() { s.trails(ctx, account, f) },
		func() { s.ledger(ctx, q, f) },
		func() { s.past(ctx, f) },
		func() { s.sweep(ctx, f) },
		func() { s.pauses(ctx, f) },
		func() { s.spent(ctx, f) },
	)
	f.At = s.Now()
	f.Denied = denied(s.Calls())
	return f
}

// together runs functions at the same time. Each sets fields of its own.
func together(all ...func()) {
	var group sync.WaitGroup
	for _, f := range all {
		group.Go(f)
	}
	group.Wait()
}

// unreachable records that nothing of the account can be read.
func (f *Facts) unreachable(err error) {
	why := fmt.Sprintf("account %s cannot be reached: %v", f.Ref.Scope.Account, err)
	f.Judged.Why, f.Role.Why, f.Agent.Why, f.Assistant.Why, f.Runs.Why, f.Calls.Why, f.Trails.Why = why, why, why, why, why, why, why
	if !f.Listed.Seen() {
		f.Listed.Why = why
	}
}

// mostAccounts is how many accounts of the policy file are searched for an id: each costs a call
// for each region.
const mostAccounts = 20

// locate finds an instance: in the region that was named, in the other regions of that account,
// whether the policy guards them or not, and then in the policy's other accounts.
func (s *Sources) locate(ctx context.Context, q Question, f *Facts) {
	accounts := []fleet.AccountID{cmp.Or(q.Account, s.Home.Account)}
	if q.Account == "" {
		others := slices.DeleteFunc(slices.Clone(s.Named), func(a fleet.AccountID) bool { return a == s.Home.Account })
		if len(others) > mostAccounts {
			f.Place.Unread = append(f.Place.Unread, Unread{fmt.Sprintf("%d other accounts of the policy", len(others)), "too many to search: give --account"})
			others = nil
		}
		accounts = append(accounts, others...)
	}
	first := fleet.Scope{Account: accounts[0], Region: cmp.Or(q.Region, s.Home.Region)}
	f.Ref = fleet.Ref{Scope: first, Kind: fleet.KindInstance, ID: q.ID}
	f.Listed = fleet.Unknown[fleet.Listing]("not found")
	for _, a := range accounts {
		account, err := s.In(ctx, a)
		if err != nil {
			f.Place.unread("account "+string(a), err)
			continue
		}
		if s.look(ctx, account, []fleet.Scope{{Account: a, Region: first.Region}}, f) {
			return
		}
		if s.look(ctx, account, s.regions(ctx, account, a, first.Region, f), f) {
			return
		}
	}
}

// regions are all regions of an account but one; where they cannot be listed, those of the policy.
func (s *Sources) regions(ctx context.Context, account Account, id fleet.AccountID, but fleet.Region, f *Facts) (out []fleet.Scope) {
	regions, err := account.Instances.Regions(ctx, s.Home.Region)
	if err != nil {
		f.Place.unread("the regions of account "+string(id), err)
		regions = s.Policy.Regions
	}
	for _, r := range regions {
		if r != but {
			out = append(out, fleet.Scope{Account: id, Region: r})
		}
	}
	return out
}

// look looks for the instance in places of one account, a few at a time.
func (s *Sources) look(ctx context.Context, account Account, places []fleet.Scope, f *Facts) bool {
	const atOnce = 8
	for part := range slices.Chunk(places, atOnce) {
		found, errs := make([]map[string]fleet.Listing, len(part)), make([]error, len(part))
		var group sync.WaitGroup
		for i, at := range part {
			group.Go(func() { found[i], errs[i] = account.Instances.Listings(ctx, at.Region, []string{f.ID}) })
		}
		group.Wait()
		for i, at := range part {
			f.Place.Looked = append(f.Place.Looked, at)
			if errs[i] != nil {
				f.Place.unread(at.String(), errs[i])
			}
			if l, ok := found[i][f.ID]; ok {
				f.Ref.Scope, f.Listed, f.Place.Found = at, fleet.See(l), true
			}
		}
		if f.Place.Found {
			f.Place.Unread = nil // it is known where it is
			return true
		}
	}
	return false
}

func (p *Place) unread(what string, err error) {
	p.Unread = append(p.Unread, Unread{what, err.Error()})
}

// runsBack is how far back commands of ours are read: longer than a push is awaited, and within
// the hour for which pushes count.
const runsBack = time.Hour

// now reads the facets of an instance, whether a rule asks for them or not.
func (s *Sources) now(ctx context.Context, account Account, f *Facts) {
	if f.Kind != fleet.KindInstance || !f.Listed.Seen() || account.Instances == nil {
		return
	}
	region, ids := f.Ref.Scope.Region, []string{f.ID}
	together(
		func() {
			got, err := account.Instances.RoleNames(ctx, region, ids)
			f.Role = fleet.FactOf(got[f.ID], err)
		},
		func() {
			got, err := account.Agents.Agents(ctx, region, ids)
			f.Agent = fleet.FactOf(got[f.ID], err)
		},
		func() {
			got, err := account.Instances.Assistants(ctx, region, ids)
			if fleet.ClassOf(err) == fleet.Absent {
				f.Assistant = fleet.See(fleet.Assistant{Absent: true})
				return
			}
			f.Assistant = fleet.FactOf(got[f.ID], err)
		},
		func() {
			got, err := account.Instances.Invocations(ctx, region, s.Now().Add(-runsBack))
			if fleet.ClassOf(err) == fleet.Absent {
				err = nil
			}
			f.Runs = fleet.FactOf(got[f.ID], err)
		},
	)
}

const (
	// before and after are how far from its creation the record of an instance's launch can be:
	// ECS cuts the seconds off, and a purchase on a buy page is recorded before its instances
	// are made.
	before = 5 * time.Minute
	after  = time.Hour
	// mostPages is how many pages of records of one resource are read, of 50 each.
	mostPages = 4
)

// trail reads the records of the subject: those that name it or, where none is a launch, the
// launches about the time of its creation.
func (s *Sources) trail(ctx context.Context, account Account, q Question, f *Facts) {
	id := cmp.Or(q.ID, q.Resource)
	if account.Trail == nil || id == "" {
		return
	}
	w, region := s.window(q, f), cmp.Or(f.Ref.Scope.Region, s.Home.Region)
	f.Window = w
	if !w.Since.Before(w.Until) {
		f.Calls = fleet.Unknown[[]Call]("ActionTrail keeps records for 90 days, and it was created before")
		return
	}
	calls, err := s.records(ctx, account, region, trail.Query{Since: w.Since, Until: w.Until, Resource: id}, f)
	for _, name := range s.names(f, calls) {
		if err != nil {
			break
		}
		var more []Call
		created := f.Listed.V.Created
		more, err = s.records(ctx, account, region, trail.Query{Since: created.Add(-before), Until: latest(created.Add(before), w.Since), EventName: name}, f)
		calls = append(calls, more...)
	}
	f.Calls = fleet.FactOf(calls, err)
}

// names are the launch calls to search by name: none if the launch is known, or the time is not.
func (s *Sources) names(f *Facts, calls []Call) (names []string) {
	if f.Kind != fleet.KindInstance || !f.Listed.Seen() || slices.ContainsFunc(calls, Call.launches) {
		return nil
	}
	for _, c := range fleet.LaunchCalls() {
		if !c.Assumed {
			names = append(names, c.Event)
		}
	}
	return names
}

// window is the time of which records are read: that of an instance's creation, and else since
// the beginning of the search, within what one query may span.
func (s *Sources) window(q Question, f *Facts) Window {
	now := s.Now().UTC().Truncate(time.Second)
	if f.Listed.Seen() {
		created := f.Listed.V.Created.UTC()
		return Window{latest(created.Add(-before), now.Add(-trail.Kept)), earliest(created.Add(after), now)}
	}
	return Window{latest(q.Since.UTC(), now.Add(-trail.Range)).Truncate(time.Second), now}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// records are the records that a query selects and that name the subject.
func (s *Sources) records(ctx context.Context, account Account, region fleet.Region, q trail.Query, f *Facts) (calls []Call, err error) {
	for range mostPages {
		page, next, err := account.Trail.Lookup(ctx, region, q)
		if err != nil {
			return calls, err
		}
		for _, r := range page {
			head := r.Head()
			c := Call{Time: r.Time, Name: head.Name, Caller: head.Caller, ErrorCode: head.ErrorCode}
			ids, claims := s.Claims(r.Body, f.Ref.Scope.Account)
			c.Claims = claims
			if q.Resource == "" && !slices.Contains(ids, f.ID) {
				continue
			}
			calls = append(calls, c)
		}
		if q.Token = next; next == "" {
			break
		}
	}
	return calls, nil
}

func (s *Sources) trails(ctx context.Context, account Account, f *Facts) {
	if account.Trail == nil {
		return
	}
	got, err := account.Trail.Trails(ctx, s.Home.Region, cmp.Or(f.Ref.Scope.Region, s.Home.Region))
	f.Trails = fleet.FactOf(got, err)
}

// judge has the controls judge the subject, with the claims of the call that made it: so do
// their owners when its event comes.
func (s *Sources) judge(ctx context.Context, reached bool, f *Facts) {
	if !reached || f.Kind == fleet.KindInstance && !f.Listed.Seen() {
		return
	}
	ref := f.Ref
	for _, c := range f.Calls.V {
		if c.Claims != nil {
			ref.Call = c.Claims
		}
	}
	got, err := s.Judge(ctx, ref, f.Resource)
	f.Judged = fleet.FactOf(got, err)
}

// about reports whether an entry of the ledger is about the subject: it changes it, or its
// verdict asked for the changes.
func (f *Facts) about(e fleet.Entry) bool {
	for _, c := range e.Changes {
		if f.isMe(c.Account, c.RefKind, c.ID) {
			return true
		}
	}
	for _, m := range e.Look {
		for _, id := range m.IDs {
			if f.isMe(m.Scope.Account, m.Kind, id) {
				return true
			}
		}
	}
	return false
}

func (f *Facts) isMe(account fleet.AccountID, kind fleet.Kind, id string) bool {
	return kind == f.Kind && id == f.ID && (account == f.Ref.Scope.Account || !f.Place.Found)
}

var errNoLedger = errors.New("there is no ledger")

// ledger searches the ledger since the instance was created: before that, nothing was about it.
func (s *Sources) ledger(ctx context.Context, q Question, f *Facts) {
	if s.Store == nil {
		why := errNoLedger
		if s.NoLedger != nil {
			why = s.NoLedger
		}
		f.History.Why = why.Error()
		return
	}
	from := q.Since
	if f.Listed.Seen() {
		from = latest(from, f.Listed.V.Created.Add(-time.Minute))
	}
	found, err := ledger.Find(ctx, s.Store, ledger.Search{Functions: writersOf(q.Kind), From: from, Most: q.Most, About: f.about})
	f.History = fleet.FactOf(found, err)
}

// writersOf are the functions whose entries may be about a kind of resource.
func writersOf(kind fleet.Kind) []string {
	return slices.DeleteFunc(fleet.Writers(), func(name string) bool {
		refs := fleet.FunctionNamed(name).Refs
		return len(refs) > 0 && !slices.Contains(refs, kind)
	})
}

func (s *Sources) past(ctx context.Context, f *Facts) {
	if s.Store == nil || f.Kind != fleet.KindInstance {
		return
	}
	got, err := s.Past.Found(ctx, f.Ref.Scope, []string{f.ID})
	f.Found = fleet.FactOf(got[f.ID], err)
}

func (s *Sources) sweep(ctx context.Context, f *Facts) {
	if s.Store == nil {
		return // the ledger's line says so
	}
	got, err := s.Sweep(ctx, f.Ref.Scope)
	f.Sweep = fleet.FactOf(got, err)
}

func (s *Sources) pauses(ctx context.Context, f *Facts) {
	if s.Store == nil {
		return // the ledger's line says so
	}
	got, err := s.Pauses(ctx, f.Ref.Scope.Account)
	f.Pauses = fleet.FactOf(got, err)
}

// spent reads the counts of the hour, where a control of the policy may disturb workloads.
func (s *Sources) spent(ctx context.Context, f *Facts) {
	if s.Store == nil || f.Kind != fleet.KindInstance {
		return
	}
	for _, control := range policy.Controls() {
		owner := fleet.FunctionNamed(fleet.Owner(control))
		if s.Policy.ModeOf(control) != policy.Enforce || !slices.ContainsFunc(owner.Changes, fleet.ChangeKind.Disturbs) {
			continue
		}
		n, free, err := ledger.Spent(ctx, s.Store, owner.Name, f.Ref.Scope, control, s.Now())
		f.Spent[control] = fleet.FactOf(Spent{n, free}, err)
	}
}

// denied are the RAM actions of calls that were denied.
func denied(calls map[string]map[string]int) (actions []string) {
	for _, api := range slices.Sorted(maps.Keys(calls)) {
		if calls[api][fleet.Denied.String()] > 0 {
			actions = append(actions, ramAction(api))
		}
	}
	return actions
}

// ramAction is the RAM action of an API: the same but for Security Center, whose RAM code is
// older than its name (https://help.aliyun.com/zh/ram/product-overview/services-that-work-with-ram).
func ramAction(api string) string {
	if action, ok := strings.CutPrefix(api, "sas:"); ok {
		return "yundun-sas:" + action
	}
	return api
}
