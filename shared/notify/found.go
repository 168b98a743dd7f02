package notify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// FoundVersion is the version of [Found] that this code writes.
const FoundVersion = 1

// Found is an object of the ledger: what one pass found and changed that some channel wants.
type Found struct {
	V int `json:"v"`
	// At is when the pass ended.
	At     time.Time `json:"at"`
	Groups []Group   `json:"groups"`
}

const (
	// most is how many ids of a group one object has, and one card counts.
	most = 10_000
	// longestKey bounds a group's key in bytes: a message takes the id of a card, of 512.
	longestKey = 400
)

// Key is the same for groups of one rule, or one kind of change, in one account.
func (g Group) Key() string {
	rule := g.Rule
	if g.Change != "" {
		rule = "change-" + string(g.Change)
	}
	return fmt.Sprintf("%s.%s.%s", part(g.Control), part(rule), part(string(g.Account)))
}

// CardKeys names the card of a group on a day, and after that those which are more severe: a
// channel that has one of these needs no other.
func (g Group) CardKeys() (keys []string) {
	if g.Change != "" {
		return []string{g.Key()}
	}
	for _, s := range fleet.Severities() {
		if s.Rank() >= max(g.Severity.Rank(), 1) {
			keys = append(keys, g.Key()+"."+string(s))
		}
	}
	slices.Reverse(keys)
	return keys
}

// part is a text as a part of an object's name.
func part(s string) string {
	if s == "" {
		return "deployment"
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}

// Groups are groups by key. The zero value is empty.
type Groups struct{ by map[string]*Group }

// Finding adds a finding and reports whether it did: one that time may still settle, or that
// finds no fault, is left out.
func (gs *Groups) Finding(f fleet.FindingRecord) bool {
	if rank(f.Outcome) == 0 {
		return false
	}
	g := Group{Control: f.Control, Rule: f.Rule, Outcome: f.Outcome, Severity: f.Severity, Account: f.Account, Reason: f.Reason, Remedy: f.Remedy, Count: f.Count}
	if f.Region != "" {
		g.Regions = []fleet.Region{f.Region}
	}
	g.Example = cmp.Or(f.ID, string(f.Region), string(f.Account))
	g.IDs = []string{g.Example}
	gs.Add(g)
	return true
}

// Change adds a change that was made.
func (gs *Groups) Change(c fleet.ChangeRecord) {
	g := Group{Control: c.Control, Rule: c.Rule, Change: c.Kind, Severity: fleet.Info, Account: c.Account, Reason: c.Reason, Example: c.ID, IDs: []string{c.ID}}
	if c.Region != "" {
		g.Regions = []fleet.Region{c.Region}
	}
	gs.Add(g)
}

// rank orders the outcomes that people are notified of; 0 for the others.
func rank(o fleet.Outcome) int {
	return slices.Index([]fleet.Outcome{fleet.Undecided, fleet.Fault, fleet.Conflict, fleet.Violation}, o) + 1
}

// Add merges a group into that of its key: each resource counts once, the first texts and the
// worst outcome and severity stay.
func (gs *Groups) Add(g Group) {
	if gs.by == nil {
		gs.by = map[string]*Group{}
	}
	have := gs.by[g.Key()]
	if have == nil {
		have = &Group{Control: g.Control, Rule: g.Rule, Change: g.Change, Account: g.Account, Outcome: g.Outcome, Example: g.Example, Reason: g.Reason, Remedy: g.Remedy}
		gs.by[g.Key()] = have
	}
	if rank(g.Outcome) > rank(have.Outcome) {
		have.Outcome = g.Outcome
	}
	if g.Severity.Rank() > have.Severity.Rank() {
		have.Severity, have.Example, have.Reason, have.Remedy = g.Severity, g.Example, g.Reason, g.Remedy
	}
	have.Regions = union(have.Regions, g.Regions)
	unnamed := max(have.Count-len(have.IDs), g.Count-len(g.IDs), 0)
	have.IDs = union(have.IDs, g.IDs)
	have.Count = len(have.IDs) + unnamed
	have.IDs = have.IDs[:min(len(have.IDs), most)]
}

// Merge is [Groups.Add] for a group of a key that is there already, and leaves out any other.
func (gs *Groups) Merge(g Group) {
	if gs.by[g.Key()] != nil {
		gs.Add(g)
	}
}

// union adds to a, which is in order, what of b is not in it.
func union[T cmp.Ordered](a, b []T) []T {
	for _, x := range b {
		if i, ok := slices.BinarySearch(a, x); !ok {
			a = slices.Insert(a, i, x)
		}
	}
	return a
}

// All are the groups, by key.
func (gs *Groups) All() []Group {
	out := make([]Group, 0, len(gs.by))
	for _, key := range slices.Sorted(maps.Keys(gs.by)) {
		out = append(out, *gs.by[key])
	}
	return out
}

// Found returns the object of a pass.
func (gs *Groups) Found(at time.Time) Found { return Found{V: FoundVersion, At: at, Groups: gs.All()} }

// DecodeFound reads an object of [Groups.Found]. One of another version or form is a
// [*fleet.BadInput].
func DecodeFound(name string, text []byte) (Found, error) {
	var f Found
	if err := json.Unmarshal(text, &f); err != nil {
		return Found{}, &fleet.BadInput{Where: name, What: "it is not what a pass found"}
	}
	if f.V != FoundVersion {
		return Found{}, &fleet.BadInput{Where: name, What: fmt.Sprintf("its version is %d, and %d is known", f.V, FoundVersion)}
	}
	for _, g := range f.Groups {
		switch {
		case g.Count < 0 || g.Count > 1<<40:
			return Found{}, &fleet.BadInput{Where: name, What: "a count is no count"}
		case len(g.Key()) > longestKey:
			return Found{}, &fleet.BadInput{Where: name, What: "the names of a rule and its account are too long for a card"}
		}
	}
	return f, nil
}

// DecodeCard reads a card.
func DecodeCard(name string, text []byte) (Card, error) {
	var c Card
	if err := json.Unmarshal(text, &c); err != nil {
		return Card{}, &fleet.BadInput{Where: name, What: "it is not a card"}
	}
	if c.V != CardVersion {
		return Card{}, &fleet.BadInput{Where: name, What: fmt.Sprintf("its version is %d, and %d is known", c.V, CardVersion)}
	}
	return c, nil
}
