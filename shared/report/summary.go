package report

import (
	"encoding/json"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
)

// SummaryVersion is the version of [Summary] that this code writes.
const SummaryVersion = 1

// Summary is what one sweep saw, in numbers. It stays small whatever the size of the
// fleet: what was said of each thing is in the records. It holds no secrets.
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

// Shard is one account in one region. Without a region it is what the account shares
// with others.
type Shard struct {
	Scope fleet.Scope `json:"scope"`
	// Seen is how many things were looked at.
	Seen    int           `json:"seen"`
	Counts  []Count       `json:"counts,omitempty"`
	Changes []ChangeCount `json:"changes,omitempty"`
	Held    []Held        `json:"held,omitempty"`
	// Fault says why the shard could not be read to its end; empty: it was.
	Fault string `json:"fault,omitempty"`
	// Calls counts API calls by "product:Action" and result ("ok" or a class).
	Calls map[string]map[string]int `json:"calls,omitempty"`
}

// Count is how often a rule said the same.
type Count struct {
	Control  string         `json:"control"`
	Rule     string         `json:"rule"`
	Outcome  fleet.Outcome  `json:"outcome"`
	Severity fleet.Severity `json:"severity,omitempty"`
	// Reason is set where one line stands for many things: what is not assessable, and
	// what a tag keeps out of scope.
	Reason string `json:"reason,omitempty"`
	N      int    `json:"n"`
}

// ChangeCount is what became of the distinct changes of one kind.
type ChangeCount struct {
	Control string           `json:"control"`
	Rule    string           `json:"rule,omitempty"` // that asked first
	Kind    fleet.ChangeKind `json:"kind"`
	State   fleet.State      `json:"state"`
	N       int              `json:"n"`
}

// Held is how many distinct changes of a rule are held, why, and since when.
type Held struct {
	Control string    `json:"control"`
	Rule    string    `json:"rule,omitempty"`
	Why     string    `json:"why"`
	Since   time.Time `json:"since,omitzero"`
	N       int       `json:"n"`
}

// Exemption is one of the policy's exemptions, and how often it was used.
type Exemption struct {
	Control string `json:"control"`
	// Rule is empty for an exemption from each rule of the control.
	Rule   string `json:"rule,omitempty"`
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
	// Expires is the first moment at which it no longer works.
	Expires time.Time `json:"expires"`
	Uses    int       `json:"uses"`
}

// At is the moment for which the summary speaks: its end or, without one, its start.
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

// DecodeSummary reads what [EncodeSummary] wrote, now or in an earlier version. A
// later version is an error: what it means by its numbers is not known here.
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

// check refuses numbers that nobody can have counted.
func (s Shard) check() error {
	if s.Seen < 0 || s.Seen > most {
		return &fleet.BadInput{Where: "seen", What: "not a count"}
	}
	for i, c := range s.Counts {
		if c.N < 0 || c.N > most {
			return &fleet.BadInput{Where: fmt.Sprintf("counts[%d]", i), What: "not a count"}
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
