package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
)

// showPlan prints a plan. It returns an error if a place could not be read.
func (j *job) showPlan(p plan.Plan, found sweep.Result) error {
	unread := 0
	for _, s := range found.Summary.Shards {
		if s.Fault != "" {
			unread++
		}
	}
	var err error
	if unread > 0 {
		err = fmt.Errorf("%d of %d places could not be read: the plan lacks their resources", unread, len(p.Seen))
	}
	if j.json {
		return errors.Join(j.line(p), err)
	}
	return errors.Join(j.planText(p, found), err)
}

func (j *job) planText(p plan.Plan, found sweep.Result) error {
	seen := 0
	for _, s := range p.Seen {
		seen += s.N
	}
	if err := j.print("%s: checked %s in %s; %d would be changed%s\n\n", p.ID, many(seen, "resource", "resources"), many(len(p.Seen), "place", "places"), len(p.Items), by(p)); err != nil {
		return err
	}
	if err := j.planTable(p); err != nil {
		return err
	}
	last := ""
	for _, s := range found.Summary.Shards {
		if s.Fault == "" {
			continue
		}
		why, _, _ := strings.Cut(s.Fault, " [request ")
		if why == last {
			why = "likewise"
		} else {
			last = why
		}
		if err := j.print("not read: %s: %s\n", s.Scope, why); err != nil {
			return err
		}
	}
	if p.Left > 0 {
		if err := j.print("left out by the limits: %s (%s)\n", many(p.Left, "resource", "resources"), p.Why); err != nil {
			return err
		}
	}
	switch {
	case len(p.Items) == 0 && p.Left > 0:
		return j.print("nothing to apply: the limits do not let a single one through; raise that limit in the policy file\n")
	case len(p.Items) == 0:
		return j.print("nothing to apply\n")
	}
	return j.print("\nsee it:    backfill show %s\napply it:  backfill apply --plan %s\n", p.ID, p.ID)
}

// by says how many changes a plan has, if not as many as resources: several may need one role.
func by(p plan.Plan) string {
	if n := p.Changes(); n != len(p.Items) {
		return ", by " + many(n, "change", "changes")
	}
	return ""
}

func (j *job) planTable(p plan.Plan) error {
	type row struct {
		place   fleet.Scope
		control string
		kind    fleet.ChangeKind
	}
	var rows []row
	resources := map[row]int{}
	changed := map[row]*fleet.Distinct{} // a role is created once for many instances
	for _, item := range p.Items {
		for _, c := range item.Changes {
			r := row{item.Scope, item.Control, c.Kind}
			if resources[r]++; resources[r] == 1 {
				rows, changed[r] = append(rows, r), &fleet.Distinct{}
			}
			changed[r].Add(c.Identity())
		}
	}
	if len(rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tREGION\tCONTROL\tCHANGE\tTIMES\tFOR RESOURCES")
	for _, r := range rows {
		cells(w, "%s\t%s\t%s\t%s\t%d\t%d\n", r.place.Account, regionName(r.place.Region), r.control, r.kind, changed[r].N, resources[r])
	}
	return w.Flush()
}

func regionName(r fleet.Region) string {
	if r == "" {
		return "(all)"
	}
	return string(r)
}
