package main

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/stack"
)

// entry is what an object of the ledger says of changes, as far as it is asked here.
type entry struct {
	Function string    `json:"function"`
	Time     time.Time `json:"time"`
	Changes  []change  `json:"changes"`
}

type change struct {
	Kind    string `json:"kind"`
	Account string `json:"account"`
	Run     string `json:"run"`
	ID      string `json:"id"`
	State   string `json:"state"`
	Before  string `json:"before"`
	After   string `json:"after"`
}

// book is the ledger: intents, outcomes and settlements by their common name.
type book map[string]map[string]entry

func (p *player) book() book {
	out := book{"intent": {}, "outcome": {}, "settled": {}}
	for _, key := range p.Server.OSS.Keys(stack.Bucket, "ledger/") {
		stem, stage, ok := cutStage(key)
		if !ok {
			continue
		}
		var e entry
		if err := json.Unmarshal(p.Server.OSS.Object(stack.Bucket, key), &e); err != nil {
			p.wrong("the ledger's %s: %v", key, err)
			continue
		}
		out[stage][stem] = e
	}
	return out
}

// cutStage is the name of an entry without its end, and what the end says.
func cutStage(key string) (stem, stage string, ok bool) {
	for _, stage := range []string{"intent", "outcome", "settled"} {
		if stem, ok := strings.CutSuffix(key, "."+stage+".json"); ok {
			return stem, stage, true
		}
	}
	return "", "", false
}

// checkLedger: each intent has its end, at the latest by the first sweep of the day after; each
// write was meant before, and what is said to be done was done.
func (p *player) checkLedger(said findings) {
	b := p.book()
	for stem, e := range b["intent"] {
		_, reported := b["outcome"][stem]
		due := said.last.Add(-time.Hour) // what is younger is left to passes, and to the next sweep
		if e.Function == "backfill" || slices.ContainsFunc(e.Changes, func(c change) bool { return c.Kind == "refresh-assets" || p.idle(c.ID) }) {
			due = said.last.Add(-day) // nothing shows that it was done; what an undo did, its control may have changed since
		}
		if _, settled := b["settled"][stem]; !reported && !settled && e.Time.Before(due) && !p.unread(e.Time) {
			p.wrong("the ledger does not know the end of %s: %+v", stem, e.Changes)
		}
	}
	deeds := p.diary.of(func(d deed) bool {
		return d.function != "backfill" && (d.gained() || d.lostRole() || d.stops() || d.tags())
	})
	for _, d := range deeds {
		p.checkMeant(b, d)
	}
	for stem, c := range b.given() {
		p.checkDone(b["intent"][stem].Time, b["outcome"][stem].Time, c, deeds)
	}
}

// unread reports whether no sweep of the two days after a time could settle what was open then:
// later ones do not search for it.
func (p *player) unread(from time.Time) bool {
	for _, began := range p.sweeps() {
		if began.After(from.Add(time.Hour)) && began.Before(from.Add(2*day)) && !p.m.met("sweep", "oss", "GetObject", began, began.Add(time.Hour)) {
			return false
		}
	}
	return true
}

// idle reports whether an instance does not run: then no rule asks what its agents are.
func (p *player) idle(id string) bool {
	i := p.m.byID(id)
	if i == nil {
		return false
	}
	now, there := p.Server.ECS.Instance(i.account, i.region, i.id)
	return !there || now.Status != "Running"
}

// given are the roles that attach-role gave, by the names of their entries.
func (b book) given() iter.Seq2[string, change] {
	return func(yield func(string, change) bool) {
		for stem, e := range b["outcome"] {
			for _, c := range e.Changes {
				gave := c.State == "done" && (c.Kind == "attach-role" || c.Kind == "replace-role") && e.Function == "attach-role"
				if gave && !yield(stem, c) {
					return
				}
			}
		}
	}
}

// checkMeant: an intent of before says that this was to be done, and a role that was taken
// away is on record.
func (p *player) checkMeant(b book, d deed) {
	meant, kept := false, !d.lostRole()
	for _, e := range b["intent"] {
		if e.Function != d.function || e.Time.After(d.at.Add(second)) {
			continue
		}
		for _, c := range e.Changes {
			same := c.ID == d.id && c.Account == d.before.Account
			meant = meant || same
			kept = kept || same && c.Before == d.before.Role
		}
	}
	if !meant {
		p.wrong("%s called %s for %s, and no intent of before says so", d.function, d.action, d.id)
	} else if !kept {
		p.wrong("%s took the role %s from %s, and no intent of before says so", d.function, d.before.Role, d.id)
	}
}

// second is what the ledger rounds to.
const second = time.Second

// checkDone: between intent and outcome the role was changed so, by us. Another pass may have
// changed it in the same second before; another caller may have done the same when our call was
// not answered, which cannot be distinguished.
func (p *player) checkDone(from, to time.Time, c change, deeds []deed) {
	var ours []deed
	for _, d := range deeds {
		if d.id == c.ID && d.function == "attach-role" && d.at.After(from.Add(-second)) && d.at.Before(to.Add(second)) {
			ours = append(ours, d)
		}
	}
	began := slices.IndexFunc(ours, func(d deed) bool { return d.before.Role == c.Before })
	i := p.m.byID(c.ID)
	switch {
	case len(ours) == 0 && i != nil && i.edits > 0 && i.role == c.After && p.m.met("attach-role", "ecs", "AttachInstanceRamRole", from, to):
	case len(ours) == 0:
		p.wrong("the ledger says that %s of %s is done, and attach-role did not do it", c.Kind, c.ID)
	case began < 0 || ours[len(ours)-1].after.Role != c.After:
		p.wrong("the ledger says that the role of %s went from %q to %q; it went from %q to %q", c.ID, c.Before, c.After, ours[0].before.Role, ours[len(ours)-1].after.Role)
	}
}
