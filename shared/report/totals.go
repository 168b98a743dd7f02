package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// SeverityCount is the number of violations and conflicts of a severity.
type SeverityCount struct {
	Severity fleet.Severity
	N        int
}

// Severities counts violations and conflicts by severity, the most urgent first.
// Severities that do not occur are left out.
func (s Summary) Severities() []SeverityCount {
	sums := map[fleet.Severity]int{}
	for _, shard := range s.Shards {
		for _, c := range shard.Counts {
			if c.N > 0 && (c.Outcome == fleet.Violation || c.Outcome == fleet.Conflict) {
				sums[c.Severity] += c.N
			}
		}
	}
	out := make([]SeverityCount, 0, len(sums))
	for severity, n := range sums {
		out = append(out, SeverityCount{severity, n})
	}
	slices.SortFunc(out, func(a, b SeverityCount) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.Severity, b.Severity))
	})
	return out
}

// Changes sums up the changes of all shards, by control, kind and state.
func (s Summary) Changes() []ChangeCount {
	sums := map[ChangeCount]int{}
	for _, shard := range s.Shards {
		for _, c := range shard.Changes {
			sums[ChangeCount{Control: c.Control, Kind: c.Kind, State: c.State}] += c.N
		}
	}
	out := make([]ChangeCount, 0, len(sums))
	for c, n := range sums {
		c.N = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b ChangeCount) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.State, b.State))
	})
	return out
}

// HeldTotal is a limit that stopped changes, with the scopes, and since when at the
// longest.
type HeldTotal struct {
	Held
	Scopes []fleet.Scope
}

// Held sums up the held changes of all shards, the most first.
func (s Summary) Held() []HeldTotal {
	sums := map[Held]*HeldTotal{}
	for _, shard := range s.Shards {
		for _, h := range shard.Held {
			key := Held{Control: h.Control, Rule: h.Rule, Why: h.Why, Limit: h.Limit}
			if sums[key] == nil {
				sums[key] = &HeldTotal{Held: key}
			}
			if since := &sums[key].Since; since.IsZero() || h.Since.Before(*since) {
				*since = h.Since
			}
			sums[key].N += h.N
			if !slices.Contains(sums[key].Scopes, shard.Scope) {
				sums[key].Scopes = append(sums[key].Scopes, shard.Scope)
			}
		}
	}
	out := make([]HeldTotal, 0, len(sums))
	for _, h := range sums {
		slices.SortFunc(h.Scopes, compareScopes)
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b HeldTotal) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Why, b.Why))
	})
	return out
}

// CallCount is how often one API was called, and how often without success.
type CallCount struct {
	API       string
	N, Failed int
}

// Calls sums up the API calls of all shards, the most first.
func (s Summary) Calls() []CallCount {
	sums := map[string]CallCount{}
	for _, shard := range s.Shards {
		for api, results := range shard.Calls {
			c := sums[api]
			for result, n := range results {
				c.N += n
				if result != "ok" {
					c.Failed += n
				}
			}
			c.API = api
			sums[api] = c
		}
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b CallCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.API, b.API))
	})
}

// Expiring splits the exemptions, each part by expiry: those that are expired at a time or
// expire within a duration after it, and the others.
func (s Summary) Expiring(at time.Time, within time.Duration) (soon, others []Exemption) {
	sorted := slices.Clone(s.Exemptions)
	slices.SortStableFunc(sorted, func(a, b Exemption) int { return a.Expires.Compare(b.Expires) })
	end := at.Add(within)
	i := slices.IndexFunc(sorted, func(e Exemption) bool { return e.Expires.After(end) })
	if i < 0 {
		return sorted, nil
	}
	return sorted[:i], sorted[i:]
}
