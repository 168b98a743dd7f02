package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/notify/clients"
	"fleetwarden/shared/policy"
)

// Notified is what a channel answered to a sample, and NotifyShown what would be sent to it.
type (
	Notified struct {
		Type    string `json:"type"` // notified
		Channel string `json:"channel"`
		Card    string `json:"card"` // finding, change, digest or sample
		Says    string `json:"says"`
	}
	NotifyShown struct {
		Type    string `json:"type"` // preview
		Channel string `json:"channel"`
		Card    string `json:"card"`
		// Payload is the body of the post, without a signature.
		Payload string `json:"payload"`
	}
)

// Notify tries the channels of the policy.
func Notify() Command {
	return Command{Name: "notify", About: "send a sample to a channel of the policy, or show what would be sent", Long: `
It sends a card that needs no action to one channel of the policy, as the function notify
would, and prints what the channel answered. That reads the channel's secret with your
credentials (kms:GetSecretValue), or the environment variable that the policy names.

  fleetwarden notify --test ops
  fleetwarden notify --preview ops --card digest

--preview shows the body of the post, and reads and sends nothing. How to set a channel up:
deploy/guide/notify.md. Exit status 1: the channel did not take it.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		test := set.String("test", "", "send a sample to this `CHANNEL`")
		preview := set.String("preview", "", "show what would be sent to this `CHANNEL`")
		kind := set.String("card", string(notify.KindSample), "the `KIND` of card: sample, finding, change or digest")
		return func(ctx context.Context, _ []string) error {
			card, ok := notify.Sample(notify.Kind(*kind))
			switch {
			case !ok:
				return Wrong("--card: there is no kind %q, only %s, %s, %s and %s", *kind, notify.KindSample, notify.KindFinding, notify.KindChange, notify.KindDigest)
			case (*test == "") == (*preview == ""):
				return Wrong("give --test CHANNEL or --preview CHANNEL; see %s notify --help", Tool)
			case *preview != "":
				return c.previewCard(*preview, card)
			}
			return c.testChannel(ctx, *test, card)
		}
	}}
}

func (c *Call) previewCard(name string, card notify.Card) error {
	if c.PolicyFile == "" {
		return Wrong("the channels are those of the policy file: give --policy FILE, or set %s", invocation.PolicyVariable)
	}
	p, err := readPolicy(c.PolicyFile)
	if err != nil {
		return err
	}
	channel, err := channelOf(p, name)
	if err != nil {
		return err
	}
	payload, err := clients.Preview(p, channel, card)
	if err != nil {
		return err
	}
	return c.Show(NotifyShown{Type: "preview", Channel: name, Card: string(card.Kind), Payload: string(payload)})
}

func (c *Call) testChannel(ctx context.Context, name string, card notify.Card) error {
	inv, err := c.Open(ctx)
	if err != nil {
		return err
	}
	channel, err := channelOf(inv.Options.Policy, name)
	if err != nil {
		return err
	}
	card.At, card.Day = inv.Session.Now(), inv.Options.Policy.Notify.Day(inv.Session.Now())
	sink, err := clients.Open(inv)(ctx, channel)
	if err == nil {
		var says string
		if says, err = sink.Send(ctx, card); err == nil {
			return c.Show(Notified{Type: "notified", Channel: name, Card: string(card.Kind), Says: says})
		}
	}
	if fleet.ClassOf(err) == fleet.NotFound {
		err = fmt.Errorf("%w\n  make the secret %s in the home region; see deploy/guide/notify.md", err, channel.Secret)
	}
	return fmt.Errorf("channel %s: %w", name, err)
}

func channelOf(p *policy.Policy, name string) (policy.Channel, error) {
	i := slices.IndexFunc(p.Notify.Channels, func(c policy.Channel) bool { return c.Name == name })
	if i >= 0 {
		return p.Notify.Channels[i], nil
	}
	if len(p.Notify.Channels) == 0 {
		return policy.Channel{}, errors.New("the policy has no channels: see deploy/guide/notify.md")
	}
	var names []string
	for _, c := range p.Notify.Channels {
		names = append(names, c.Name)
	}
	return policy.Channel{}, fmt.Errorf("the policy has no channel %q, only %q", name, names)
}
