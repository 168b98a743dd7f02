package plan_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
)

// counted is a store that counts its reads, and has few names on a page.
type counted struct {
	*ledger.Folder
	reads int
}

func (c *counted) Get(ctx context.Context, name string) ([]byte, error) {
	c.reads++
	return c.Folder.Get(ctx, name)
}

func (c *counted) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	names, more, err := c.Folder.List(ctx, prefix, after)
	if len(names) > 2 {
		return names[:2], true, err
	}
	return names, more, err
}

// An apply reads the ledger every few seconds, but a batch with an outcome only once.
func TestABatchWithAnOutcomeIsReadOnce(t *testing.T) {
	var items []plan.Check
	for i := range 8 {
		id := fmt.Sprint("i-", i)
		items = append(items, checks(made(t, drifted(hangzhou, role, id, attach(hangzhou, id))))...)
	}
	store := &counted{Folder: ledger.NewFolder(t.TempDir())}
	a, o := plan.Await(store, run, noon, items), owner{store.Folder, "attach-role"}
	read := func(want int, open ...int) {
		t.Helper()
		store.reads = 0
		got := states(t, a)
		for i, s := range got {
			if (s == "") != slices.Contains(open, i) {
				t.Errorf("open should be %v: %q", open, got)
				break
			}
		}
		if store.reads != want {
			t.Errorf("%d reads, want %d", store.reads, want)
		}
	}
	for i := range 5 {
		o.writes(t, noon.Add(time.Duration(i)*time.Second), fleet.Done, attach(hangzhou, fmt.Sprint("i-", i)))
	}
	o.writes(t, noon.Add(time.Minute), "", attach(hangzhou, "i-5"))
	read(11, 5, 6, 7)
	read(1, 5, 6, 7) // the one that is open
	o.writes(t, noon.Add(2*time.Minute), fleet.Done, attach(hangzhou, "i-6"))
	read(3, 5, 7)
	o.writes(t, noon.Add(3*time.Minute), fleet.Later, attach(hangzhou, "i-7"))
	o.writes(t, noon.Add(4*time.Minute), fleet.Done, attach(hangzhou, "i-5"))
	read(5, 7)
	o.writes(t, noon.Add(-time.Second), fleet.Done, attach(hangzhou, "i-7"))
	read(3)
}

// A batch that a later pass has settled may still get its outcome.
func TestASettledBatchIsReadAgain(t *testing.T) {
	a, store := awaited(t, made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1"))))
	l := ledger.New(store, ledger.Pass{Function: "attach-role", Request: "req-1"}, nil)
	e := &fleet.Entry{Stage: fleet.StageIntent, Time: noon, Changes: []fleet.EntryChange{{Run: run, ChangeRecord: fleet.ChangeRecord{
		Kind: fleet.AttachRole, Account: hangzhou.Account, Region: hangzhou.Region, RefKind: fleet.KindInstance, ID: "i-1", Want: systrust}}}}
	for _, end := range []struct {
		stage fleet.Stage
		state fleet.State
		want  fleet.State
	}{{fleet.StageIntent, "", ""}, {fleet.StageSettled, fleet.Later, ""}, {fleet.StageOutcome, fleet.Done, fleet.Done}} {
		e.Stage, e.Changes[0].State = end.stage, end.state
		if err := l.Write(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if got := states(t, a); got[0] != end.want {
			t.Errorf("after the %s: %q", end.stage, got)
		}
	}
}
