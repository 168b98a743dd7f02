package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"fleetwarden/shared/fleet"
)

// sum prints the outcome of the run's changes, and what was left alone.
func (u *undoing) sum(apply bool) error {
	states := map[fleet.State]int{}
	latest := map[fleet.Key]fleet.ChangeRecord{}
	for _, c := range u.changes {
		latest[fleet.Key{Scope: fleet.Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID + " " + string(c.Kind)}] = c
	}
	for _, c := range latest {
		states[c.State]++
	}
	if u.json {
		err := u.line(map[string]any{"type": "sum", "run": u.inv.Options.Stamp.Run, "undoes": u.plan.Run, "dryRun": !apply, "states": states})
		return errors.Join(err, u.unfinished(states))
	}
	cs := slices.Collect(maps.Values(latest))
	if err := errors.Join(u.left(), u.table(cs), u.roles(cs), u.foot(states, apply)); err != nil {
		return err
	}
	return u.unfinished(states)
}

// unfinished is the error of an undo that is incomplete.
func (u *undoing) unfinished(states map[fleet.State]int) error {
	var errs []error
	for _, err := range u.plan.Unread {
		errs = append(errs, fmt.Errorf("not read: %w", err))
	}
	if n := states[fleet.Failed] + states[fleet.Later] + states[fleet.Held]; n > 0 {
		errs = append(errs, fmt.Errorf("%s not taken back\n  continue with:  backfill undo --run %s --apply", many(n, "change was", "changes were"), u.plan.Run))
	}
	return errors.Join(errs...)
}

// foot prints the end of the text: the counts, and the commands to continue with.
func (u *undoing) foot(states map[fleet.State]int, apply bool) error {
	if len(states) > 0 {
		if err := u.print("\n%s\n", counted(states)); err != nil {
			return err
		}
	}
	switch {
	case !apply:
		return u.print("dry run: nothing was changed; --apply takes it back\n")
	case states[fleet.Done] == 0:
		return u.print("nothing was changed\n")
	}
	run := u.inv.Options.Stamp.Run
	return u.print("\nrun %s\nsee it:   backfill show %s\nundo it:  backfill undo --run %s\n", run, run, run)
}

// listed is the largest number of changes that are listed one by one.
const listed = 20

// table lists the changes: the value now, and the restored one.
func (u *undoing) table(cs []fleet.ChangeRecord) error {
	slices.SortFunc(cs, func(a, b fleet.ChangeRecord) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ID, b.ID))
	})
	w := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	for i, c := range cs {
		if i == 0 {
			fmt.Fprintln(w, "CHANGE\tRESOURCE\tSTATE\tBEFORE\tAFTER")
		}
		if i == listed {
			cells(w, "… and %d more\n", len(cs)-i)
			break
		}
		cells(w, "%s\t%s %s\t%s\t%s\t%s\n", c.Kind, c.RefKind, c.ID, c.State, value(c.Before), value(c.Want))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// roles names each role that instances get, however long the table is. The operator has to
// review them: the role is known from the ledger alone.
func (u *undoing) roles(cs []fleet.ChangeRecord) error {
	gets := map[string]int{}
	for _, c := range cs {
		if c.Kind == fleet.AttachRole || c.Kind == fleet.ReplaceRole {
			gets[c.Want]++
		}
	}
	for _, role := range slices.Sorted(maps.Keys(gets)) {
		if err := u.print("role %s goes to %s\n", role, many(gets[role], "instance", "instances")); err != nil {
			return err
		}
	}
	return nil
}

// left lists what is left alone, and why.
func (u *undoing) left() error {
	as := 0
	for _, k := range slices.SortedFunc(maps.Keys(u.found), func(a, b fleet.Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	}) {
		f := u.found[k]
		if f.Outcome == fleet.Passes {
			as++
			continue
		}
		if err := u.print("left: %s %s: %s\n", f.Kind, f.ID, strings.TrimPrefix(f.Reason, "left as it is: ")); err != nil {
			return err
		}
		if f.Remedy != "" {
			if err := u.print("      to do: %s\n", f.Remedy); err != nil {
				return err
			}
		}
	}
	if as > 0 {
		if err := u.print("%s as before the run\n", many(as, "resource is", "resources are")); err != nil {
			return err
		}
	}
	for _, c := range u.changes {
		if c.State == fleet.Skipped || c.State == fleet.Failed {
			if err := u.print("%s: %s %s: %s\n", c.State, c.Kind, c.ID, c.Why); err != nil {
				return err
			}
		}
	}
	return nil
}
