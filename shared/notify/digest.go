package notify

import (
	"cmp"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

const (
	// soon is how long before an exemption ends a digest names it.
	soon = 14 * 24 * time.Hour
	// mostNotRead is how many shards that were not read a digest names.
	mostNotRead = 20
)

// NewDigest sums up a sweep for one channel at a time, without the address of the report, which
// the summary does not have. orders are the orders that pause changes, with their reasons; those
// that resume and those that have ended are left out.
//
// wants says what the channel is for. An empty control, account or severity stands for whichever:
// wants("", account, "") is whether the channel is for an account at all.
func NewDigest(s report.Summary, orders []fleet.Order, wants func(control string, account fleet.AccountID, severity fleet.Severity) bool, now time.Time) *Digest {
	s, elsewhere := wanted(s, wants)
	d := &Digest{Run: s.Run, Started: s.Started, Ended: s.At(), Seen: s.Seen(), Undetermined: s.Posture().Open, Elsewhere: elsewhere, Rules: rules(s)}
	for _, x := range s.Shards {
		at := x.Scope
		switch {
		case x.Fault != "":
			if d.Unread++; d.Unread <= mostNotRead {
				d.NotRead = append(d.NotRead, NotReadDigest{at.Account, at.Region, x.Fault})
			}
		case at.Region != "" && !x.Compared:
			d.Uncompared++
		}
		for _, h := range x.Held {
			d.Held = append(d.Held, HeldDigest{h.Control, h.Rule, at.Account, at.Region, h.N, h.Since, h.Why, h.Limit})
		}
	}
	slices.SortStableFunc(d.Held, func(a, b HeldDigest) int { return cmp.Compare(b.N, a.N) })
	ending, _ := s.Expiring(now, soon)
	for _, e := range ending {
		d.Expiring = append(d.Expiring, ExpiringDigest{e.Control, e.Rule, e.Owner, e.Reason, e.Expires})
	}
	for _, o := range orders {
		if !o.Resume && o.Until.After(now) && wants(o.Control, o.Account, "") {
			d.Pauses = append(d.Pauses, PauseDigest{o.Control, o.Account, o.Until, o.By, o.Reason})
		}
	}
	return d
}

// Well reports whether all is well: something was checked, all of it could be determined and
// holds, whether or not it is for the channel, and no change is held or paused.
func (d *Digest) Well() bool {
	fails := slices.ContainsFunc(d.Rules, func(r RuleDigest) bool { return r.Failing > 0 })
	return d.Seen > 0 && !fails && d.PausesNotRead == "" && d.Unread+d.Undetermined+d.Elsewhere+len(d.Held)+len(d.Pauses) == 0
}

// fails reports whether an outcome counts as failing.
func fails(o fleet.Outcome) bool { return o == fleet.Violation || o == fleet.Conflict }

// wanted is the part of a summary that a channel is for, and how many verdicts of its accounts that
// are no passes, and held changes, are left out: a channel must not say that all is well of what it
// is not for. What could not be determined and what is held is part of it whatever the severity.
func wanted(s report.Summary, wants func(string, fleet.AccountID, fleet.Severity) bool) (_ report.Summary, elsewhere int) {
	shards := s.Shards
	s.Shards = nil
	for _, x := range shards {
		account := x.Scope.Account
		if !wants("", account, "") {
			continue
		}
		elsewhere += open(x)
		x.Counts = only(x.Counts, func(c report.Count) bool {
			if !fails(c.Outcome) {
				c.Severity = ""
			}
			return wants(c.Control, account, c.Severity)
		})
		x.Moves = only(x.Moves, func(m report.Move) bool { return wants(m.Control, account, m.Severity) })
		x.Held = only(x.Held, func(h report.Held) bool { return wants(h.Control, account, "") })
		elsewhere -= open(x)
		s.Shards = append(s.Shards, x)
	}
	s.Exemptions = only(s.Exemptions, func(e report.Exemption) bool { return wants(e.Control, "", "") })
	return s, elsewhere
}

// open is how many verdicts of a shard are no passes, and how many changes are held there.
func open(x report.Shard) int {
	p := report.Summary{Shards: []report.Shard{x}}.Posture()
	n := p.Fail + p.Open
	for _, h := range x.Held {
		n += h.N
	}
	return n
}

func only[T any](all []T, wanted func(T) bool) (out []T) {
	for _, x := range all {
		if wanted(x) {
			out = append(out, x)
		}
	}
	return out
}

// rules are those that fail somewhere or were fixed, the most severe first, then by number.
func rules(s report.Summary) []RuleDigest {
	type key struct{ control, rule string }
	sums := map[key]*RuleDigest{}
	of := func(control, rule string) *RuleDigest {
		k := key{control, rule}
		if sums[k] == nil {
			sums[k] = &RuleDigest{Control: control, Rule: rule}
		}
		return sums[k]
	}
	for _, x := range s.Shards {
		for _, c := range x.Counts {
			if !fails(c.Outcome) || c.N == 0 {
				continue
			}
			r := of(c.Control, c.Rule)
			r.Failing, r.Uncompared = r.Failing+c.N, r.Uncompared+c.N
			if c.Severity.Rank() > r.Severity.Rank() {
				r.Severity = c.Severity
			}
		}
		for _, m := range x.Moves {
			r := of(m.Control, m.Rule)
			r.New, r.Fixed, r.Uncompared = r.New+m.New, r.Fixed+m.Fixed, r.Uncompared-m.New-m.Still
		}
	}
	var out []RuleDigest
	for _, r := range sums {
		if r.Uncompared = max(r.Uncompared, 0); r.Failing+r.Fixed > 0 {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b RuleDigest) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(b.Failing, a.Failing),
			cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}
