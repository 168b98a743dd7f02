package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/canary"
	"fleetwarden/shared/operate/canary/clients"
)

// canary follows a refused launch and a message to the records of the functions.
func (c *Call) canary(ctx context.Context, inv *invocation.Invocation, regions []fleet.Region) error {
	name := strings.ToLower(inv.Session.Now().UTC().Format("20060102150405") + rand.Text()[:4])
	legs := canary.Plan(inv.HomeOf("").Region, regions)
	bar := c.Progress("following the canary "+fleet.CanaryPrefix+name, len(legs))
	defer bar.End()
	f, err := canary.Fly(ctx, clients.Of(inv), inv.Home.Account, legs, name, canary.Patience, func() { bar.Add(1) })
	if ctx.Err() != nil {
		return fmt.Errorf("stopped following the canary; its records name %s", f.Token)
	}
	if err != nil {
		return err
	}
	bar.End()
	if err := c.Show(f); err != nil {
		return err
	}
	if !f.Success {
		return errors.New("the canary was not seen everywhere")
	}
	return nil
}
