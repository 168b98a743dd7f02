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

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// Gather reads the facts. What can be read independently is read at the same time, and what has not
// answered in time is not known.
func (s *Sources) Gather(ctx context.Context, q Question) *Facts {
	ctx, stop := context.WithTimeout(ctx, q.Within)
	defer stop()
	f := &Facts{Subject: q.Subject, Only: q.Only, Policy: s.Policy, File: s.File, Home: s.Home, Build: s.Build, Spent: map[string]fleet.Fact[Spent]{}}
	if q.Kind == fleet.KindInstance {
		looking, stop := context.WithTimeout(ctx, q.Within/2)
		s.locate(looking, q, f)
		stop()
	} else {
		f.Ref = fleet.Ref{Scope: fleet.Scope{Account: cmp.Or(q.Account, s.Home.Account)}, Kind: q.Kind}
		f.Place.Found = true
	}
	if q.Since.IsZero() { // the cloud's time is known from its first answer
		q.Since = s.Now().Add(-q.Back)
	}
	account, err := s.In(ctx, f.Ref.Scope.Account)
	if err != nil {
		f.unreachable(err)
		account = Account{}
	}
	together(
		func() { s.now(ctx, account, f) },
		func() {
			end, _ := ctx.Deadline()
			searching, stop := context.WithTimeout(ctx, time.Until(end)/2) // without the claims of its launch it is judged nevertheless
			s.trail(searching, account, q, f)
			stop()
			s.judge(ctx, err == nil, f)
		},
		func() { s.trails(ctx, account, f) },
		func() { s.ledger(ctx, q, f) },
		func() { s.past(ctx, f) },
		func() { s.sweep(ctx, f) },
		func() { s.deployed(ctx, f) },
		func() { s.passes(ctx, q, f) },
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
	end, _ := ctx.Deadline()
	found, err := ledger.Find(ctx, s.Store, ledger.Search{Functions: writersOf(q.Kind), From: s.begin(q, f), To: s.Now().Add(time.Hour), // clocks differ
		Most: q.Most, Within: time.Until(end) * 9 / 10, About: f.about})
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

// passes reads the log store of the subject's region; what is shared is checked at home. Each owner
// of a control is searched for by itself: one that checks often would hide the others.
func (s *Sources) passes(ctx context.Context, q Question, f *Facts) {
	id := cmp.Or(q.ID, q.Resource, string(q.Kind))
	owners := map[string]bool{}
	for _, control := range f.controls() {
		owners[fleet.Owner(control)] = true
	}
	functions := slices.Sorted(maps.Keys(owners))
	found, more, errs := make([][]Record, len(functions)), make([]bool, len(functions)), make([]error, len(functions))
	var group sync.WaitGroup
	for i, function := range functions {
		group.Go(func() {
			found[i], more[i], errs[i] = s.Passes(ctx, cmp.Or(f.Ref.Scope.Region, s.Home.Region), function, f.Ref, id, s.begin(q, f))
		})
	}
	group.Wait()
	for i, err := range errs {
		switch {
		case fleet.ClassOf(err) == fleet.NotFound:
			f.NoPasses = "there is no log store to read: " + err.Error()
			return
		case err != nil:
			f.Passes = fleet.FactOf[[]Record](nil, err)
			return
		case more[i]:
			f.MorePasses = append(f.MorePasses, functions[i])
		}
	}
	f.Passes = fleet.See(slices.Concat(found...))
	slices.SortStableFunc(f.Passes.V, func(a, b Record) int { return b.Time.Compare(a.Time) })
}

// begin is since when functions can have recorded something: not before an instance was created.
func (s *Sources) begin(q Question, f *Facts) time.Time {
	if f.Listed.Seen() {
		return latest(q.Since, f.Listed.V.Created.Add(-time.Minute))
	}
	return q.Since
}

func (s *Sources) deployed(ctx context.Context, f *Facts) {
	if s.Store == nil {
		return
	}
	got, err := s.Deployed(ctx, cmp.Or(f.Ref.Scope.Region, s.Home.Region))
	f.Deployed = fleet.FactOf(got, err)
}

func (s *Sources) pauses(ctx context.Context, f *Facts) {
	if s.Store == nil {
		return // the ledger's line says so
	}
	got, err := s.Pauses(ctx, f.Ref.Scope.Account)
	if bad := new(fleet.BadInput); errors.As(err, &bad) {
		f.BadOrder = bad.Where
	}
	f.Pauses = fleet.FactOf(got, err)
}

// spent reads the counts of the hour, where a control of the policy may disturb workloads.
func (s *Sources) spent(ctx context.Context, f *Facts) {
	if s.Store == nil || f.Kind != fleet.KindInstance {
		return
	}
	for _, control := range policy.Controls() {
		owner := fleet.FunctionNamed(fleet.Owner(control))
		if f.modeFor(control) != policy.Enforce || !slices.ContainsFunc(owner.Changes, fleet.ChangeKind.Disturbs) {
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

// ramAction is the RAM action of an API: the same but for Simple Log Service, and for Security
// Center, whose RAM code is older than its name (https://help.aliyun.com/zh/ram/product-overview/services-that-work-with-ram).
func ramAction(api string) string {
	switch action, ok := strings.CutPrefix(api, "sas:"); {
	case ok:
		return "yundun-sas:" + action
	case api == "sls:GetLogs":
		return "log:GetLogStoreLogs"
	}
	return api
}
