package why

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// cloud is an account with one instance in a region, and all readers of a page. One call may fail.
type cloud struct {
	region fleet.Region
	fails  string
	silent string // it never answers
	class  fleet.Class
	folder string

	mu     sync.Mutex
	called []string
	// unnamed says that ActionTrail finds no record by a resource's id, endless that a page always
	// follows.
	unnamed, endless bool
}

func (c *cloud) call(ctx context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.called = append(c.called, name)
	if name == c.silent {
		c.mu.Unlock()
		<-ctx.Done()
		c.mu.Lock()
		return fleet.WithClass(fleet.Canceled, ctx.Err())
	}
	if name == c.fails {
		return fleet.WithClass(c.class, errors.New(name+" failed"))
	}
	return nil
}

func (c *cloud) Regions(ctx context.Context, _ fleet.Region) ([]fleet.Region, error) {
	return []fleet.Region{"cn-beijing", "cn-hangzhou", "cn-shanghai"}, c.call(ctx, "Regions")
}

func (c *cloud) Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	out := map[string]fleet.Listing{}
	if region == c.region {
		out[ids[0]] = fleet.Listing{Status: "Running", Created: noon.Add(-24 * time.Hour)}
	}
	err := c.call(ctx, "Listings "+string(region))
	if fleet.ClassOf(err) == fleet.Canceled {
		return nil, err
	}
	return out, err
}

func (c *cloud) RoleNames(ctx context.Context, _ fleet.Region, _ []string) (map[string]string, error) {
	return map[string]string{mine: "role"}, c.call(ctx, "RoleNames")
}

func (c *cloud) Assistants(ctx context.Context, _ fleet.Region, _ []string) (map[string]fleet.Assistant, error) {
	return map[string]fleet.Assistant{mine: {Online: true}}, c.call(ctx, "Assistants")
}

func (c *cloud) Invocations(ctx context.Context, _ fleet.Region, _ time.Time) (map[string][]fleet.Invocation, error) {
	return map[string][]fleet.Invocation{}, c.call(ctx, "Invocations")
}

func (c *cloud) Agents(ctx context.Context, _ fleet.Region, _ []string) (map[string]fleet.Agent, error) {
	return map[string]fleet.Agent{mine: {Known: true, Status: "online"}}, c.call(ctx, "Agents")
}

func (c *cloud) Trails(ctx context.Context, _ fleet.Region, _ fleet.Region) ([]trail.Trail, error) {
	return []trail.Trail{{Name: "trail", Logging: true}}, c.call(ctx, "Trails")
}

func (c *cloud) Lookup(ctx context.Context, _ fleet.Region, q trail.Query) ([]trail.Record, string, error) {
	launch := trail.Record{Time: noon.Add(-24 * time.Hour), Body: []byte(`{"eventName": "RunInstances", "userIdentity": {"type": "ram-user", "userName": "ops"}}`)}
	switch {
	case q.Resource != "" && c.unnamed, q.Resource == "" && q.EventName != "RunInstances":
		return nil, "", c.call(ctx, "Lookup")
	case q.Resource == "":
		other := trail.Record{Body: []byte(`{"eventName": "RunInstances", "other": true}`)}
		return []trail.Record{other, launch}, "", c.call(ctx, "Lookup by name")
	}
	next := ""
	if c.endless {
		next = "more"
	}
	return []trail.Record{launch}, next, c.call(ctx, "Lookup")
}

func (c *cloud) Found(ctx context.Context, _ fleet.Scope, _ []string) (map[string]map[string]time.Time, error) {
	return nil, c.call(ctx, "Found")
}

// failing is a store that cannot be listed.
type failing struct {
	ledger.Store
	c *cloud
}

func (f failing) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	if err := f.c.call(ctx, "List"); err != nil {
		return nil, false, err
	}
	return f.Store.List(ctx, prefix, after)
}

func (c *cloud) sources(t *testing.T) *Sources {
	t.Helper()
	return &Sources{
		Home: here, Policy: enforcing(t, ""), Named: []fleet.AccountID{here.Account}, Store: failing{ledger.NewFolder(c.folder), c}, Past: c,
		In: func(ctx context.Context, account fleet.AccountID) (Account, error) {
			return Account{c, c, c}, c.call(ctx, "In "+string(account))
		},
		Judge: func(ctx context.Context, ref fleet.Ref, _ string) (Judged, error) {
			v := bare()
			if ref.Call != nil {
				v.Reason += ", asked for by " + ref.Call.Name
			}
			return Judged{Verdicts: []fleet.Verdict{v}}, c.call(ctx, "Judge")
		},
		Claims: func(record []byte, _ fleet.AccountID) ([]string, *fleet.Call) {
			if strings.Contains(string(record), "other") {
				return []string{"i-other"}, &fleet.Call{Name: "other"}
			}
			return []string{mine}, &fleet.Call{Name: "RunInstances"}
		},
		Sweep: func(ctx context.Context, _ fleet.Scope) (Sweep, error) { return Sweep{}, c.call(ctx, "Sweep") },
		Deployed: func(ctx context.Context, _ fleet.Region) (Deployed, error) {
			return Deployed{}, c.call(ctx, "Deployed")
		},
		Pauses: func(ctx context.Context, _ fleet.AccountID) (map[string]Pause, error) {
			return nil, c.call(ctx, "Pauses")
		},
		Passes: func(ctx context.Context, _ fleet.Region, function string, _ fleet.Ref, _ string, _ time.Time) ([]Record, bool, error) {
			chatty := function == fleet.FunctionPushAgent
			return []Record{{Time: noon.Add(-time.Duration(len(function)) * time.Minute), Function: function}}, chatty, c.call(ctx, "Passes")
		},
		Calls: func() map[string]map[string]int { return nil }, Now: func() time.Time { return noon },
	}
}

func gathered(t *testing.T, c *cloud, change func(*Sources, *Question)) *Facts {
	t.Helper()
	c.folder = t.TempDir()
	s := c.sources(t)
	q := Question{Subject: Subject{Kind: fleet.KindInstance, ID: mine}, Since: noon.Add(-14 * 24 * time.Hour), Most: 10, Within: time.Minute}
	if change != nil {
		change(s, &q)
	}
	return s.Gather(t.Context(), q)
}

func TestAllIsRead(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region}, nil)
	p := Explain(f)
	if !p.Complete() || p.Now.Role != "role" || len(p.Trail.Calls) != 1 || p.Trail.Calls[0].Caller != "ram-user/ops" || !f.History.Seen() {
		t.Errorf("%+v", p)
	}
	if want := "the instance has no RAM role, asked for by RunInstances"; f.Judged.V.Verdicts[0].Reason != want {
		t.Errorf("it is judged without the claims of its launch: %s", f.Judged.V.Verdicts[0].Reason)
	}
	if want := noon.Add(-24*time.Hour - time.Minute); !f.History.V.Since.Equal(want) {
		t.Errorf("the ledger is searched since %v, want %v: nothing is older than the instance", f.History.V.Since, want)
	}
}

// Each reader fails by itself: its failure is one line, and the rest of the page stands.
func TestEachReaderFailsAlone(t *testing.T) {
	for call, what := range map[string]string{
		"RoleNames": "the role", "Assistants": "Cloud Assistant", "Invocations": "our commands", "Agents": "the agent", "Trails": "the trails",
		"Lookup": "ActionTrail's records", "Found": "the memory of the sweep", "List": "the ledger", "Judge": "the verdicts",
		"Sweep": "the newest sweep", "Deployed": "the newest deployment", "Passes": "passes that changed nothing", "Pauses": "the pauses",
	} {
		for _, class := range []fleet.Class{fleet.Denied, fleet.Throttled, fleet.Unavailable} {
			f := gathered(t, &cloud{region: here.Region, fails: call, class: class}, nil)
			p := Explain(f)
			if !slices.ContainsFunc(p.Unread, func(u Unread) bool { return u.What == what && strings.Contains(u.Why, call+" failed") }) || p.Complete() {
				t.Errorf("%s, %s: %+v", call, class, p.Unread)
			}
			most := 1
			if call == "List" {
				most = 3 // the ledger, and the hours' counts
			}
			if len(p.Unread) > most || p.Cause.ID == "in-order" {
				t.Errorf("%s, %s: %s, %+v", call, class, p.Cause.ID, p.Unread)
			}
		}
	}
}

// A reader that never answers holds no page up: what it would have said is not known, and the rest
// stands.
func TestAReaderThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	for call, what := range map[string]string{
		"RoleNames": "the role", "Lookup": "ActionTrail's records", "Found": "the memory of the sweep", "List": "the ledger",
		"Judge": "the verdicts", "Passes": "passes that changed nothing", "Pauses": "the pauses", "Listings cn-hangzhou": "1000000000000001/cn-hangzhou",
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			p := Explain(gathered(t, &cloud{region: here.Region, silent: call}, func(_ *Sources, q *Question) { q.Region = here.Region }))
			if took := time.Since(began); took > time.Minute {
				t.Errorf("%s: it took %v", call, took)
			}
			if !slices.ContainsFunc(p.Unread, func(u Unread) bool { return strings.HasPrefix(u.What, what) }) || p.Complete() || p.Cause.ID == "in-order" {
				t.Errorf("%s: %s, %+v", call, p.Cause.ID, p.Unread)
			}
			if call == "Lookup" && len(p.Unread) != 1 {
				t.Errorf("%s: %+v", call, p.Unread)
			}
		})
	}
}

func TestAnInstanceIsLookedForInAllRegions(t *testing.T) {
	c := &cloud{region: "cn-beijing"}
	if f := gathered(t, c, nil); f.Ref.Scope.Region != "cn-beijing" || !f.Place.Found || len(f.Place.Unread) > 0 {
		t.Errorf("%+v", f.Place)
	}
	c = &cloud{region: "cn-beijing", fails: "Listings cn-beijing", class: fleet.Throttled}
	if f := gathered(t, c, nil); !f.Place.Found { // found, whatever else failed
		t.Errorf("%+v", f.Place)
	}
	c = &cloud{region: "nowhere", fails: "Listings cn-shanghai", class: fleet.Throttled}
	f := gathered(t, c, func(_ *Sources, q *Question) { q.Region = "cn-beijing" })
	if f.Place.Found || len(f.Place.Looked) != 3 || f.Place.Looked[0].Region != "cn-beijing" || len(f.Place.Unread) != 1 {
		t.Errorf("%+v", f.Place)
	}
	if p := Explain(f); p.Cause.ID != "unread" && p.Cause.ID != "released" {
		t.Errorf("a region that could not be read: %s", p.Cause.ID)
	}
	c = &cloud{region: "nowhere", fails: "Regions", class: fleet.Denied}
	if f := gathered(t, c, nil); len(f.Place.Unread) != 1 || f.Place.Unread[0].What != "the regions of account 1000000000000001" {
		t.Errorf("%+v", f.Place)
	}
}

func TestOtherAccountsOfThePolicyAreSearchedUnlessThereAreTooMany(t *testing.T) {
	many := func(n int) func(*Sources, *Question) {
		return func(s *Sources, _ *Question) {
			for i := range n {
				s.Named = append(s.Named, fleet.AccountID(fmt.Sprint(2000000000000000+i)))
			}
		}
	}
	c := &cloud{region: "nowhere", fails: "In 2000000000000001", class: fleet.Denied}
	f := gathered(t, c, many(2))
	if len(f.Place.Looked) != 6 || len(f.Place.Unread) != 1 || f.Place.Unread[0].What != "account 2000000000000001" {
		t.Errorf("%+v", f.Place)
	}
	f = gathered(t, &cloud{region: "nowhere"}, many(21))
	if len(f.Place.Looked) != 3 || len(f.Place.Unread) != 1 || f.Place.Unread[0].What != "21 other accounts of the policy" {
		t.Errorf("%+v", f.Place)
	}
	f = gathered(t, &cloud{region: "nowhere"}, func(s *Sources, q *Question) {
		many(2)(s, q)
		q.Account = here.Account
	})
	if len(f.Place.Looked) != 3 {
		t.Errorf("of a named account: %+v", f.Place.Looked)
	}
}

// Where ActionTrail finds no record by the instance's id, the launches about its creation are
// searched, and others among them are left out.
func TestALaunchIsAlsoFoundByItsTime(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region, unnamed: true}, nil)
	if len(f.Calls.V) != 1 || f.Calls.V[0].Caller != "ram-user/ops" {
		t.Errorf("%+v, %s", f.Calls.V, f.Calls.Why)
	}
	f = gathered(t, &cloud{region: here.Region, unnamed: true, fails: "Lookup by name", class: fleet.Throttled}, nil)
	if f.Calls.Seen() {
		t.Error("a throttled search is taken for none")
	}
}

// Of an instance that was launched before the time that ActionTrail keeps, no launch is searched.
func TestARecordThatIsNotKeptIsNotMissing(t *testing.T) {
	c := &cloud{region: here.Region}
	f := gathered(t, c, func(s *Sources, _ *Question) { s.Now = func() time.Time { return noon.Add(120 * 24 * time.Hour) } })
	if f.Calls.Seen() || !strings.Contains(f.Calls.Why, "90 days") || slices.Contains(c.called, "Lookup") {
		t.Errorf("%+v, %q", f.Calls, c.called)
	}
}

func TestAnAccountThatCannotBeReachedIsOneReason(t *testing.T) {
	f := gathered(t, &cloud{fails: "In 1000000000000001", class: fleet.Denied}, func(_ *Sources, q *Question) {
		q.Subject = Subject{Kind: fleet.KindImageShare}
	})
	p := Explain(f)
	if p.Cause.ID != "unread" || !strings.Contains(p.Lines[0], "account 1000000000000001 cannot be reached") {
		t.Errorf("%q", p.Lines)
	}
}

// Where a page of records follows the last that is read, that is said.
func TestRecordsThatWereNotReadAreSaid(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region, endless: true}, nil)
	if !f.MoreCalls || len(f.Calls.V) != mostPages {
		t.Errorf("%t, %d records", f.MoreCalls, len(f.Calls.V))
	}
	if f := gathered(t, &cloud{region: here.Region}, nil); f.MoreCalls {
		t.Error("there are no more")
	}
}

// In another account our role reads no trail. That is no failure, and the page says so.
func TestATrailThatIsNotReadIsSaid(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region}, func(s *Sources, _ *Question) {
		in := s.In
		s.In = func(ctx context.Context, account fleet.AccountID) (Account, error) {
			a, err := in(ctx, account)
			a.Trail = nil
			return a, err
		}
	})
	if p := Explain(f); p.NoTrail == "" || !p.Complete() || strings.Contains(p.Lines[0], "ActionTrail has its launch") {
		t.Errorf("%+v", p)
	}
}

// Each owner's records are read: those of one that checks often do not hide those of another.
func TestTheRecordsOfEachOwnerAreRead(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region}, nil)
	var functions []string
	for _, r := range f.Passes.V {
		functions = append(functions, r.Function)
	}
	if !slices.Equal(functions, []string{fleet.FunctionPushAgent, fleet.FunctionAttachRole, fleet.FunctionValidateInstance}) || !slices.Equal(f.MorePasses, []string{fleet.FunctionPushAgent}) {
		t.Errorf("%q, more of %q", functions, f.MorePasses)
	}
	f = gathered(t, &cloud{region: here.Region}, func(_ *Sources, q *Question) { q.Only = []string{policy.ControlAgent} })
	if len(f.Passes.V) != 1 {
		t.Errorf("of one control: %+v", f.Passes.V)
	}
}

// Without a log store passes that changed nothing are not known: no failure, and the page says so.
func TestALogStoreThatIsNotThereIsSaid(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region, fails: "Passes", class: fleet.NotFound}, nil)
	if p := Explain(f); !strings.HasPrefix(p.NoPasses, "there is no log store to read: ") || !p.Complete() || !strings.Contains(p.Lines[0], "which was not read") {
		t.Errorf("%q, %q", p.NoPasses, p.Lines)
	}
}

func TestWithoutALedgerTheRestStands(t *testing.T) {
	f := gathered(t, &cloud{region: here.Region}, func(s *Sources, _ *Question) { s.Store, s.NoLedger = nil, errors.New("no function says where") })
	p := Explain(f)
	if len(p.Unread) != 1 || p.Unread[0] != (Unread{"the ledger", "no function says where"}) || p.Cause.ID == "in-order" {
		t.Errorf("%s: %+v", p.Cause.ID, p.Unread)
	}
}

func TestTheActionsThatWereDenied(t *testing.T) {
	got := denied(map[string]map[string]int{"ecs:DescribeInstances": {"denied": 1, "ok": 2}, "sas:DescribeCloudCenterInstances": {"denied": 1}, "oss:GetObject": {"not found": 1}})
	if !slices.Equal(got, []string{"ecs:DescribeInstances", "yundun-sas:DescribeCloudCenterInstances"}) {
		t.Errorf("%q", got)
	}
}
