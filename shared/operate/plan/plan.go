package plan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

// Version is the version of the objects that this code writes.
const Version = 1

// MaxItems bounds a plan: a person has to be able to read it.
const MaxItems = 50_000

// Plan is what an operator is going to change.
type Plan struct {
	V  int    `json:"v"`
	ID string `json:"id"`
	// Digest is the SHA-256, in hex, of all other members.
	Digest string    `json:"digest"`
	Made   time.Time `json:"made"`
	// Policy is the digest of the policy file that it was made with.
	Policy string `json:"policy"`
	// Sweep is the run whose result it was made from.
	Sweep string `json:"sweep"`
	// Seen counts the resources of each scope: maxPercent is a share of it. It is not asked where
	// a person has Named what was seen, which is then no measure of the fleet.
	Seen  []Seen `json:"seen"`
	Named bool   `json:"named,omitempty"`
	// Items are in order of scope, control and id.
	Items []Item `json:"items"`
	// Left is how many items [Filter.Part] and [Filter.Most] leave to the next plan, and Why the
	// limit that the first of them exceeds. Neither is saved.
	Left int    `json:"-"`
	Why  string `json:"-"`
}

// Seen counts the resources of a scope.
type Seen struct {
	Scope fleet.Scope `json:"scope"`
	N     int         `json:"n"`
}

// Item is one resource, and all changes that one control would make for it.
type Item struct {
	Scope   fleet.Scope `json:"scope"`
	Control string      `json:"control"`
	Kind    fleet.Kind  `json:"kind"`
	ID      string      `json:"id,omitempty"`
	Changes []Change    `json:"changes"`
}

// Ref is the item's resource.
func (i Item) Ref() fleet.Ref { return fleet.Ref{Scope: i.Scope, Kind: i.Kind, ID: i.ID} }

// Change is one planned change.
type Change struct {
	Kind fleet.ChangeKind `json:"kind"`
	// Scope, RefKind and ID are those of the resource that is changed, which may be another
	// than the item's: a role is created for an instance.
	Scope   fleet.Scope `json:"scope"`
	RefKind fleet.Kind  `json:"refKind"`
	ID      string      `json:"id,omitempty"`
	Before  string      `json:"before,omitempty"`
	Want    string      `json:"want,omitempty"`
	Reason  string      `json:"reason,omitempty"`
}

func changes(cs []fleet.Change) []Change {
	out := make([]Change, len(cs))
	for i, c := range cs {
		out[i] = Change{c.Kind, c.Ref.Scope, c.Ref.Kind, c.Ref.ID, c.Before, c.Want, c.Reason}
	}
	return out
}

// same ignores the reason, which may count minutes.
func (c Change) same(d Change) bool {
	c.Reason, d.Reason = "", ""
	return c == d
}

// Identity returns the id of the change.
func (c Change) Identity() fleet.ChangeID {
	return fleet.ChangeID{Kind: c.Kind, Key: fleet.Key{Scope: c.Scope, Kind: c.RefKind, ID: c.ID}, Before: c.Before, Want: c.Want}
}

// Counts counts the distinct changes of items, as limits do: for each account, region and
// control.
type Counts map[counted]*fleet.Distinct

type counted struct {
	scope   fleet.Scope
	control string
}

// Add counts an item's changes.
func (n Counts) Add(i Item) {
	k := counted{i.Scope, i.Control}
	if n[k] == nil {
		n[k] = &fleet.Distinct{}
	}
	for _, c := range i.Changes {
		n[k].Add(c.Identity())
	}
}

// Of returns the changes counted in an item's scope and control.
func (n Counts) Of(i Item) fleet.Total {
	if d := n[counted{i.Scope, i.Control}]; d != nil {
		return d.Total
	}
	return fleet.Total{}
}

// All returns how many changes were counted.
func (n Counts) All() int {
	sum := 0
	for _, d := range n {
		sum += d.N
	}
	return sum
}

// Changes returns how many distinct changes the plan has.
func (p Plan) Changes() int {
	n := Counts{}
	for _, item := range p.Items {
		n.Add(item)
	}
	return n.All()
}

// Filter selects from what a sweep found; an empty list takes all.
type Filter struct {
	Accounts []fleet.AccountID
	Regions  []fleet.Region
	Controls []string
	IDs      []string
	// Part takes only as many changes of each account, region and control as the limits of
	// Policy let through, and Most, unless it is 0, at most that many resources. Both take
	// only what Policy has made: nothing of a control in audit but what it enforces a part of.
	Part   bool
	Most   int
	Policy *policy.Policy
	// Named says that a person named the resources that were seen.
	Named bool
}

// part returns which limit an item would exceed together with those taken before it. If it
// exceeds none, part counts it and returns "".
func (f Filter) part(n Counts, i Item, seen int) string {
	if !f.Part {
		return ""
	}
	k := counted{i.Scope, i.Control}
	with := fleet.Distinct{}
	if n[k] != nil {
		with = n[k].Clone()
	}
	for _, c := range i.Changes {
		with.Add(c.Identity())
	}
	why := exceeded(f.Policy.Limits, f.Named, with.Total, seen)
	if why == "" {
		n[k] = &with
	}
	return why
}

func (f Filter) takes(d sweep.Drifted) bool {
	if (f.Part || f.Most > 0) && !f.Policy.Makes(d.Control, d.Covered) {
		return false
	}
	return in(f.Accounts, d.Scope.Account) && in(f.Regions, d.Scope.Region) && in(f.Controls, d.Control) && in(f.IDs, d.ID)
}

func in[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// New makes a plan from what a sweep found, without storing it.
func New(r sweep.Result, drift iter.Seq2[sweep.Drifted, error], f Filter, at time.Time) (Plan, error) {
	p := Plan{V: Version, ID: sweep.NewRun("plan", at), Made: at, Policy: r.Start.Policy, Sweep: r.Start.Run, Named: f.Named}
	for _, s := range r.Summary.Shards {
		p.Seen = append(p.Seen, Seen{s.Scope, s.Seen})
	}
	taken := Counts{}
	for d, err := range drift {
		if err != nil {
			return p, err
		}
		if !f.takes(d) {
			continue
		}
		item := Item{d.Scope, d.Control, d.Kind, d.ID, changes(d.Changes)}
		if f.Most > 0 && len(p.Items) == f.Most {
			p.Left++
			p.Why = cmp.Or(p.Why, fmt.Sprintf("more than --max %d", f.Most))
			continue
		}
		if why := f.part(taken, item, p.seen(item.Scope)); why != "" {
			p.Left++
			p.Why = cmp.Or(p.Why, why)
			continue
		}
		if len(p.Items) == MaxItems {
			return p, fmt.Errorf("more than %d resources would be changed: plan for a region or a control at a time", MaxItems)
		}
		p.Items = append(p.Items, item)
	}
	p.Digest = p.digest()
	return p, nil
}

func (p Plan) digest() string {
	p.Digest = ""
	text, _ := json.Marshal(p) // of plain values: it cannot fail
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

var idForm = regexp.MustCompile(`^plan-[A-Za-z0-9-]{1,60}$`)

func object(id string) string { return "plans/" + id + ".json" }

// Save stores a plan.
func Save(ctx context.Context, store ledger.Store, p Plan) error {
	if err := ledger.PutJSON(ctx, store, object(p.ID), p); err != nil {
		return fmt.Errorf("saving plan %s: %w", p.ID, err)
	}
	return nil
}

// Open reads a saved plan.
func Open(ctx context.Context, store ledger.Store, id string) (Plan, error) {
	if !idForm.MatchString(id) {
		return Plan{}, fmt.Errorf("%q is not the id of a plan, such as plan-20260105T080910Z-abcdef", id)
	}
	text, err := store.Get(ctx, object(id))
	if err != nil {
		return Plan{}, fmt.Errorf("reading plan %s: %w", id, err)
	}
	p, err := Decode(text)
	if err == nil && p.ID != id {
		err = errEdited
	}
	if err != nil {
		return p, fmt.Errorf("reading plan %s: %w", id, err)
	}
	return p, nil
}

var errEdited = errors.New("it was edited since it was made: make a new one")

// Decode reads a plan. It refuses one whose content does not match its digest.
func Decode(text []byte) (Plan, error) {
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return Plan{}, fmt.Errorf("it is not a plan: %w", err)
	}
	switch {
	case version.V > Version:
		return Plan{}, fmt.Errorf("its version %d is newer than this program reads", version.V)
	case version.V < 1:
		return Plan{}, errors.New("it is not a plan: it has no version")
	}
	var p Plan
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	switch err := d.Decode(&p); {
	case err != nil:
		return Plan{}, fmt.Errorf("%w (%w)", errEdited, err)
	case p.Digest == "" || p.Digest != p.digest():
		return Plan{}, errEdited
	}
	return p, nil
}

// seen returns how many resources a scope had.
func (p Plan) seen(s fleet.Scope) int {
	for _, x := range p.Seen {
		if x.Scope == s {
			return x.N
		}
	}
	return 0
}
