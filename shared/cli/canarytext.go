package cli

import (
	"cmp"
	"time"

	"fleetwarden/shared/operate/canary"
)

// canary is a flight: a row for each leg, in order, and below them why a leg was not seen.
func (t *text) canary(f canary.Flight) error {
	if err := t.print("canary %s, instance %s\n", f.Token, f.ID); err != nil {
		return err
	}
	for _, l := range f.Legs {
		after := ""
		if l.DelayMS > 0 {
			after = (time.Duration(l.DelayMS) * time.Millisecond).Round(time.Second / 10).String()
		}
		if l.Longest {
			after += " (longest)"
		}
		if err := t.row("REGION\tSOURCE\tFUNCTION\tSTATE\tAFTER\tANSWER", "%s\t%s\t%s\t%s\t%s\t%s",
			l.Region, l.Source, cmp.Or(l.Function, "-"), l.State, cmp.Or(after, "-"), cmp.Or(l.Answer, "-")); err != nil {
			return err
		}
	}
	for _, l := range f.Legs {
		if l.Why == "" {
			continue
		}
		if err := t.print("%s %s %s: %s: %s\n", l.Region, l.Source, cmp.Or(l.Function, "-"), l.State, l.Why); err != nil {
			return err
		}
	}
	return nil
}
