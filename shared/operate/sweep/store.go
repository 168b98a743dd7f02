package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/memory"
)

// Version is the version of the objects that this code writes.
const Version = 1

const (
	starts  = "starts/"
	sweeps  = "sweeps/"
	reports = "reports/"
	suffix  = ".json"
)

// Start is a sweep as it was begun.
type Start struct {
	V   int       `json:"v"`
	Run string    `json:"run"`
	At  time.Time `json:"at"`
	// Policy is the digest of the policy file.
	Policy string `json:"policy"`
	// DryRun says that no owner is notified of drift.
	DryRun bool `json:"dryRun,omitempty"`
	// Before is the sweep before this one, begun at BeforeAt; empty when there was none
	// lately.
	Before   string    `json:"before,omitempty"`
	BeforeAt time.Time `json:"beforeAt,omitzero"`
	// Shards are what the sweep goes over, each once; one without a region is what its
	// account shares.
	Shards []fleet.Scope `json:"shards"`
	// Unread says why the regions of some accounts could not be determined. Their shard
	// has the region [fleet.UnlistedRegions].
	Unread map[fleet.AccountID]string `json:"unread,omitempty"`
}

// Drift is a resource that a control would change, and how.
type Drift struct {
	Control string         `json:"control"`
	Kind    fleet.Kind     `json:"kind"`
	ID      string         `json:"id,omitempty"`
	Changes []fleet.Change `json:"changes"`
	// Covered says that the policy had the control act on the resource when it was judged:
	// see [fleet.Verdict.Covered].
	Covered bool `json:"covered,omitempty"`
}

// part is what a shard has found since the part before.
type part struct {
	V  int       `json:"v"`
	N  int       `json:"n"`
	At time.Time `json:"at"`
	// Next is where to continue; empty in the last part. Page are the ids of the page before.
	Next     fleet.Cursor   `json:"next,omitempty"`
	Page     []string       `json:"page,omitempty"`
	Totals   totals         `json:"totals"` // of all parts up to this one
	Findings []fleet.Record `json:"findings,omitempty"`
	Drift    []Drift        `json:"drift,omitempty"`
	// Due are resources whose owner is notified though it has nothing to change.
	Due []Drift `json:"due,omitempty"`
	// Past is the sweep whose memory the shard carries on, Memory what is to be remembered.
	// Compared says that Past, also if it is empty, has what failed in the sweep before.
	Past     string         `json:"past,omitempty"`
	Compared bool           `json:"compared,omitempty"`
	Memory   []memory.Entry `json:"memory,omitempty"`
}

// global stands in names where a region does: for what an account shares.
const global = "shares"

// check refuses what would make names that are not the sweep's own.
func (s Start) check(run string) error {
	bad := &fleet.BadInput{Where: startObject(run)}
	switch {
	case s.Run != run:
		bad.What = "it is of another sweep"
	case len(s.Shards) == 0:
		bad.What = "it has no shards"
	}
	for _, x := range s.Shards {
		if !x.Account.Valid() || x.Region != "" && x.Region != fleet.UnlistedRegions && !x.Region.Valid() {
			bad.What = "a shard is no account and region"
		}
	}
	if bad.What != "" {
		return bad
	}
	return nil
}

func shardName(s fleet.Scope) string {
	return string(s.Account) + "." + cmp.Or(string(s.Region), global)
}

func startObject(run string) string { return starts + run + suffix }

func shardPrefix(run string, s fleet.Scope) string { return sweeps + run + "/" + shardName(s) + "/" }

func endObject(run string, s fleet.Scope) string { return shardPrefix(run, s) + "end" + suffix }

var (
	// errTaken means that another pass has written the object.
	errTaken = errors.New("another pass has written it")
	// errNewer means that newer code has written the object.
	errNewer = errors.New("it was written by a newer program: deploy the newest one")
)

// ours is a failure of the store or the log: it says nothing about what is swept.
type ours struct{ error }

func (e ours) Unwrap() error { return e.error }

// put makes an object. The error has class [fleet.Exists] when there is one.
func put(ctx context.Context, store ledger.Store, name string, body []byte) error {
	if err := store.Put(ctx, name, body); err != nil {
		return ours{fmt.Errorf("writing %s: %w", name, err)}
	}
	return nil
}

func putJSON(ctx context.Context, store ledger.Store, name string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return put(ctx, store, name, body)
}

// get reads an object; ok is false when there is none.
func get[T any](ctx context.Context, store ledger.Store, name string) (v T, ok bool, err error) {
	body, err := store.Get(ctx, name)
	switch {
	case fleet.ClassOf(err) == fleet.NotFound:
		return v, false, nil
	case err != nil:
		return v, false, ours{fmt.Errorf("reading %s: %w", name, err)}
	}
	v, err = decode[T](name, body)
	return v, err == nil, err
}

// readStart reads how a sweep was begun. The error has class [fleet.NotFound] when it
// was not.
func readStart(ctx context.Context, store ledger.Store, run string) (Start, error) {
	body, err := store.Get(ctx, startObject(run))
	if err != nil {
		return Start{}, ours{fmt.Errorf("reading sweep %s: %w", run, err)}
	}
	start, err := decode[Start](startObject(run), body)
	if err != nil {
		return Start{}, err
	}
	return start, start.check(run)
}

// decode reads an object of this version. What is not one is a [*fleet.BadInput]; a
// newer one also is [errNewer].
func decode[T any](name string, body []byte) (v T, err error) {
	var head struct {
		V int `json:"v"`
	}
	switch err := json.Unmarshal(body, &head); {
	case err != nil:
		return v, &fleet.BadInput{Where: name, What: "it is not a JSON object with a version"}
	case head.V > Version:
		return v, errors.Join(&fleet.BadInput{Where: name, What: fmt.Sprintf("its version is %d", head.V)}, errNewer)
	case head.V < 1:
		return v, &fleet.BadInput{Where: name, What: "it has no version"}
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return *new(T), &fleet.BadInput{Where: name, What: "a member has the wrong type"}
	}
	return v, nil
}

// list yields the names of all objects under a prefix that come after another. An
// error ends the sequence.
func list(ctx context.Context, store ledger.Store, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range ledger.Names(ctx, store, prefix, after) {
			if err != nil {
				err = ours{fmt.Errorf("listing %s: %w", prefix, err)}
			}
			if !yield(name, err) {
				return
			}
		}
	}
}

func names(ctx context.Context, store ledger.Store, prefix, after string) (out []string, err error) {
	for name, err := range list(ctx, store, prefix, after) {
		if err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, nil
}
