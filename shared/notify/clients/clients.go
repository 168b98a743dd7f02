// Package clients gives the function notify, and the tool, what a delivery needs of the cloud:
// the secrets of channels, the way to them, reports and pauses. It decides nothing.
package clients

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"fleetwarden/shared/aliyun/dm"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/notify/channel"
	"fleetwarden/shared/notify/delivery"
	"fleetwarden/shared/notify/text"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/pause"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// Delivery returns a pass of the function notify.
func Delivery(inv *invocation.Invocation) (*delivery.Delivery, error) {
	home := inv.HomeOf("")
	inbox, err := inv.InboxIn(fleet.FunctionNotify, home.Region)
	if err != nil {
		return nil, err
	}
	return &delivery.Delivery{
		Notify: inv.Options.Policy.Notify, Store: inv.Store, Inbox: inbox, Home: home, Open: Open(inv), Options: inv.Options,
		Report: func(ctx context.Context, run string) (report.Summary, error) { return readReport(ctx, inv.Store, run) },
		Digest: func(ctx context.Context, s report.Summary, c policy.Channel) (*notify.Digest, error) {
			now := inv.Session.Now()
			paused, err := pause.Read(ctx, inv.Store, now)
			if err != nil && fleet.ClassOf(err).Passing() {
				return nil, err
			}
			orders := paused.Since(now, now)
			for i, o := range orders {
				orders[i] = pause.Fill(ctx, inv.Store, o)
			}
			s.Exemptions = exemptions(inv.Options.Policy, c, s.Exemptions)
			digest := notify.NewDigest(s, orders, c.Covers, now)
			if err != nil { // an order that cannot be read stops all changes
				digest.PausesNotRead = err.Error()
			}
			digest.Report = inv.Place.Address(sweep.ReportObject(s.Run, ""))
			return digest, nil
		},
	}, nil
}

// exemptions are those of a report that a channel may be notified of. A report has not the
// accounts of an exemption: the policy has them.
func exemptions(p *policy.Policy, c policy.Channel, all []report.Exemption) (out []report.Exemption) {
	for _, x := range all {
		if slices.ContainsFunc(p.Exemptions, func(e policy.Exemption) bool {
			return e.Control == x.Control && e.Rule == x.Rule && e.Owner == x.Owner && e.Reason == x.Reason && e.Expires.Equal(x.Expires) &&
				(len(e.Accounts) == 0 || slices.ContainsFunc(e.Accounts, func(a fleet.AccountID) bool { return c.Covers("", a, "") }))
		}) {
			out = append(out, x)
		}
	}
	return out
}

func readReport(ctx context.Context, store ledger.Store, run string) (report.Summary, error) {
	body, err := store.Get(ctx, sweep.SummaryObject(run))
	if err != nil {
		return report.Summary{}, fmt.Errorf("reading the report of sweep %s: %w", run, err)
	}
	s, err := report.DecodeSummary(body)
	if err != nil {
		return report.Summary{}, &fleet.BadInput{Where: "the report of sweep " + run, What: err.Error()}
	}
	return s, nil
}

// Open returns what opens channels with the keys of a call.
func Open(inv *invocation.Invocation) func(ctx context.Context, c policy.Channel) (delivery.Sink, error) {
	return func(ctx context.Context, c policy.Channel) (delivery.Sink, error) {
		sink, err := open(ctx, inv, c)
		if err != nil {
			return nil, err
		}
		return cards{sink, c.Lang, linksOf(inv.Options.Policy)}, nil
	}
}

func open(ctx context.Context, inv *invocation.Invocation, c policy.Channel) (channel.Sink, error) {
	if c.Type == policy.ChannelMail {
		mails := dm.New(inv.Session, inv.HomeOf("").Region)
		return channel.NewMail(c, func(ctx context.Context, m channel.Mail) error { return mails.Send(ctx, dm.Mail(m)) }), nil
	}
	client, err := channel.Client(c, inv.Session.Cloud().Local())
	if err != nil {
		return nil, err
	}
	secret, err := secretOf(ctx, inv, c)
	if err != nil {
		return nil, err
	}
	return channel.New(c, secret, client, inv.Session.Now)
}

// secretOf reads the secret of a channel.
func secretOf(ctx context.Context, inv *invocation.Invocation, c policy.Channel) (string, error) {
	name, env := strings.CutPrefix(c.Secret, policy.EnvSecret)
	if !env {
		return kms.New(inv.Session).Secret(ctx, inv.HomeOf("").Region, c.Secret)
	}
	secret, ok := os.LookupEnv(name)
	if !ok {
		return "", &fleet.BadInput{Where: "its secret", What: "there is no environment variable " + name}
	}
	return secret, nil
}

// cards writes cards in the language of a channel.
type cards struct {
	channel.Sink
	lang  string
	links text.Links
}

func linksOf(p *policy.Policy) text.Links {
	l := text.Links{Names: map[fleet.AccountID]string{}, Zone: p.Notify.Zone, Home: p.HomeRegion}
	for _, a := range p.Accounts {
		l.Names[a.ID] = a.Name
	}
	return l
}

// Send implements delivery.Sink.
func (s cards) Send(ctx context.Context, c notify.Card) (string, error) {
	answer, err := s.Sink.Send(ctx, text.Document(c, s.lang, s.links))
	if err != nil {
		return "", err
	}
	says := answer.Says
	if answer.Accepted {
		says = strings.TrimSpace("accepted; nothing reports its delivery. " + says)
	}
	if answer.Plain {
		says = "as plain text, since the card was refused: " + says
	}
	return cmp.Or(says, fmt.Sprintf("status %d", answer.Status)), nil
}

// Preview returns the body that a card becomes.
func Preview(p *policy.Policy, c policy.Channel, card notify.Card) ([]byte, error) {
	return channel.Preview(c, text.Document(card, c.Lang, linksOf(p)))
}
