package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/canary"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/operate/doctor/clients"
)

// Doctor examines the deployment.
func Doctor() Command {
	return Command{Name: "doctor", About: "examine the deployment: whether events arrive, and functions can work", Long: `
It reads and changes nothing. Its checks are in the order of cause, so that the first one
that is not ok explains those below it. Each problem comes with the command, or the step in
a console, that mends it. It takes 10 seconds at most.

  fleetwarden doctor
  fleetwarden doctor --category events,queues
  fleetwarden doctor --json
  fleetwarden doctor --canary

With --canary, it then asks in each region for a launch that cannot launch anything, and sends
a check of an instance that does not exist to each inbox. It follows both for up to ` + fmt.Sprint(canary.Patience.Minutes()) + ` minutes,
through ActionTrail and EventBridge to the records of the functions, and shows which leg is
missing. That needs ecs:RunInstances, which may be refused, and mns:SendMessage.

The categories:
  ` + strings.Join(doctor.Categories(), ", ") + `

UNREAD is what could not be read, and is never taken for ok: a right that is missing is named.
Exit status 1: a check has failed or was not read. Warnings leave it at 0. The function doctor
examines the same each week, with rights of its own, and its findings are reported like others.`,
		Bind: func(c *Call, set *flag.FlagSet) Run {
			var categories []string
			set.Var(several(&categories), "category", "only the checks of this `CATEGORY`; may be given again")
			canary := set.Bool("canary", false, "follow a call and a message to the functions' records, too")
			return func(ctx context.Context, _ []string) error { return c.doctor(ctx, categories, *canary) }
		}}
}

func (c *Call) doctor(ctx context.Context, categories []string, canary bool) error {
	for _, name := range categories {
		if !slices.Contains(doctor.Categories(), name) {
			return Wrong("--category: there is no category %q, only %s", name, strings.Join(doctor.Categories(), ", "))
		}
	}
	c.Lenient = true
	limited, stop := context.WithTimeout(ctx, doctor.Limit)
	defer stop()
	inv, err := c.Open(limited)
	var reads doctor.Reads
	switch {
	case err == nil:
		reads = clients.Of(inv, c.PolicyFile != "" && c.NoPolicy == nil)
		if reads.Settings = c.NoPolicy; c.NoPolicy == nil {
			reads.Policy.Path = c.PolicyFile
		}
	case errors.As(err, new(BadSetting)):
		reads.Settings = err
	default: // the check of the credentials says so
		reads.Account = func(context.Context) (fleet.AccountID, error) { return "", err }
	}
	bar := c.Progress("examining the deployment", 0)
	page := doctor.Examine(limited, reads, categories...)
	bar.End()
	if ctx.Err() != nil {
		return errors.New("stopped: the examination is incomplete")
	}
	if err := c.Show(page); err != nil {
		return err
	}
	if !page.Success {
		err = fmt.Errorf("%s, %s", Plural(page.Count(doctor.Fail), "check has failed", "checks have failed"), Plural(page.Count(doctor.Unread), "was not read", "were not read"))
	}
	if canary && inv != nil {
		regions, unknown := doctor.Regions(ctx, reads)
		if unknown != nil {
			return errors.Join(err, fmt.Errorf("--canary: which regions have a deployment is not known, so that nothing was sent: %w", unknown))
		}
		err = errors.Join(err, c.canary(ctx, inv, regions))
	}
	return err
}
