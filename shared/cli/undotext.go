package cli

import (
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
)

// longestUndo is the largest number of changes that an undo lists one by one.
const longestUndo = 20

func (t *text) undone(u command.Undone) error {
	for _, show := range []func(command.Undone) error{t.left, t.restored, t.roles} {
		if err := show(u); err != nil {
			return err
		}
	}
	if len(u.States) > 0 {
		if err := t.print("\n%s\n", counts(u.States, "")); err != nil {
			return err
		}
	}
	switch {
	case u.DryRun:
		return t.print("dry run: nothing was changed; --apply takes it back\n")
	case u.States[fleet.Done] == 0:
		return t.print("nothing was changed\n")
	}
	return t.print("\nrun %s\nsee it:   %s show %s\nundo it:  %s undo --run %s\n", u.Run, command.Tool, u.Run, command.Tool, u.Run)
}

// restored lists the changes: the value now, and the restored one.
func (t *text) restored(u command.Undone) error {
	for i, c := range u.Latest {
		if i == longestUndo {
			return t.print("… and %d more\n", len(u.Latest)-i)
		}
		if err := t.row("CHANGE\tRESOURCE\tSTATE\tBEFORE\tAFTER", "%s\t%s %s\t%s\t%s\t%s", c.Kind, c.RefKind, c.ID, c.State, t.value(c.Before), t.value(c.Want)); err != nil {
			return err
		}
	}
	return nil
}

// roles names each role that instances get, however long the table is. The operator has to
// review them: the role is known from the ledger alone.
func (t *text) roles(u command.Undone) error {
	gets := map[string]int{}
	for _, c := range u.Latest {
		if c.Kind == fleet.AttachRole || c.Kind == fleet.ReplaceRole {
			gets[c.Want]++
		}
	}
	for _, role := range slices.Sorted(maps.Keys(gets)) {
		if err := t.print("role %s goes to %s\n", role, command.Plural(gets[role], "instance", "instances")); err != nil {
			return err
		}
	}
	return nil
}

// left lists what is left alone, and why.
func (t *text) left(u command.Undone) error {
	as := 0
	for _, f := range u.Found {
		if f.Outcome == fleet.Passes {
			as++
			continue
		}
		if err := t.print("left: %s %s: %s\n", f.Kind, f.ID, strings.TrimPrefix(f.Reason, "left as it is: ")); err != nil {
			return err
		}
		if f.Remedy != "" {
			if err := t.print("      to do: %s\n", f.Remedy); err != nil {
				return err
			}
		}
	}
	if as > 0 {
		if err := t.print("%s as before the run\n", command.Plural(as, "resource is", "resources are")); err != nil {
			return err
		}
	}
	for _, c := range u.Changes {
		if c.State == fleet.Skipped || c.State == fleet.Failed {
			if err := t.print("%s: %s %s: %s\n", c.State, c.Kind, c.ID, c.Why); err != nil {
				return err
			}
		}
	}
	return nil
}
