package doctor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/pause"
)

func TestThisBuildStopsAChangeForAnOrder(t *testing.T) {
	if err := pauseStops(t.Context()); err != nil {
		t.Error(err)
	}
}

// kept is a ledger in a folder.
type kept struct{ ledger.Store }

func (kept) Versioning(context.Context) (string, error)  { return "", nil }
func (kept) OfFunctions(context.Context) (string, error) { return "", nil }
func (kept) Address(object string) string                { return "oss://b/ledger/" + object }

func TestPausesAreComparedWithWhatWasChanged(t *testing.T) {
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	type orders = func(t *testing.T, s ledger.Store)
	give := func(ago, length time.Duration, control string) orders {
		return func(t *testing.T, s ledger.Store) {
			o := fleet.Order{Control: control, At: noon.Add(-ago), By: "acs:ram::1:user/ops", Reason: "why", Resume: length == 0}
			if length > 0 {
				o.Until = o.At.Add(length)
			}
			if _, err := pause.Give(t.Context(), s, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	intent := func(ago time.Duration, control string) orders {
		return func(t *testing.T, s ledger.Store) {
			scope := fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
			ref := fleet.Ref{Scope: scope, Kind: fleet.KindInstance, ID: "i-1"}
			e := fleet.Entry{Stage: fleet.StageIntent, Time: noon.Add(-ago), Look: fleet.Messages([]fleet.Ref{ref}),
				Changes: []fleet.EntryChange{{ChangeRecord: fleet.ChangeRecord{Control: control, Kind: fleet.PushAgent, Account: scope.Account, Region: scope.Region, ID: "i-1"}, Run: "r"}}}
			if err := ledger.New(s, ledger.Pass{Function: fleet.FunctionPushAgent, Request: "r"}, nil).Write(t.Context(), &e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		happened []orders
		result   Verdict
		says     string
	}{
		"nothing":                     {nil, OK, "none was ordered"},
		"one that lasts":              {[]orders{give(time.Hour, 2*time.Hour, "agent")}, Warn, "user/ops has paused"},
		"one that was obeyed":         {[]orders{give(3*time.Hour, time.Hour, "agent"), intent(4*time.Hour, "agent"), intent(time.Hour, "agent"), intent(150*time.Minute, "instance-role")}, OK, "did not cover: 1"},
		"one that is just noticed":    {[]orders{give(3*time.Hour, time.Hour, "agent"), intent(3*time.Hour-30*time.Second, "agent")}, OK, ""},
		"one that was not obeyed":     {[]orders{give(3*time.Hour, time.Hour, "agent"), intent(150*time.Minute, "agent")}, Fail, "push-agent set out to change i-1"},
		"one that was resumed before": {[]orders{give(3*time.Hour, time.Hour, "agent"), give(170*time.Minute, 0, ""), intent(150*time.Minute, "agent")}, OK, ""},
		"one that was resumed after":  {[]orders{give(3*time.Hour, time.Hour, "agent"), give(140*time.Minute, 0, ""), intent(150*time.Minute, "agent")}, Fail, "push-agent set out"},
		"no order": {[]orders{func(t *testing.T, s ledger.Store) {
			if err := s.Put(t.Context(), pause.Folder+"x", nil); err != nil {
				t.Fatal(err)
			}
		}}, Fail, "no function changes anything"},
	} {
		store := ledger.NewFolder(t.TempDir())
		for _, h := range c.happened {
			h(t, store)
		}
		x := &examination{Reads: Reads{Ledger: kept{store}, Now: func() time.Time { return noon }, Home: "cn-hangzhou"}, slots: make(chan struct{}, 1)}
		a := pausesObeyed(t.Context(), x)
		got := concluded(Checks()[0], a)
		text := got.Says
		for _, p := range got.Problems {
			text += "\n" + p.Says
		}
		if got.Result != c.result || !strings.Contains(text, c.says) {
			t.Errorf("%s: %s: %s", name, got.Result, text)
		}
	}
}

// slow is a ledger whose objects take a while, and one of which is broken.
type slow struct {
	kept
	broken string
}

func (s slow) Get(ctx context.Context, name string) ([]byte, error) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
		return nil, fleet.WithClass(fleet.Canceled, ctx.Err())
	}
	if s.broken != "" && strings.Contains(name, s.broken) {
		return []byte("{"), nil
	}
	return s.kept.Get(ctx, name)
}

// Intents are read side by side, and each that cannot be read may be one that a pause forbade.
func TestEachIntentOfAPauseIsReadOrIsUnread(t *testing.T) {
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	store := ledger.NewFolder(t.TempDir())
	if _, err := pause.Give(t.Context(), store, fleet.Order{Control: "agent", At: noon.Add(-48 * time.Hour), Until: noon.Add(-24 * time.Hour), By: "acs:ram::1:user/ops", Reason: "why"}); err != nil {
		t.Fatal(err)
	}
	scope := fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	const many = 600
	for i := range many {
		ref := fleet.Ref{Scope: scope, Kind: fleet.KindInstance, ID: fmt.Sprint("i-", i)}
		e := fleet.Entry{Stage: fleet.StageIntent, Time: noon.Add(-47*time.Hour + time.Duration(i)*time.Minute), Look: fleet.Messages([]fleet.Ref{ref}),
			Changes: []fleet.EntryChange{{ChangeRecord: fleet.ChangeRecord{Control: "instance-role", Kind: fleet.AttachRole, Account: scope.Account, Region: scope.Region, ID: ref.ID}, Run: "r"}}}
		if err := ledger.New(store, ledger.Pass{Function: fleet.FunctionAttachRole, Request: fmt.Sprint("r", i)}, nil).Write(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
	}
	stems, err := ledger.Stems(t.Context(), store, ledger.Query{Function: fleet.FunctionAttachRole})
	if err != nil || len(stems) != many {
		t.Fatalf("%d, %v", len(stems), err)
	}
	for _, c := range []struct {
		name, broken string
		limit        time.Duration
		result       Verdict
		says         string
	}{
		{"all", "", Limit, OK, fmt.Sprintf("did not cover: %d", many)},
		{"one is broken", stems[many-1], Limit, Unread, fmt.Sprintf("%d of %d were read", many-1, many)},
		{"no time", "", 950 * time.Millisecond, Unread, "was not read in time; "},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), c.limit)
			defer stop()
			x := &examination{Reads: Reads{Ledger: slow{kept{store}, c.broken}, Now: func() time.Time { return noon }, Home: "cn-hangzhou"}, slots: make(chan struct{}, abreast)}
			if got := concluded(Checks()[0], pausesObeyed(ctx, x)); got.Result != c.result || !strings.Contains(got.Says, c.says) || len(got.Problems) > 1 {
				t.Errorf("%s: %s: %s", c.name, got.Result, got.Says)
			}
		})
	}
}

// That there is no time left says nothing of this build: the check is unread, and no other build is
// to be deployed.
func TestWithoutTimeThisBuildIsNotTakenForOneThatIgnoresPauses(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), -time.Minute)
	defer stop()
	x := &examination{Reads: Reads{Ledger: kept{ledger.NewFolder(t.TempDir())}, Now: time.Now, Home: "cn-hangzhou"}, slots: make(chan struct{}, abreast)}
	if got := concluded(Checks()[0], pausesObeyed(ctx, x)); got.Result != Unread {
		t.Errorf("%s: %s", got.Result, got.Says)
	}
}
