package memory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Version is the version of the objects that this code writes.
const Version = 1

// Entry is one rule that does not hold on one instance.
type Entry struct {
	ID   string `json:"id"`
	Rule string `json:"rule"`
	// First is when a sweep first found it. Zero removes an entry; it occurs in the parts
	// of a sweep only.
	First time.Time `json:"first,omitzero"`
}

func (e Entry) compare(other Entry) int {
	return cmp.Or(cmp.Compare(e.ID, other.ID), cmp.Compare(e.Rule, other.Rule))
}

// Valid reports whether an entry can be remembered: ids and rules become part of names and
// of lines.
func (e Entry) Valid() bool { return fleet.Plain(e.ID) && fleet.Plain(e.Rule) }

// Of identifies the memory of an object.
type Of struct {
	Scope fleet.Scope `json:"scope"`
	// Run is the sweep that wrote it, At when that began.
	Run string    `json:"run"`
	At  time.Time `json:"at"`
	// Past is the run whose memory it continues; empty for none.
	Past string `json:"past,omitempty"`
}

// object is one object of a memory.
type object struct {
	V int `json:"v"`
	Of
	N       int     `json:"n"` // from 1
	Last    bool    `json:"last,omitempty"`
	Entries []Entry `json:"entries"`
}

// decode reads an object and compares it with its name. Any mismatch is a
// [*fleet.BadInput]: the object may be truncated, or of newer code.
func decode(c chunk, scope fleet.Scope, body []byte) (object, error) {
	var o object
	bad := func(what string) (object, error) {
		return object{}, &fleet.BadInput{Where: c.name, What: what}
	}
	if err := json.Unmarshal(body, &o); err != nil {
		return bad("it is not a whole object of the memory")
	}
	switch {
	case o.V != Version:
		return bad(fmt.Sprintf("its version is %d", o.V))
	case o.Scope != scope, o.Run != c.run, o.N != c.n, o.Last != c.last:
		return bad("it is of another shard or sweep, or another object of it")
	case c.first != firstOf(o.Entries):
		return bad("its name has another instance")
	}
	for i, e := range o.Entries {
		if !e.Valid() || e.First.Unix() <= 0 || i > 0 && o.Entries[i-1].compare(e) >= 0 {
			return bad("its entries are not in order")
		}
	}
	return o, nil
}

// none is the first instance of an empty memory. It sorts before all ids.
const none = "-"

func firstOf(entries []Entry) string {
	if len(entries) == 0 {
		return none
	}
	return entries[0].ID
}

const (
	folder = "memory/"
	suffix = ".json"
	last   = ".last"
	// runForm begins the ids of runs that leave a memory; they sort by time.
	runForm = "sweep-20060102T150405Z"
)

func prefix(s fleet.Scope) string {
	return folder + string(s.Account) + "/" + string(s.Region) + "/"
}

// chunk is an object by its name.
type chunk struct {
	name, run string
	n         int
	first     string // instance
	last      bool
}

func (c chunk) of(s fleet.Scope) string {
	end := suffix
	if c.last {
		end = last + suffix
	}
	return fmt.Sprintf("%s%s/%06d.%s%s", prefix(s), c.run, c.n, c.first, end)
}

// parse reads a name; ok is false for a name that is not of a memory.
func parse(s fleet.Scope, name string) (c chunk, ok bool) {
	run, rest, _ := strings.Cut(strings.TrimPrefix(name, prefix(s)), "/")
	rest, _ = strings.CutSuffix(rest, suffix)
	rest, end := strings.CutSuffix(rest, last)
	number, first, _ := strings.Cut(rest, ".")
	if _, err := fmt.Sscanf(number, "%06d", &c.n); err != nil || !fleet.Plain(run) {
		return chunk{}, false
	}
	c.name, c.run, c.first, c.last = name, run, first, end
	return c, c.of(s) == name && (first == none || fleet.Plain(first)) && !began(run).IsZero()
}

// began is when a run began, by its id; zero for an id without a time.
func began(run string) time.Time {
	at, _ := time.Parse(runForm, run[:min(len(run), len(runForm))])
	return at
}
