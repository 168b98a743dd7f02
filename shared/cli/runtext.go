package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/queue"
)

func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) }

func (t *text) run(r command.RunShown) error {
	states := "-" // they were not counted
	if r.States != nil {
		states = counts(r.States, "")
	}
	return t.row("RUN\tFIRST\tLAST\tFUNCTIONS\tBATCHES\tOPEN\tCHANGES", "%s\t%s\t%s\t%s\t%d\t%d\t%s",
		r.Run, stamp(r.First), stamp(r.Last), strings.Join(r.Functions, ","), r.Batches, r.Open, states)
}

func (t *text) change(c command.ChangeShown) error {
	x := c.Change
	after := x.After
	if after == "" && x.State != fleet.Done {
		after = x.Want
	}
	return t.row("TIME\tFUNCTION\tCHANGE\tRESOURCE\tSTATE\tBEFORE\tAFTER", "%s\t%s\t%s\t%s %s\t%s\t%s\t%s",
		stamp(c.Time), c.Function, x.Kind, x.RefKind, x.ID, cmp.Or(string(x.State), "open"), t.value(x.Before), t.value(after))
}

func (t *text) replayed(r command.Replayed) error {
	if err := t.print("read %d records in %d pages: %d not for us, %d could not be decoded\n", r.Sum.Records, r.Sum.Pages, r.Sum.Ignored, r.Sum.Unread); err != nil {
		return err
	}
	if r.Sum.Expired > 0 {
		if err := t.print("ActionTrail no longer kept records of the first %s of the window\n", time.Duration(r.Sum.Expired)*time.Second); err != nil {
			return err
		}
	}
	word := "refs queued"
	if r.DryRun {
		word = "refs that would be queued"
	}
	for _, function := range slices.Sorted(maps.Keys(r.Sum.Refs)) {
		if err := t.print("%s: %s: %d\n", function, word, r.Sum.Refs[function]); err != nil {
			return err
		}
	}
	if r.DryRun {
		return t.print("dry run: nothing was queued; --apply queues the refs\n")
	}
	return t.print("run %s\n", r.Run)
}

func (t *text) redriven(r command.Redriven) error {
	for _, l := range r.Letters {
		to := l.Queued
		if len(to) == 0 {
			to = []queue.Delivery{{Function: "-"}}
		}
		for _, d := range to { // a launch is for two
			if err := t.row("SINCE\tSHAPE\tSTATE\tFOR\tABOUT\tDIGEST", "%s\t%s\t%s\t%s\t%s\t%.12s",
				stamp(l.Enqueued), l.Shape, l.State, d.Function, letterAbout(l, d), l.Digest); err != nil {
				return err
			}
		}
	}
	for _, state := range slices.Sorted(maps.Keys(r.Sum.Letters)) {
		if err := t.print("%s: %s\n", command.Plural(r.Sum.Letters[state], "letter", "letters"), state); err != nil {
			return err
		}
	}
	if len(r.Letters) == 0 {
		if err := t.print("no dead letters\n"); err != nil {
			return err
		}
	}
	if r.Sum.More {
		if err := t.print("there may be more: run it again\n"); err != nil {
			return err
		}
	}
	if r.DryRun {
		return t.print("dry run: nothing was sent or deleted; --apply does\n")
	}
	return nil
}

// letterAbout lists the refs of a letter for one function; without refs, it is the reason.
func letterAbout(l redrive.Letter, d queue.Delivery) string {
	switch n := len(d.Refs); n {
	case 0:
		return l.Reason
	case 1:
		return d.Refs[0].String()
	default:
		return fmt.Sprintf("%s and %d more", d.Refs[0], n-1)
	}
}

func (t *text) policyValid(v command.PolicyValid) error {
	var modes []string
	for _, control := range slices.Sorted(maps.Keys(v.Modes)) {
		mode := control + " " + v.Modes[control]
		if slices.Contains(v.Partly, control) {
			mode += " and enforceFor"
		}
		modes = append(modes, mode)
	}
	return t.print("%s: valid; %s\n", v.File, strings.Join(modes, ", "))
}
