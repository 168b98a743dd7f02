package cli

import (
	"context"

	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/operate/sweep/publish"
)

// Publish makes the report of a sweep by hand, and sends no notice of it.
func Publish(ctx context.Context, inv *invocation.Invocation, found sweep.Result) error {
	return publish.Publisher{Store: inv.Store, Address: inv.Place.Address, Stamp: inv.Options.Stamp, Now: inv.Session.Now}.Publish(ctx, found)
}
