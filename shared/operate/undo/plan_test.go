package undo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/undo"
	"fleetwarden/shared/policy"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// made is a change as a ledger records it, n seconds after noon.
func made(n int, c fleet.Change) undo.Made {
	return undo.Made{
		ChangeRecord: fleet.ChangeRecord{
			Control: policy.ControlShareRole, Kind: c.Kind, Account: c.Ref.Scope.Account, Region: c.Ref.Scope.Region, RefKind: c.Ref.Kind,
			ID: c.Ref.ID, Before: c.Before, Want: c.Want, After: c.Want, State: fleet.Done,
		},
		Run: "run-1", Function: maker(c.Kind), Entry: maker(c.Kind) + "/2026-11-20/120000.run-1.q.p.x", At: noon.Add(time.Duration(n) * time.Second),
	}
}

// maker is a function that makes changes of a kind; backfill, if only undoing makes them.
func maker(kind fleet.ChangeKind) string {
	return append(fleet.Makers(kind), "backfill")[0]
}

func in(state fleet.State, m undo.Made) undo.Made {
	m.State = state
	return m
}

// trusted changes the trust of the image role from one account to another.
func trusted(from, to fleet.AccountID) fleet.Change {
	return fleet.Change{Kind: fleet.SetShareTrust, Ref: role(fleet.ImageShareRole), Before: trusting(from), Want: trusting(to)}
}

// planned spells out what a plan would change.
func planned(p *undo.Plan) (out []string) {
	for _, it := range p.Items {
		c, ok := it.Change()
		if !ok {
			out = append(out, "left: "+it.Ref().ID)
			continue
		}
		out = append(out, string(c.Kind)+" "+c.Ref.ID+": "+it.To+" to "+it.From)
	}
	return out
}

func TestTheChangesOfARunToOneResourceAreJoined(t *testing.T) {
	step := func(from, to string) string {
		return "set-share-trust " + fleet.ImageShareRole + ": " + trusting(fleet.AccountID(to)) + " to " + trusting(fleet.AccountID(from))
	}
	for name, x := range map[string]struct {
		made []undo.Made
		want []string
	}{
		"one":                             {[]undo.Made{made(0, trusted("1", "2"))}, []string{step("1", "2")}},
		"a chain":                         {[]undo.Made{made(0, trusted("1", "2")), made(1, trusted("2", "3")), made(2, trusted("3", "4"))}, []string{step("1", "4")}},
		"in any order":                    {[]undo.Made{made(2, trusted("3", "4")), made(0, trusted("1", "2")), made(1, trusted("2", "3"))}, []string{step("1", "4")}},
		"of one second, as it was":        {[]undo.Made{made(0, trusted("1", "2")), made(0, trusted("2", "3"))}, []string{step("1", "3")}},
		"of one second, the other way":    {[]undo.Made{made(0, trusted("2", "3")), made(0, trusted("1", "2"))}, []string{step("1", "3")}},
		"another caller's in between":     {[]undo.Made{made(0, trusted("1", "2")), made(1, trusted("7", "3"))}, []string{step("7", "3")}},
		"there and back":                  {[]undo.Made{made(0, trusted("1", "2")), made(1, trusted("2", "1"))}, []string{"left: " + fleet.ImageShareRole}},
		"with others that were not done":  {[]undo.Made{made(0, trusted("1", "2")), in(fleet.Skipped, made(1, trusted("2", "3"))), in(fleet.Failed, made(1, trusted("2", "3")))}, []string{step("1", "2")}},
		"nothing at all":                  {[]undo.Made{in(fleet.Held, made(0, trusted("1", "2"))), in(fleet.Planned, made(0, trusted("1", "2")))}, nil},
		"later done for certain":          {[]undo.Made{in(fleet.Later, made(0, trusted("1", "2"))), made(1, trusted("1", "2"))}, []string{step("1", "2")}},
		"made, and not seen yet":          {[]undo.Made{in(fleet.Started, made(0, trusted("1", "2")))}, []string{step("1", "2")}},
		"not seen yet, and made again":    {[]undo.Made{in(fleet.Started, made(0, trusted("1", "2"))), made(1, trusted("1", "2"))}, []string{step("1", "2")}},
		"not seen yet, then right":        {[]undo.Made{in(fleet.Started, made(0, trusted("1", "2"))), in(fleet.Skipped, made(1, trusted("1", "2")))}, []string{step("1", "2")}},
		"put off, without another record": {[]undo.Made{in(fleet.Later, made(0, trusted("1", "2")))}, []string{"left: " + fleet.ImageShareRole}},
		"its pass died":                   {[]undo.Made{in("", made(0, trusted("1", "2")))}, []string{"left: " + fleet.ImageShareRole}},
		"unclear":                         {[]undo.Made{in(fleet.Unclear, made(0, trusted("1", "2")))}, []string{"left: " + fleet.ImageShareRole}},
		"two things, the last one first":  {[]undo.Made{made(0, trusted("1", "2")), made(1, fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: systrust})}, []string{"detach-role i-1: " + systrust + " to ", step("1", "2")}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(x.want, planned(undo.New("run-1", x.made, pol()))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAChangeThatCannotBeUndoneSaysWhyAndItsRemedy(t *testing.T) {
	for name, x := range map[string]struct {
		change fleet.Change
		why    string
		remedy string
	}{
		"the systrust role": {fleet.Change{Kind: fleet.EnsureRole, Ref: role(systrust), Want: least}, "stays", "aliyun ram DeleteRole --RoleName " + systrust},
		"a share role":      {fleet.Change{Kind: fleet.EnsureShareRole, Ref: role(fleet.ImageShareRole), Want: trusting("2")}, "stays", "aliyun ram DeleteRole"},
		"a new policy":      {fleet.Change{Kind: fleet.SetKeyPolicy, Ref: policyRef(shard), Want: granting("k")}, "did not exist", "aliyun ram DeletePolicy --PolicyName " + shard},
		"an agent":          {fleet.Change{Kind: fleet.PushAgent, Ref: instance("i-1"), Want: "linux"}, "not taken back", "uninstall"},
		"a trust client":    {fleet.Change{Kind: fleet.PushTrustClient, Ref: instance("i-1"), Want: "1"}, "not taken back", "by hand"},
		"a kind of old":     {fleet.Change{Kind: "retry-share", Ref: fleet.Ref{Scope: here, Kind: fleet.KindImage, ID: "m-1"}, Want: "1 2"}, "does not know", "version"},
		"assets":            {fleet.Change{Kind: fleet.RefreshAssets, Ref: fleet.Ref{Scope: here, Kind: fleet.KindAccount}}, "changed nothing", ""},
		"a newer kind":      {fleet.Change{Kind: "canary", Ref: instance("i-1")}, "does not know", "version"},
	} {
		t.Run(name, func(t *testing.T) {
			p := undo.New("run-1", []undo.Made{made(0, x.change)}, pol())
			if len(p.Items) != 1 {
				t.Fatalf("got %d items", len(p.Items))
			}
			it := p.Items[0]
			if _, ok := it.Change(); ok || !strings.Contains(it.Why, x.why) || !strings.Contains(it.Remedy, x.remedy) {
				t.Errorf("%s | %s", it.Why, it.Remedy)
			}
		})
	}
}

// An attacker who can write to the ledger must not choose what is written to an account.
func TestAChangeThatNoControlMakesIsNotUndone(t *testing.T) {
	const anybody = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["*@ecs.aliyuncs.com"]}}],"Version":"1"}`
	const everything = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	image := fleet.ImageShareRole
	for name, c := range map[string]fleet.Change{
		"an unconditional wildcard":    {Kind: fleet.SetShareTrust, Ref: role(image), Before: anybody, Want: trusting("2")},
		"no document":                  {Kind: fleet.SetShareTrust, Ref: role(image), Before: "{", Want: trusting("2")},
		"another role's trust":         {Kind: fleet.SetShareTrust, Ref: role("admin"), Before: trusting("1"), Want: trusting("2")},
		"another role's mark":          {Kind: fleet.MarkUnused, Ref: role("admin"), Want: "x"},
		"another policy's document":    {Kind: fleet.SetKeyPolicy, Ref: policyRef("theirs"), Before: granting("k"), Want: granting("l")},
		"another document":             {Kind: fleet.SetKeyPolicy, Ref: policyRef(shard), Before: everything, Want: granting("l")},
		"another policy attached":      {Kind: fleet.DetachKeyPolicy, Ref: policyRef("AdministratorAccess"), Before: image},
		"attached to another role":     {Kind: fleet.DetachKeyPolicy, Ref: policyRef(shard), Before: "admin"},
		"another policy granted":       {Kind: fleet.RevokeRole, Ref: role("admin"), Before: "AdministratorAccess"},
		"another tag":                  {Kind: fleet.UntagInstance, Ref: instance("i-1"), Before: "owner=me"},
		"another tag of a stop":        {Kind: fleet.StopInstance, Ref: instance("i-1"), Before: "Running", Want: "owner=me"},
		"another tag taken for a mark": {Kind: fleet.TagInstance, Ref: instance("i-1"), Want: "owner=me"},
	} {
		t.Run(name, func(t *testing.T) {
			it := undo.New("run-1", []undo.Made{made(0, c)}, pol()).Items[0]
			if _, ok := it.Change(); ok || it.Why == "" || it.Remedy == "" {
				t.Errorf("it would be undone: %+v", it)
			}
			if strings.Contains(it.Why+it.Remedy, "*@") {
				t.Errorf("the document is quoted: %s | %s", it.Why, it.Remedy)
			}
		})
	}
	m := made(0, trusted("1", "2"))
	m.Control = "canary"
	if _, ok := undo.New("run-1", []undo.Made{m}, pol()).Items[0].Change(); ok {
		t.Error("a control that this program does not know is undone")
	}
}

func TestAChangeByAnotherRunSinceMakesItStale(t *testing.T) {
	other := func(n int, run string, state fleet.State, c fleet.Change) undo.Made {
		m := in(state, made(n, c))
		m.Run = run
		return m
	}
	for name, x := range map[string]struct {
		later []undo.Made
		want  string // the run that is named
	}{
		"nothing":              {nil, ""},
		"later":                {[]undo.Made{other(5, "run-2", fleet.Done, trusted("2", "3"))}, "run-2"},
		"later, not seen yet":  {[]undo.Made{other(5, "run-2", fleet.Started, trusted("2", "3"))}, "run-2"},
		"the last one counts":  {[]undo.Made{other(9, "run-3", fleet.Done, trusted("3", "2")), other(5, "run-2", fleet.Done, trusted("2", "3"))}, "run-3"},
		"earlier":              {[]undo.Made{other(-5, "run-0", fleet.Done, trusted("0", "1"))}, ""},
		"not done":             {[]undo.Made{other(5, "run-2", fleet.Failed, trusted("2", "3")), other(5, "run-2", "", trusted("2", "3"))}, ""},
		"of the run itself":    {[]undo.Made{other(5, "run-1", fleet.Done, trusted("2", "3"))}, ""},
		"to another thing":     {[]undo.Made{other(5, "run-2", fleet.Done, fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: "r"})}, ""},
		"of a kind of no slot": {[]undo.Made{other(5, "run-2", fleet.Done, fleet.Change{Kind: fleet.PushAgent, Ref: instance("i-1")})}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := undo.New("run-1", []undo.Made{made(0, trusted("1", "2"))}, pol())
			for _, m := range x.later {
				p.Later(m)
			}
			got := ""
			if s := p.Items[0].Since; s != nil {
				got = s.Run
			}
			if _, ok := p.Items[0].Change(); got != x.want || ok != (x.want == "") {
				t.Errorf("stale by %q, want %q", got, x.want)
			}
		})
	}
}

func TestBatchesAreOfOneScopeInstancesFirst(t *testing.T) {
	var ms []undo.Made
	for n := range 150 {
		ms = append(ms, made(n, fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-" + string(rune('a'+n%26)) + string(rune('a'+n/26))), Want: systrust}))
	}
	ms = append(ms, made(200, trusted("1", "2")), made(201, fleet.Change{Kind: fleet.MarkUnused, Ref: role(fleet.ImageShareRole), Want: "x"}))
	p := undo.New("run-1", ms, pol())
	sizes := func(from fleet.Cursor) (out []int) {
		for b, err := range p.Source(from) {
			if err != nil {
				return []int{-1}
			}
			for _, r := range b.Refs {
				if r.Scope != b.Scope {
					t.Errorf("%v in a batch of %v", r, b.Scope)
				}
			}
			out = append(out, len(b.Refs))
		}
		return out
	}
	for from, want := range map[fleet.Cursor][]int{"": {100, 50, 1}, "1": {50, 1}, "3": nil, "4": {-1}, "x": {-1}, "-1": {-1}} {
		if diff := cmp.Diff(want, sizes(from)); diff != "" {
			t.Errorf("from %q: %s", from, diff)
		}
	}
}
