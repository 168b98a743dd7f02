package delivery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// The class: whatever passes find in a day, in whatever order and however severe, each channel
// has a card of each rule and account of which it wants something, as severe as the worst of
// that. It has no card that it does not want, none twice, and none that is no more severe than
// one before.
func TestEachChannelHasTheWorstOfEachRuleAndAccountThatItWants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		severities := rapid.SampledFrom(fleet.Severities())
		accounts := rapid.SampledFrom([]fleet.AccountID{"1", "2"})
		w := newWorld(t)
		for _, name := range []string{"a", "b", "c"} {
			c := robot(name)
			c.Least = severities.Draw(rt, "least")
			if rapid.Bool().Draw(rt, "of an account") {
				c.Accounts = []fleet.AccountID{accounts.Draw(rt, "account")}
			}
			w.notify.Channels = append(w.notify.Channels, c)
		}
		worst := map[string]fleet.Severity{} // by channel, rule and account
		of := func(c policy.Channel, g notify.Group) string { return c.Name + " " + g.Rule + " " + string(g.Account) }
		for i := range rapid.IntRange(1, 6).Draw(rt, "passes") {
			g := one(rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "rule"), string(accounts.Draw(rt, "account")), severities.Draw(rt, "severity"), fmt.Sprint("i-", i))
			w.found(start.Add(rapid.SampledFrom([]time.Duration{0, 20 * time.Second, 5 * time.Minute, time.Hour}).Draw(rt, "at")), fmt.Sprint(i), g)
			for _, c := range w.notify.Channels {
				if c.Wants(g.Control, g.Account, g.Severity) && g.Severity.Rank() > worst[of(c, g)].Rank() {
					worst[of(c, g)] = g.Severity
				}
			}
		}
		w.play()
		got := map[string]fleet.Severity{}
		for _, p := range w.posts {
			c := w.notify.Channels[slices.IndexFunc(w.notify.Channels, func(c policy.Channel) bool { return c.Name == p.channel })]
			key := of(c, p.card.Group)
			if !c.Wants(p.card.Control, p.card.Account, p.card.Severity) {
				rt.Errorf("channel %+v got what it does not want: %+v", c, p.card.Group)
			}
			if p.card.Severity.Rank() <= got[key].Rank() {
				rt.Errorf("%s: severity %s after %s", key, p.card.Severity, got[key])
			}
			got[key] = p.card.Severity
		}
		for key, severity := range worst {
			if got[key] != severity {
				rt.Errorf("%s: got a card of severity %q, want %s", key, got[key], severity)
			}
		}
		if len(got) != len(worst) {
			rt.Errorf("got %v, want %v", got, worst)
		}
	})
}
