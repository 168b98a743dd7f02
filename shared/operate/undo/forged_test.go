package undo_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/undo"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// forge puts a change of run-1 into a function's part of the ledger, n minutes after noon, as an
// attacker with the function's role can. The content claims that backfill wrote it.
func (b *bench) forge(t *testing.T, folder string, n int, c fleet.Change) {
	t.Helper()
	m := made(0, c)
	e := fleet.Entry{V: 1, Function: "backfill", Time: b.now.Add(time.Duration(n) * time.Minute), Look: fleet.Messages([]fleet.Ref{c.Ref}),
		Changes: []fleet.EntryChange{{ChangeRecord: m.ChangeRecord, Run: "run-1"}}}
	name := folder + e.Time.Format("/2006-01-02/150405") + ".run-1.q.p." + string(c.Kind) + "."
	for _, e.Stage = range []fleet.Stage{fleet.StageIntent, fleet.StageOutcome} {
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.store.objects[name+string(e.Stage)+".json"] = body
	}
}

// The role of each function can write the function's own part of the ledger.
func TestTheLedgerOfAFunctionIsTrustedOnlyForChangesThatItMakes(t *testing.T) {
	for name, x := range map[string]struct {
		world  func(*bench)
		change fleet.Change
		owner  string
	}{
		"stop what runs": {tagged("fleetwarden:stopped", "x"), fleet.Change{Kind: fleet.StartInstance, Ref: instance("i-1"), Before: "fleetwarden:stopped=x", Want: "Running"}, "backfill"},
		"start what is stopped": {
			func(b *bench) {
				b.machines["i-1"].status, b.machines["i-1"].tags["fleetwarden:stopped"] = "Stopped", "x"
			},
			fleet.Change{Kind: fleet.StopInstance, Ref: instance("i-1"), Before: "Running", Want: "fleetwarden:stopped=x"}, "validate-instance",
		},
		"grant a right":       {nil, fleet.Change{Kind: fleet.RevokeRole, Ref: role(systrust), Before: least}, "backfill"},
		"attach another role": {func(b *bench) { b.machines["i-1"].role = systrust }, fleet.Change{Kind: fleet.ReplaceRole, Ref: instance("i-1"), Before: "AdminRole", Want: systrust}, "attach-role"},
		"detach the role":     {func(b *bench) { b.machines["i-1"].role = systrust }, fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: systrust}, "attach-role"},
		"trust another":       {nil, fleet.Change{Kind: fleet.SetShareTrust, Ref: role(fleet.ImageShareRole), Before: trusting("7"), Want: trusting("1000000000000009")}, "setup-share-role"},
		"attach a key policy": {nil, fleet.Change{Kind: fleet.DetachKeyPolicy, Ref: policyRef(shard), Before: fleet.ImageShareRole}, "setup-share-role"},
		"write a key policy":  {func(b *bench) { b.policies[shard] = granting("k-2") }, fleet.Change{Kind: fleet.SetKeyPolicy, Ref: policyRef(shard), Before: granting("k-1"), Want: granting("k-2")}, "setup-share-role"},
	} {
		for _, folder := range all {
			t.Run(name+" of "+folder, func(t *testing.T) {
				b := newBench()
				b.machine("i-1")
				b.policies[shard] = granting("k-1")
				b.policies[least], b.roles[systrust].Trust = rampolicy.SysTrustPolicy(), rampolicy.ECSTrust()
				if x.world != nil {
					x.world(b)
				}
				b.forge(t, folder, 0, x.change)
				before := b.state()
				d := b.mustUndo(t, "run-1", "undo-1")
				trusted := folder == x.owner || folder == "backfill"
				if changed := cmp.Diff(before, b.state()) != ""; changed != trusted {
					t.Errorf("changed: %t, want %t: %v", changed, trusted, says(d.changes(fleet.Done)))
				}
				if o := d.outcomes()[x.change.Ref.ID]; !trusted && (o != fleet.NotApplicable || !strings.Contains(d.reason(x.change.Ref.ID), "check the ledger object "+folder)) {
					t.Errorf("%s: %s", o, d.reason(x.change.Ref.ID))
				}
			})
		}
	}
}

func TestARecordByAnotherFunctionHidesNoChangeOfTheRun(t *testing.T) {
	for name, n := range map[string]int{"before": -2, "at once": 0, "since": 2} {
		b, before := stories()["set-share-trust"].begun(t)
		b.forge(t, "push-agent", n, trusted("1000000000000002", "1"))
		d := b.mustUndo(t, "run-1", "undo-1")
		if diff := cmp.Diff(before, b.state()); diff != "" || len(d.changes(fleet.Done)) != 1 {
			t.Errorf("%s: %s", name, diff)
		}
	}
	p := undo.New("run-1", []undo.Made{made(0, trusted("1", "2"))}, pol())
	other := made(5, trusted("2", "3"))
	other.Run, other.Function = "run-2", "push-agent"
	if p.Later(other); p.Items[0].Since != nil {
		t.Error("a change that its function does not make has made the run's stale")
	}
}

func TestOnlyTheSystrustRoleIsDetachedAndOnlyARoleIsAttached(t *testing.T) {
	replace := func(from, to string) fleet.Change {
		return fleet.Change{Kind: fleet.ReplaceRole, Ref: instance("i-1"), Before: from, Want: to}
	}
	attach := func(to string) fleet.Change {
		return fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: to}
	}
	detach := func(from string) fleet.Change {
		return fleet.Change{Kind: fleet.DetachRole, Ref: instance("i-1"), Before: from}
	}
	for name, x := range map[string]struct {
		function string
		change   fleet.Change
		want     bool
	}{
		"attached":                          {"attach-role", attach(systrust), true},
		"attached, in other letters":        {"attach-role", attach(strings.ToLower(systrust)), true},
		"another attached":                  {"attach-role", attach("AppRole"), false},
		"replaced":                          {"attach-role", replace("AppRole", systrust), true},
		"another put in its place":          {"attach-role", replace(systrust, "AppRole"), false},
		"two others":                        {"attach-role", replace("AppRole", "OtherRole"), false},
		"no name":                           {"attach-role", replace("a b", systrust), false},
		"a flag":                            {"attach-role", replace("--x", systrust), false},
		"too long":                          {"attach-role", replace(strings.Repeat("a", 65), systrust), false},
		"an undo detached it":               {"backfill", detach(systrust), true},
		"an undo detached another":          {"backfill", detach("AppRole"), false},
		"an undo attached it":               {"backfill", attach(systrust), true},
		"an undo attached another":          {"backfill", attach("AppRole"), false},
		"an undo restored the earlier role": {"backfill", replace(systrust, "AppRole"), true},
		"an undo of that":                   {"backfill", replace("AppRole", systrust), true},
		"an undo with neither":              {"backfill", replace("AppRole", "OtherRole"), false},
	} {
		t.Run(name, func(t *testing.T) {
			m := made(0, x.change)
			m.Function = x.function
			it := undo.New("run-1", []undo.Made{m}, pol()).Items[0]
			if _, ok := it.Change(); ok != x.want || !ok && it.Remedy == "" {
				t.Errorf("undone: %t: %s | %s", ok, it.Why, it.Remedy)
			}
			if it.From != x.change.Before || it.To != x.change.Want {
				t.Errorf("shown as %q to %q", it.To, it.From)
			}
		})
	}
	renamed := pol()
	renamed.InstanceRole.Role = "OurRole"
	if it := undo.New("run-1", []undo.Made{made(0, attach(systrust))}, renamed).Items[0]; !strings.Contains(it.Why, "OurRole") {
		t.Errorf("under a policy with another role: %s", it.Why)
	}
}

func TestNoPrincipalIsTrustedAgainThatThePolicyDoesNotApprove(t *testing.T) {
	const head, tail = `{"Statement":[`, `],"Version":"1"}`
	one := func(id string) string {
		return `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["` + id + `@ecs.aliyuncs.com"]}}`
	}
	under := func(operator, key, value string) string {
		return `{"Action":"sts:AssumeRole","Condition":{"` + operator + `":{"sts:` + key + `":["` + value + `"]}},"Effect":"Allow","Principal":{"Service":["*@ecs.aliyuncs.com"]}}`
	}
	folder := func(path string) string { return under("StringLike", "ServiceOwnerRDPath", path+"*") }
	directory := under("StringEquals", "ServiceOwnerRDId", "rd-a1")
	const user = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"RAM":["acs:ram::6:root"]}}`
	const deny = `{"Action":"sts:AssumeRole","Effect":"Deny","Principal":{"Service":["4@ecs.aliyuncs.com"]}}`
	p := pol()
	p.ShareRole.Approved.Folders = []policy.ApprovedFolder{{ID: "fd-ok"}}
	for name, x := range map[string]struct {
		before, left string
		want         bool
	}{
		"an approved account":               {one("1"), one("2"), true},
		"an unapproved account":             {one("666"), one("2"), false},
		"one of both":                       {one("1") + "," + one("666"), one("1"), false},
		"one who is trusted still":          {one("666"), one("666") + "," + one("1"), true},
		"an approved folder":                {folder("rd-a1/r-b2/fd-ok"), one("1"), true},
		"a folder in it":                    {folder("rd-a1/r-b2/fd-ok/fd-in"), one("1"), true},
		"another folder":                    {folder("rd-a1/r-b2/fd-no"), one("1"), false},
		"a whole directory":                 {directory, one("1"), false},
		"a directory that is trusted still": {directory, directory + "," + one("1"), true},
		"a principal that is no sharee":     {one("1") + "," + user, one("1"), false},
		"who is trusted still":              {one("1") + "," + user, one("2") + "," + user, true},
		"without a denial":                  {one("1"), one("2") + "," + deny, false},
		"without another's statement":       {one("1"), one("2") + "," + user, false},
		"with a denial":                     {one("1") + "," + deny, one("2") + "," + deny, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := fleet.Change{Kind: fleet.SetShareTrust, Ref: role(fleet.ImageShareRole), Before: head + x.before + tail, Want: head + x.left + tail}
			it := undo.New("run-1", []undo.Made{made(0, c)}, p).Items[0]
			if _, ok := it.Change(); ok != x.want || !ok && it.Remedy == "" {
				t.Errorf("undone: %t: %s | %s", ok, it.Why, it.Remedy)
			}
		})
	}
}

// Only the first and the last value of a chain of changes are ever written or compared.
func TestAChainMayPassThroughAnUnapprovedAccount(t *testing.T) {
	ms := []undo.Made{made(0, trusted("1", "666")), made(1, trusted("666", "2"))}
	if _, ok := undo.New("run-1", ms, pol()).Items[0].Change(); !ok {
		t.Error("it is not undone")
	}
}

func TestAChangeWithoutAShapeIsNotRead(t *testing.T) {
	good := fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: systrust}
	at := func(kind fleet.ChangeKind, edit func(*fleet.Ref)) fleet.Change {
		c := fleet.Change{Kind: kind, Ref: instance("i-1"), Want: "w"}
		edit(&c.Ref)
		return c
	}
	id := func(kind fleet.ChangeKind, of fleet.Kind, id string) fleet.Change {
		return at(kind, func(r *fleet.Ref) {
			r.Kind, r.ID = of, id
			if of == fleet.KindRole || of == fleet.KindPolicy {
				r.Scope.Region = ""
			}
		})
	}
	for name, c := range map[string]fleet.Change{
		"an account":             at(fleet.AttachRole, func(r *fleet.Ref) { r.Scope.Account = "canary/1" }),
		"no account":             at(fleet.AttachRole, func(r *fleet.Ref) { r.Scope.Account = "" }),
		"a region":               at(fleet.AttachRole, func(r *fleet.Ref) { r.Scope.Region = "canary.example" }),
		"an instance of nowhere": at(fleet.AttachRole, func(r *fleet.Ref) { r.Scope.Region = "" }),
		"a role in a region":     at(fleet.SetShareTrust, func(r *fleet.Ref) { r.Kind, r.ID = fleet.KindRole, fleet.ImageShareRole }),
		"an instance":            id(fleet.PushAgent, fleet.KindInstance, "i-1; canary"),
		"no instance":            id(fleet.PushAgent, fleet.KindInstance, ""),
		"a role":                 id(fleet.EnsureRole, fleet.KindRole, "r$(canary)"),
		"a flag":                 id(fleet.EnsureRole, fleet.KindRole, "--canary"),
		"a policy":               id(fleet.SetKeyPolicy, fleet.KindPolicy, shard+" && canary"),
		"an image":               id("retry-share", fleet.KindImage, "m-1|canary"),
		"of another kind":        id(fleet.AttachRole, fleet.KindRole, "canary"),
		"of a newer kind":        id("newer", "thing", "a b canary"),
	} {
		t.Run(name, func(t *testing.T) {
			p := undo.New("run-1", []undo.Made{made(0, c), made(1, good)}, pol())
			if len(p.Items) != 1 || len(p.Unread) != 1 {
				t.Fatalf("%d items, unread %v", len(p.Items), p.Unread)
			}
			if text := p.Unread[0].Error(); strings.Contains(text, "canary") || !strings.Contains(text, "ledger object "+maker(c.Kind)) {
				t.Errorf("got %s", text)
			}
		})
	}
}

func TestACommandIsShownOnlyForChangesThatAControlMakes(t *testing.T) {
	for name, c := range map[string]fleet.Change{
		"another role made":       {Kind: fleet.EnsureRole, Ref: role("AdminRole"), Want: least},
		"with another policy":     {Kind: fleet.EnsureRole, Ref: role(systrust), Want: "AdministratorAccess"},
		"another share role made": {Kind: fleet.EnsureShareRole, Ref: role("AdminRole"), Want: trusting("1")},
		"another policy made":     {Kind: fleet.SetKeyPolicy, Ref: policyRef("theirs"), Want: granting("k")},
	} {
		it := undo.New("run-1", []undo.Made{made(0, c)}, pol()).Items[0]
		if _, ok := it.Change(); ok || strings.Contains(it.Remedy, "aliyun ") || !strings.Contains(it.Remedy, "did not write that") {
			t.Errorf("%s: %s | %s", name, it.Why, it.Remedy)
		}
	}
}

func TestAnOutcomeWithOtherChangesThanItsIntentIsReportedAndNotUndone(t *testing.T) {
	b, _ := stories()["attach-role"].begun(t)
	for name, body := range b.store.objects {
		if strings.HasSuffix(name, ".outcome.json") {
			b.store.objects[name] = []byte(strings.Replace(string(body), `"before":""`, `"before":"AdminRole"`, 1))
		}
	}
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()})
	if err != nil || len(p.Items) != 0 || len(p.Unread) != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
}
