package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// again has attach-role look at a group in a run that has the group's name, as a letter does
// that is redriven: each such step is of the same run.
func (p *player) again(_ context.Context, s Step) error {
	for part := range slices.Chunk(p.m.group(s.Group), 100) {
		if err := p.lookAt(part, "attach-role", map[string]any{"run": "again-" + s.Group}); err != nil {
			return err
		}
	}
	return nil
}

// undoOften undoes the run that changed one instance's role most often, of those the one that
// changed most.
func (p *player) undoOften(ctx context.Context) error {
	if quiet, err := p.quiet(ctx, day/4); err != nil || !quiet {
		return err
	}
	times, changed := map[string]int{}, map[string]int{}
	often := map[change]int{} // by run and instance
	for _, c := range p.book().given() {
		one := change{Run: c.Run, ID: c.ID}
		often[one]++
		changed[c.Run]++
		times[c.Run] = max(times[c.Run], often[one])
	}
	best := ""
	for _, run := range slices.Sorted(maps.Keys(times)) {
		if best == "" || times[run] > times[best] || times[run] == times[best] && changed[run] > changed[best] {
			best = run
		}
	}
	if best == "" {
		return nil
	}
	return p.undo(ctx, best)
}

// former are the roles that instances had before a run changed them last, of those that
// no other caller changed since. That the run did is believed of the ledger; what it did is not.
func (p *player) former(run string) map[string]string {
	out := map[string]string{}
	b := p.book()
	for stem, c := range b.given() {
		from, to := b["intent"][stem].Time.Add(-second), b["outcome"][stem].Time.Add(second)
		all := p.diary.of(func(d deed) bool { return d.id == c.ID && (d.gained() || d.lostRole()) })
		first := slices.IndexFunc(all, func(d deed) bool { return d.function == "attach-role" && d.at.After(from) && d.at.Before(to) })
		i := p.m.byID(c.ID)
		if c.Run != run || i == nil || i.released || first < 0 {
			continue
		}
		last := all[len(all)-1]
		if last.function == "attach-role" && last.at.Before(to) && p.roleOf(i) == last.after.Role {
			out[c.ID] = all[first].before.Role
		}
	}
	return out
}

// undo undoes a run. What it does, the operator has decided. If it ends well, each instance
// that no other caller changed has the role that it had before the run changed it last; one
// for which something went wrong is named at least.
func (p *player) undo(ctx context.Context, run string) error {
	former := p.former(run)
	p.back = former
	done := len(p.diary.of(func(deed) bool { return true }))
	lines, ok, err := p.fleetwarden(ctx, "undo", "--run", run, "--apply", "--json")
	if err != nil {
		return err
	}
	last := map[string]deed{}
	for _, d := range p.diary.of(func(deed) bool { return true })[done:] {
		if i := p.m.byID(d.id); i != nil && (d.gained() || d.lostRole()) {
			if d.function == "backfill" && last[d.id].function != "backfill" {
				i.edits++
			}
			last[d.id] = d
		}
	}
	named := map[string]bool{}
	for _, x := range lines {
		change, _ := x["change"].(map[string]any)
		finding, _ := x["finding"].(map[string]any)
		named[fmt.Sprint(change["id"])], named[fmt.Sprint(finding["id"])] = true, true
		id := fmt.Sprint(change["id"])
		if p.m.byID(id) != nil && change["state"] == "done" && (change["kind"] == "detach-role" || change["kind"] == "replace-role") && last[id].function == "" {
			p.wrong("undo said that %s of %s is done, and did not do it", change["kind"], id)
		}
	}
	for id, role := range former {
		switch d := last[id]; {
		case !ok || p.m.faulty && d.function == "" && named[id]:
		case d.function == "":
			p.wrong("undo of %s ended well, and left %s with what the run gave it; it had the role %q", run, id, role)
		case d.function == "backfill" && d.after.Role != role:
			p.wrong("undo of %s ended well, and left %s with the role %q; before the run it had %q", run, id, d.after.Role, role)
		}
	}
	return nil
}
