package notify

import (
	"time"

	"fleetwarden/shared/fleet"
)

// Sample returns a made-up card of a kind, for trying a channel; ok is false for no kind.
func Sample(kind Kind) (c Card, ok bool) {
	at := time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)
	c = Card{V: CardVersion, Kind: kind, Key: "sample", Day: at.Format(time.DateOnly), At: at}
	group := Group{Control: "agent", Rule: "agent-online", Severity: fleet.High, Account: "1000000000000001", Regions: []fleet.Region{"cn-hangzhou"},
		IDs: []string{"i-sample1", "i-sample2"}, Count: 2}
	switch kind {
	case KindSample:
	case KindFinding:
		c.Group = group
		c.Outcome, c.Reason, c.Remedy = fleet.Violation, "this is a sample: the agent is not installed", "nothing is to be done: this is a sample"
	case KindChange:
		c.Group = group
		c.Change, c.Severity = fleet.PushAgent, fleet.Info
	case KindDigest:
		c.Digest = &Digest{Run: "sweep-20260105T020000Z-sample", Started: at, Ended: at.Add(4 * time.Minute), Report: "oss://fleetwarden-example/ledger/reports/sweep-20260105T020000Z-sample/",
			Seen: 1200, Rules: []RuleDigest{{Control: "agent", Rule: "agent-online", Severity: fleet.High, Failing: 7, New: 2, Fixed: 3}},
			Held:     []HeldDigest{{Control: "instance-role", Rule: "systrust-role", Account: "1000000000000001", Region: "cn-hangzhou", N: 600, Since: at.AddDate(0, 0, -1), Why: "600 changes, more than maxChanges 500"}},
			Expiring: []ExpiringDigest{{Control: "instance-role", Rule: "over-broad-role", Owner: "platform team", Reason: "this is a sample", Expires: at.AddDate(0, 0, 3)}},
			Pauses:   []PauseDigest{{Control: "agent", Until: at.Add(2 * time.Hour), By: "acs:ram::1000000000000001:user/sample", Reason: "this is a sample"}}}
	default:
		return Card{}, false
	}
	return c, true
}
