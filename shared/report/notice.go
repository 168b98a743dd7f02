package report

import (
	"encoding/json"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
)

// NoticeVersion is the version of [Notice] that this code writes.
const NoticeVersion = 1

// Notice is the one message that a sweep sends to the queue of the policy's
// sinks.findings when it has ended, in place of a copy of each finding:
//
//	{"v":1,"type":"sweep","run":"sweep-20261122T020000Z-abcdef","started":"…","ended":"…","policy":"…",
//	 "findings":40001,"outcomes":{"violation":40000,"fault":1},"severities":{"high":40001},"held":1,"unread":0,
//	 "report":"oss://fleetwarden-example/ledger/reports/sweep-20261122T020000Z-abcdef/",
//	 "files":["findings-001.jsonl","findings-002.jsonl"]}
//
// A file has one finding a line, each as it would be copied: a [fleet.Record] of type
// "finding". The type distinguishes a notice from a copy. A notice may come twice, when a
// pass died or two ended the sweep at once: the run says so.
type Notice struct {
	V       int       `json:"v"`
	Type    string    `json:"type"` // sweep
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Policy  string    `json:"policy,omitempty"`
	DryRun  bool      `json:"dryRun,omitempty"`
	// Findings is how many lines the files have, Outcomes and Severities how many of each.
	Findings   int                    `json:"findings"`
	Outcomes   map[fleet.Outcome]int  `json:"outcomes,omitempty"`
	Severities map[fleet.Severity]int `json:"severities,omitempty"`
	// Held is how many changes are held, Unread how many shards were not read to their end.
	Held   int `json:"held"`
	Unread int `json:"unread"`
	// Report is the address of the report's folder, Files the JSON Lines in it. There is a
	// file for each few thousand findings: the names of millions fit into one message.
	Report string   `json:"report"`
	Files  []string `json:"files"`
}

// NewNotice returns the notice of a sweep, without its findings.
func NewNotice(s Summary, report string) *Notice {
	n := &Notice{V: NoticeVersion, Type: "sweep", Run: s.Run, Started: s.Started, Ended: s.Ended, Policy: s.Policy, DryRun: s.DryRun,
		Outcomes: map[fleet.Outcome]int{}, Severities: map[fleet.Severity]int{}, Report: report}
	for _, shard := range s.Shards {
		for _, h := range shard.Held {
			n.Held += h.N
		}
		if shard.Fault != "" {
			n.Unread++
		}
	}
	return n
}

// Add counts a finding.
func (n *Notice) Add(f *fleet.FindingRecord) {
	n.Findings++
	n.Outcomes[f.Outcome]++
	if f.Severity != "" {
		n.Severities[f.Severity]++
	}
}

// Encode returns the text of the message.
func (n *Notice) Encode() ([]byte, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encoding the notice of sweep %s: %w", n.Run, err)
	}
	return text, nil
}
