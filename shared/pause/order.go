package pause

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

const (
	// Folder is where the ledger has the orders.
	Folder = "control/"
	suffix = ".json"
	// everything stands in a name for all controls, or all accounts.
	everything = "all"
	pauses     = "pause"
	resumes    = "resume"

	version = 1
	// MaxFor is the longest pause.
	MaxFor = 72 * time.Hour
	// skew is how far the clocks of two callers may differ.
	skew = 5 * time.Minute
	// MaxReason limits a reason, in bytes.
	MaxReason = 500
)

// body is an order's object.
type body struct {
	V int `json:"v"`
	fleet.Order
}

// latest is the number of the beginning of time: names fall from it, in milliseconds.
const latest = 9_999_999_999_999

func number(at time.Time) string { return fmt.Sprintf("%013d", latest-at.UnixMilli()) }

// nameOf is the name of an order's object. The end of it distinguishes orders of one moment.
func nameOf(o fleet.Order, random string) string {
	kind := pauses
	if o.Resume {
		kind = resumes
	}
	until := int64(0)
	if !o.Until.IsZero() {
		until = o.Until.Unix()
	}
	part := func(id string) string {
		if id == "" {
			return everything
		}
		return id
	}
	return fmt.Sprintf("%s%s.%d.%s.%s.%s.%s%s", Folder, number(o.At), until, kind, part(o.Control), part(string(o.Account)), random, suffix)
}

// parse reads the name of an order's object. Any other name is a [*fleet.BadInput].
func parse(name string) (fleet.Order, error) {
	bad := func(what string) (fleet.Order, error) {
		return fleet.Order{}, &fleet.BadInput{Where: "ledger object " + name, What: what}
	}
	parts := strings.Split(strings.TrimPrefix(name, Folder), ".")
	if len(parts) != 7 {
		return bad("it is not an order to pause or to resume")
	}
	o := fleet.Order{Object: name, Resume: parts[2] == resumes}
	falling, err := strconv.ParseInt(parts[0], 10, 64)
	until, uerr := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || uerr != nil {
		return bad("it has no time")
	}
	o.At = time.UnixMilli(latest - falling).UTC()
	if until != 0 {
		o.Until = time.Unix(until, 0).UTC()
	}
	if parts[3] != everything {
		o.Control = parts[3]
	}
	if parts[4] != everything {
		o.Account = fleet.AccountID(parts[4])
	}
	switch {
	case nameOf(o, parts[5]) != name || !fleet.Plain(parts[5]) || o.Control != "" && !fleet.Plain(o.Control) || o.Account != "" && !o.Account.Valid():
		return bad("it is not an order to pause or to resume")
	case o.Resume == !o.Until.IsZero():
		return bad("a pause has an end, and an order to resume has none")
	case !o.Resume && (!o.Until.After(o.At) || o.Until.Sub(o.At) > MaxFor):
		return bad(fmt.Sprintf("a pause ends after it begins, and lasts %s at most", MaxFor))
	}
	return o, nil
}

// Give stores an order that is given at a time. It returns the order with its name.
func Give(ctx context.Context, store ledger.Store, o fleet.Order) (fleet.Order, error) {
	o.At, o.Until = o.At.UTC().Truncate(time.Millisecond), o.Until.UTC().Truncate(time.Second)
	o.Object = nameOf(o, strings.ToLower(rand.Text()[:8]))
	if _, err := parse(o.Object); err != nil {
		return o, fmt.Errorf("giving an order: %w", err)
	}
	if !ValidReason(o.Reason) {
		return o, fmt.Errorf("giving an order: a reason is a line of 1 to %d bytes", MaxReason)
	}
	if err := ledger.PutJSON(ctx, store, o.Object, body{version, o}); err != nil {
		return o, fmt.Errorf("giving an order: %w", err)
	}
	return o, nil
}

// ValidReason reports whether a text can be a reason: it stands in findings, in one line.
func ValidReason(text string) bool {
	return text != "" && len(text) <= MaxReason && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) })
}

// Fill returns an order with what its object says beside the name: the reason, and the caller;
// or with why these could not be read. The name decides: an object with other content than its
// name changes nothing, and is not believed.
func Fill(ctx context.Context, store ledger.Store, o fleet.Order) fleet.Order {
	o, _ = fill(ctx, store, o)
	return o
}

// fill returns the error as well.
func fill(ctx context.Context, store ledger.Store, o fleet.Order) (fleet.Order, error) {
	text, err := store.Get(ctx, o.Object)
	var b body
	if err == nil {
		b, err = decode(o, text)
	}
	if err != nil {
		o.By, o.Reason = "a caller", "its reason could not be read: "+err.Error()
		return o, err
	}
	o.By, o.Reason = b.By, b.Reason
	return o, nil
}

func decode(of fleet.Order, text []byte) (body, error) {
	var b body
	bad := &fleet.BadInput{Where: "ledger object " + of.Object, What: "it is not an order to pause or to resume"}
	if err := json.Unmarshal(text, &b); err != nil {
		return body{}, bad
	}
	said := b.Order
	said.By, said.Reason, of.By, of.Reason = "", "", "", ""
	switch {
	case b.V != version:
		bad.What = fmt.Sprintf("its version is %d", b.V)
		return body{}, bad
	case said != of || b.By == "" || !ValidReason(b.Reason):
		return body{}, bad
	}
	return b, nil
}
