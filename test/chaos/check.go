package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// check holds the world against the history: what must be so when all has come to rest
// after the last sweep.
func (p *player) check() {
	said, err := p.said()
	if err != nil {
		p.wrong("reading the records: %v", err)
		return
	}
	p.checkSweep(said)
	p.checkNotices()
	p.checkPercent(said)
	for _, i := range p.m.instances {
		now, there := p.Server.ECS.Instance(i.account, i.region, i.id)
		if i.left {
			continue
		}
		if !there {
			if !i.released {
				p.wrong("%s is gone, and was not released", i.id)
			}
			continue
		}
		p.checkRole(i, now, said)
		p.checkAgent(i, now, said)
		p.checkRules(i, now, said)
	}
	p.checkShares(said)
	p.checkOthers()
	p.checkDeeds()
	p.checkQueues()
	p.checkLedger(said)
}

// enforced reports whether the policy has anything changed.
func (p *player) enforced() bool { return p.h.World.Mode == "enforce" }

// findings are what the sweeps said: the last one by instance and rule, each one's
// violations by the time when it saw them.
type findings struct {
	run        string
	all        map[string]map[string]stage.Record
	held       map[string]bool // accounts and controls of which something is held, by the last one
	violations map[string][]time.Time
	last       time.Time // when the last one began
}

// names reports whether a rule has something to say of an instance that is no pass.
func (f findings) names(id, rule string) bool {
	r, ok := f.all[id][rule]
	return ok && r["outcome"] != "pass" && r["outcome"] != "not-applicable"
}

func (f findings) outcome(id, rule string) string { return f.all[id][rule]["outcome"] }

// holds reports whether a limit holds changes of a control, by the last sweep or by an owner
// since.
func (p *player) holds(account, control string, said findings) bool {
	return said.held[account+" "+control] || p.limited(account, control, said.last)
}

// sweeps are when each sweep was begun, by its run; without those by hand.
func (p *player) sweeps() map[string]time.Time {
	out := map[string]time.Time{}
	for _, key := range p.Server.OSS.Keys(stack.Bucket, "ledger/starts/") {
		var start struct {
			Run    string    `json:"run"`
			At     time.Time `json:"at"`
			DryRun bool      `json:"dryRun"`
		}
		if err := json.Unmarshal(p.Server.OSS.Object(stack.Bucket, key), &start); err != nil {
			p.wrong("the ledger's %s: %v", key, err)
		}
		if !start.DryRun {
			out[start.Run] = start.At
		}
	}
	return out
}

// limited reports whether an owner said since a time that a limit holds changes of a control.
func (p *player) limited(account, control string, since time.Time) bool {
	records, err := p.Records()
	if err != nil {
		p.wrong("reading the records: %v", err)
	}
	return slices.ContainsFunc(records, func(r stage.Record) bool {
		at, err := time.Parse(time.RFC3339, r["time"])
		return r["rule"] == "limit" && r["function"] != "sweep" && r["account"] == account && r["control"] == control && err == nil && !at.Before(since.Truncate(second))
	})
}

// said reads what the sweeps said.
func (p *player) said() (findings, error) {
	out := findings{all: map[string]map[string]stage.Record{}, held: map[string]bool{}, violations: map[string][]time.Time{}}
	begun := p.sweeps()
	for run, at := range begun {
		if at.After(out.last) {
			out.run, out.last = run, at
		}
	}
	records, err := p.Records()
	for _, r := range records {
		_, known := begun[r["run"]]
		if r["rule"] == "policy" && r["outcome"] == "fault" {
			return out, fmt.Errorf("the policy of this world is none: %s", r["reason"])
		}
		if r["type"] != "finding" || r["function"] != "sweep" || !known {
			continue
		}
		if i := p.m.byID(r["id"]); i != nil && r["account"] != i.account {
			p.wrong("%s is of account %s, and a finding of %s says %s", i.id, i.account, r["rule"], r["account"])
		}
		if seen, err := time.Parse(time.RFC3339, r["time"]); err == nil && r["outcome"] == "violation" {
			out.violations[r["id"]+" "+r["rule"]] = append(out.violations[r["id"]+" "+r["rule"]], seen)
		}
		if r["run"] != out.run {
			continue
		}
		if r["rule"] == "limit" {
			out.held[r["account"]+" "+r["control"]] = true
		}
		if out.all[r["id"]] == nil {
			out.all[r["id"]] = map[string]stage.Record{}
		}
		out.all[r["id"]][r["rule"]] = r
	}
	return out, err
}

// summary is what the report of a sweep says in numbers.
type summary struct {
	Shards []struct {
		Scope struct{ Account, Region string } `json:"scope"`
		Seen  int                              `json:"seen"`
		Fault string                           `json:"fault"`
	} `json:"shards"`
}

func (p *player) summary(run string) (s summary, err error) {
	err = json.Unmarshal(p.Server.OSS.Object(stack.Bucket, "ledger/reports/"+run+"/summary.json"), &s)
	return s, err
}

// checkSweep: the last sweep read all that there is, and has its report.
func (p *player) checkSweep(said findings) {
	s, err := p.summary(said.run)
	if err != nil {
		p.wrong("the report of the last sweep that began, %q: %v", said.run, err)
		return
	}
	there := map[string]int{}
	for _, i := range p.Server.ECS.Instances() {
		there[i.Account+" "+i.Region]++
	}
	seen := 0
	for _, x := range s.Shards {
		if x.Scope.Region == "" {
			continue
		}
		seen++
		at := x.Scope.Account + " " + x.Scope.Region
		if x.Fault != "" || x.Seen != there[at] {
			p.wrong("sweep %s saw %d instances in %s, where there are %d: %s", said.run, x.Seen, at, there[at], x.Fault)
		}
	}
	if all := len(p.h.World.Regions) * len(p.h.World.accounts()); seen != all {
		p.wrong("sweep %s went over %d regions of accounts, not %d", said.run, seen, all)
	}
}

// messages are the bodies of all messages, by the ARN of their queue.
func (p *player) messages() map[string][]string {
	all, _ := p.Server.MNS.State().(map[string][]string)
	return all
}

// checkNotices: each sweep that has its report sent its notice, or said that it could not.
func (p *player) checkNotices() {
	if !p.h.World.Findings {
		return
	}
	records, err := p.Records()
	if err != nil {
		p.wrong("reading the records: %v", err)
	}
	sent := strings.Join(p.messages()[mns.Queue{Account: server.Sharer, Region: server.Home, Name: findingsQueue}.ARN()], "\n")
	for run, began := range p.sweeps() {
		if p.now().Sub(began) > 6*day {
			continue // the queue keeps messages for seven
		}
		unsent := func(r stage.Record) bool { return r["rule"] == "notice" && r["run"] == run }
		if _, err := p.summary(run); err == nil && !slices.ContainsFunc(records, unsent) && !strings.Contains(sent, `"run":"`+run+`"`) {
			p.wrong("sweep %s has its report, and sent no notice to %s", run, findingsQueue)
		}
	}
}

// checkPercent: where the last sweep found more to change than maxPercent of what it saw,
// none of it was changed.
func (p *player) checkPercent(said findings) {
	w := p.h.World
	s, err := p.summary(said.run)
	if err != nil || !p.enforced() {
		return
	}
	for _, x := range s.Shards {
		n, changed := 0, ""
		for _, i := range p.m.instances {
			if i.account == x.Scope.Account && i.region == x.Scope.Region && i.role == "" && !i.alone() && i.trusted() && said.outcome(i.id, "systrust-role") == "violation" {
				n++
				if len(p.diary.of(func(d deed) bool {
					return d.id == i.id && d.function == "attach-role" && d.gained() && d.at.After(said.last)
				})) > 0 {
					changed = i.id
				}
			}
		}
		if changed != "" && (n > w.MaxChanges || n > w.PercentAbove && n*100 > x.Seen*w.MaxPercent) {
			p.wrong("sweep %s found %d of %d instances in %s of %s without a role, more than the limits let through, and %s was given one since", said.run, n, x.Seen, x.Scope.Region, x.Scope.Account, changed)
		}
	}
}

// checkQueues: nothing waits, and nothing was given up but what cannot be used.
func (p *player) checkQueues() {
	for _, region := range p.regions {
		for _, q := range p.Server.MNS.List(server.Sharer, region, "fleetwarden-") {
			n := q.Active + q.Inactive + q.Delayed
			switch q.Queue.Name {
			case "fleetwarden-dead-letters":
				n = p.letters()
			case findingsQueue:
				continue
			}
			if n > 0 {
				p.wrong("queue %s of %s holds %d messages: %.400q", q.Queue.Name, region, n, p.messages()[q.Queue.ARN()])
			}
		}
	}
}

// checkUntouched: with a ledger that does not keep what it is given, nothing is changed.
func (p *player) checkUntouched() {
	for _, d := range p.diary.of(func(d deed) bool { return d.action != "RefreshAssets" && d.function != "backfill" }) {
		p.wrong("the ledger's bucket has versioning, and %s called %s %s", d.function, d.action, d.id)
	}
}

// checkOthers: what others made is as they made it, and no role of ours has more rights
// than it needs.
func (p *player) checkOthers() {
	for _, account := range p.h.World.accounts() {
		p.checkOthersIn(account)
	}
}

func (p *player) checkOthersIn(account string) {
	foreign := p.h.World.foreignPolicy(account)
	for role, own := range map[string]string{"app-role": "app-assets", "fit-role": "fit-systrust", "unsure-role": "unsure-systrust", "system-role": "AliyunSysTrustFullAccess"} {
		all := p.policies(account, called(account, role))
		_, there := all[own]
		_, granted := all[ourPolicy]
		may := role == "app-role" && p.h.World.Conflict == "grant" && p.enforced() && !foreign
		if !there || len(all) > 2 || len(all) == 2 && !granted || granted && !may {
			p.wrong("role %s of others in %s has the policies %v", called(account, role), account, all)
		}
	}
	if _, has := p.policies(account, systrust)[ourPolicy]; has && foreign {
		p.wrong("role %s of %s was given a foreign policy that allows everything", systrust, account)
	}
}
