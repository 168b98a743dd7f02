package notify

import (
	"time"

	"fleetwarden/shared/fleet"
)

// Kind is the kind of a card.
type Kind string

// The kinds of card.
const (
	// KindFinding is about what a rule found in one account on one day.
	KindFinding Kind = "finding"
	// KindChange is about the changes of one kind that were made in one account on one day.
	KindChange Kind = "change"
	// KindDigest sums up a sweep.
	KindDigest Kind = "digest"
	// KindSample is what an operator sends to try a channel.
	KindSample Kind = "sample"
)

// CardVersion is the version of [Card] that this code writes.
const CardVersion = 1

// Card is one message for people, before it has a language and a channel. There is one a
// (rule, account, day), another where that becomes more severe, and one a sweep.
type Card struct {
	V    int  `json:"v"`
	Kind Kind `json:"kind"`
	// Key is the card's name in the ledger on its day, and the short id that people see:
	// a channel has no idempotency, so that one may come twice.
	Key string `json:"key"`
	// Day is the date in the policy's zone, 2026-12-01.
	Day string `json:"day"`
	// At is until when it counts.
	At time.Time `json:"at"`
	Group
	// More says that there are more resources than Count.
	More   bool    `json:"more,omitempty"`
	Digest *Digest `json:"digest,omitempty"`
}

// Group is what one pass found of one rule in one account, or changed of one kind.
type Group struct {
	Control  string           `json:"control,omitempty"`
	Rule     string           `json:"rule,omitempty"`
	Change   fleet.ChangeKind `json:"change,omitempty"`
	Outcome  fleet.Outcome    `json:"outcome,omitempty"`
	Severity fleet.Severity   `json:"severity,omitempty"`
	Account  fleet.AccountID  `json:"account,omitempty"`
	Regions  []fleet.Region   `json:"regions,omitempty"`
	// IDs are the resources, each once. A card has the first few; Count is their number.
	IDs   []string `json:"ids,omitempty"`
	Count int      `json:"count,omitempty"`
	// Example is a resource of the most severe, and Reason and Remedy are its own. They may
	// quote tags and names that an attacker wrote.
	Example string `json:"example,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
}

// Digest is what a card says of a sweep.
type Digest struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Report is the address of the report's folder.
	Report string `json:"report"`
	// Seen is how many resources were checked, Unread how many shards were not read to
	// their end.
	Seen   int `json:"seen"`
	Unread int `json:"unread"`
	// NotRead are the first of the shards that were not read.
	NotRead []NotReadDigest `json:"notRead,omitempty"`
	// Undetermined is how many verdicts are unknown, pending or faults: none of them is a pass.
	Undetermined int `json:"undetermined,omitempty"`
	// Elsewhere is how many verdicts that are no passes, and held changes, of its accounts the
	// channel is not for.
	Elsewhere int `json:"elsewhere,omitempty"`
	// Uncompared is how many regions were read, of which it is not known what failed in the
	// sweep before: there, nothing is known of what is new or fixed.
	Uncompared int `json:"uncompared,omitempty"`
	// Rules are those that do not hold somewhere, or did not in the sweep before; the most
	// severe first.
	Rules []RuleDigest `json:"rules,omitempty"`
	Held  []HeldDigest `json:"held,omitempty"`
	// Expiring are exemptions that end soon or have ended.
	Expiring []ExpiringDigest `json:"expiring,omitempty"`
	Pauses   []PauseDigest    `json:"pauses,omitempty"`
	// PausesNotRead says why it is not known what is paused; empty where it is.
	PausesNotRead string `json:"pausesNotRead,omitempty"`
}

// RuleDigest is how often a rule does not hold, over the accounts of the channel.
type RuleDigest struct {
	Control  string         `json:"control"`
	Rule     string         `json:"rule"`
	Severity fleet.Severity `json:"severity,omitempty"`
	// Failing is the number of resources that fail now: New since the sweep before, the rest
	// for longer. Fixed is how many failed then, and hold now.
	Failing int `json:"failing"`
	New     int `json:"new"`
	Fixed   int `json:"fixed"`
	// Uncompared is the number of those that fail of which it is not known whether they are new:
	// shares, accounts as a whole, and instances of regions that were not compared.
	Uncompared int `json:"uncompared,omitempty"`
}

// NotReadDigest is an account in a region, or without one what the account shares.
type NotReadDigest struct {
	Account fleet.AccountID `json:"account"`
	Region  fleet.Region    `json:"region,omitempty"`
	Why     string          `json:"why"`
}

// HeldDigest are changes that a limit holds.
type HeldDigest struct {
	Control string          `json:"control"`
	Rule    string          `json:"rule,omitempty"`
	Account fleet.AccountID `json:"account"`
	Region  fleet.Region    `json:"region,omitempty"`
	N       int             `json:"n"`
	Since   time.Time       `json:"since,omitzero"`
	Why     string          `json:"why"`
	// Limit says that a limit of the policy holds them: a part of them can be let through.
	Limit bool `json:"limit,omitempty"`
}

// ExpiringDigest is an exemption.
type ExpiringDigest struct {
	Control string    `json:"control"`
	Rule    string    `json:"rule,omitempty"`
	Owner   string    `json:"owner"`
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires"`
}

// PauseDigest is an order that stops changes.
type PauseDigest struct {
	Control string          `json:"control,omitempty"` // empty: all
	Account fleet.AccountID `json:"account,omitempty"` // empty: all
	Until   time.Time       `json:"until"`
	By      string          `json:"by"` // the operator's ARN
	Reason  string          `json:"reason"`
}
