package report

import (
	"encoding/json"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
)

// SummaryVersion is the version of [Summary] that this code writes.
const SummaryVersion = 1

// Summary has the numbers of one sweep. Its size does not depend on the fleet: records have
// the findings of each resource. It has no secrets.
type Summary struct {
	V   int    `json:"v"`
	Run string `json:"run"`
	// Started and Ended are the cloud's time.
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	// Policy is the digest of the policy file.
	Policy     string      `json:"policy,omitempty"`
	DryRun     bool        `json:"dryRun,omitempty"`
	Shards     []Shard     `json:"shards"`
	Exemptions []Exemption `json:"exemptions,omitempty"`
}

// Shard is one account in one region. Without a region it has the account's shares.
type Shard struct {
	Scope fleet.Scope `json:"scope"`
	// Seen is the number of resources.
	Seen   int     `json:"seen"`
	Counts []Count `json:"counts,omitempty"`
	// Compared says that it is known of its instances what failed in the sweep before. Where it
	// is not, as in a shard's first sweep, in one whose memory was lost, and of shares, nothing
	// is known of what is new or fixed, and there are no Moves.
	Compared bool          `json:"compared,omitempty"`
	Moves    []Move        `json:"moves,omitempty"`
	Changes  []ChangeCount `json:"changes,omitempty"`
	Held     []Held        `json:"held,omitempty"`
	// Fault is why the shard could not be read to its end; empty if it could.
	Fault string `json:"fault,omitempty"`
	// Calls counts API calls by "product:Action" and result ("ok" or a class).
	Calls map[string]map[string]int `json:"calls,omitempty"`
}

// Count is the number of equal outcomes of a rule.
type Count struct {
	Control  string         `json:"control"`
	Rule     string         `json:"rule"`
	Outcome  fleet.Outcome  `json:"outcome"`
	Severity fleet.Severity `json:"severity,omitempty"`
	// Reason is set where one line covers many resources: not assessable ones, and those
	// that a tag excludes from the scope.
	Reason string `json:"reason,omitempty"`
	N      int    `json:"n"`
}

// Move counts how the instances of a rule have moved since the sweep before, by what each was
// found to be when a sweep last determined it: pending and unknown move nothing. New and Still
// add up to the violations and conflicts of the rule on instances.
type Move struct {
	Control string `json:"control"`
	Rule    string `json:"rule"`
	// Severity is that of those that fail. Those that hold have none.
	Severity fleet.Severity `json:"severity,omitempty"`
	// New fail, and did not: they held, were exempt, or were not there. Still fail as they did.
	New   int `json:"new,omitempty"`
	Still int `json:"still,omitempty"`
	// Fixed failed and hold. One that is gone, exempt or not required any more is not fixed.
	Fixed int `json:"fixed,omitempty"`
}

// ChangeCount counts the distinct changes of one kind and state.
type ChangeCount struct {
	Control string           `json:"control"`
	Rule    string           `json:"rule,omitempty"` // that asked first
	Kind    fleet.ChangeKind `json:"kind"`
	State   fleet.State      `json:"state"`
	N       int              `json:"n"`
}

// Held counts the distinct changes of a rule that are held, with the reason and since when.
type Held struct {
	Control string    `json:"control"`
	Rule    string    `json:"rule,omitempty"`
	Why     string    `json:"why"`
	Since   time.Time `json:"since,omitzero"`
	N       int       `json:"n"`
	// Limit says that a limit of the policy holds them, of which an operator can let a part
	// through: see policy.PlanPart.
	Limit bool `json:"limit,omitempty"`
}

// Exemption is one of the policy's exemptions, and how often it was used.
type Exemption struct {
	Control string `json:"control"`
	// Rule is empty for an exemption from each rule of the control.
	Rule   string `json:"rule,omitempty"`
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
	// Expires is when it ends.
	Expires time.Time `json:"expires"`
	Uses    int       `json:"uses"`
}

// At is the time of the summary: its end or, without one, its start.
func (s Summary) At() time.Time {
	if s.Ended.IsZero() {
		return s.Started
	}
	return s.Ended
}

// EncodeSummary returns s as JSON of this code's version.
func EncodeSummary(s Summary) ([]byte, error) {
	s.V = SummaryVersion
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding a summary: %w", err)
	}
	return data, nil
}

// DecodeSummary reads a summary of [EncodeSummary], of this or an earlier version. A later
// version is an error: its numbers may have another meaning.
func DecodeSummary(data []byte) (Summary, error) {
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return Summary{}, fmt.Errorf("decoding a summary: %w", err)
	}
	if version.V < 1 || version.V > SummaryVersion {
		return Summary{}, fmt.Errorf("decoding a summary: its version is %d, and versions 1 to %d are known", version.V, SummaryVersion)
	}
	var s Summary
	if err := json.Unmarshal(data, &s); err != nil {
		return Summary{}, fmt.Errorf("decoding a summary: %w", err)
	}
	for _, shard := range s.Shards {
		if err := shard.check(); err != nil {
			return Summary{}, fmt.Errorf("decoding a summary: shard %s: %w", shard.Scope, err)
		}
	}
	return s, nil
}

// most bounds each number, so that their sums are numbers too.
const most = 1 << 40

// check refuses impossible numbers.
func (s Shard) check() error {
	if s.Seen < 0 || s.Seen > most {
		return &fleet.BadInput{Where: "seen", What: "not a count"}
	}
	for i, c := range s.Counts {
		if c.N < 0 || c.N > most {
			return &fleet.BadInput{Where: fmt.Sprintf("counts[%d]", i), What: "not a count"}
		}
	}
	for i, m := range s.Moves {
		if min(m.New, m.Still, m.Fixed) < 0 || max(m.New, m.Still, m.Fixed) > most {
			return &fleet.BadInput{Where: fmt.Sprintf("moves[%d]", i), What: "not a count"}
		}
	}
	for i, c := range s.Changes {
		if c.N < 0 || c.N > most {
			return &fleet.BadInput{Where: fmt.Sprintf("changes[%d]", i), What: "not a count"}
		}
	}
	for i, h := range s.Held {
		if h.N < 0 || h.N > most {
			return &fleet.BadInput{Where: fmt.Sprintf("held[%d]", i), What: "not a count"}
		}
	}
	return nil
}
