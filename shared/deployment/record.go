package deployment

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"time"

	"fleetwarden/shared/fleet"
)

// Version is that of Record.
const Version = 1

// Folder is the ledger's folder of the records, each under the time of its deployment.
const Folder = "deployments/"

// Object is the name of a record in the ledger: its time, so that the newest is the last,
// its region, and the beginning of the digest of its text.
func Object(r Record, text []byte) string {
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%s%s-%s-%x.json", Folder, r.At.Format("20060102T150405Z"), r.Region, sum[:4])
}

var object = regexp.MustCompile(`^` + Folder + `[0-9]{8}T[0-9]{6}Z-([a-z0-9-]+)-[0-9a-f]{8}\.json$`)

// RegionOf is the region in the name of a record.
func RegionOf(name string) (fleet.Region, bool) {
	m := object.FindStringSubmatch(name)
	if m == nil || !fleet.Region(m[1]).Valid() {
		return "", false
	}
	return fleet.Region(m[1]), true
}

// Record is one deployment: the wanted one, or the one that was read back.
type Record struct {
	V       int             `json:"v"`
	At      time.Time       `json:"at"`
	Account fleet.AccountID `json:"account"`
	Region  fleet.Region    `json:"region"`
	Home    fleet.Region    `json:"home"`
	// Build is the commit that was deployed, as the deployer names it.
	Build string `json:"build,omitempty"`
	// Policy is the digest of the policy file in the zips.
	Policy    string     `json:"policy,omitempty"`
	Functions []Function `json:"functions"`
	Roles     []Role     `json:"roles"`
	// Rules are the event rules that fill the queues of Region.
	Rules []Rule `json:"rules"`
	// Trails are those that log the write calls of Region to any destination, by name.
	Trails []string `json:"trails"`
}

// Function is a function as it is deployed.
type Function struct {
	// Name is that in Function Compute.
	Name   string       `json:"name"`
	Region fleet.Region `json:"region"`
	// Checksum is the CRC-64 (ECMA) of the zip, decimal, as Function Compute returns it.
	Checksum string `json:"checksum"`
	// Settings are all others, under the names of s.yaml. Those of the environment,
	// env.NAME, are digests: an operator may have put a secret there.
	Settings map[string]string `json:"settings"`
	// Triggers are the configurations, JSON as text, by the triggers' names.
	Triggers map[string]Trigger `json:"triggers,omitempty"`
}

// Trigger is one trigger.
type Trigger struct {
	Type   string `json:"type"`
	Config string `json:"config"`
	// Qualifier is the version or alias that it invokes; empty for the newest code.
	Qualifier string `json:"qualifier,omitempty"`
}

// Rule is an event rule of EventBridge.
type Rule struct {
	Bus    string       `json:"bus"`
	Name   string       `json:"name"`
	Region fleet.Region `json:"region"`
	Status string       `json:"status"` // ENABLE or DISABLE
	// Pattern is JSON with its members in order.
	Pattern string       `json:"pattern"`
	Targets []RuleTarget `json:"targets"`
}

// RuleTarget is a destination of an event rule.
type RuleTarget struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Endpoint string `json:"endpoint"`
	// Retry is the strategy for failed deliveries, and DeadLetters the ARN of the queue
	// that takes them afterwards; without one they are lost.
	Retry       string `json:"retry"`
	DeadLetters string `json:"deadLetters"`
	// Params are the parts of the delivery, such as the whole event, and the role if
	// another account's bus is the target: the form and the value of each, by its name.
	Params map[string]string `json:"params"`
}

// Role has the rights of a function's role: the statements of all its policies, each as
// JSON with its members in order.
type Role struct {
	Name       string   `json:"name"`
	Trust      string   `json:"trust"`
	Statements []string `json:"statements"`
	// May are statements that it may have in addition; no record of a read deployment has
	// them.
	May []string `json:"-"`
}
