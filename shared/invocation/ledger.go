package invocation

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/oss"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/reconcile"
)

// LedgerVariable is the environment variable with the address of the ledger:
// oss://bucket/prefix, with ?region=ID when it is not the function's own, or
// file:///folder. Without it there is no ledger, and changes are in the log only.
const LedgerVariable = "FLEETWARDEN_LEDGER"

// LedgerPlace is the address of the ledger. The zero LedgerPlace is no ledger.
type LedgerPlace struct {
	folder string
	bucket oss.Place
	prefix string
}

// ParseLedger reads the value of [LedgerVariable].
func ParseLedger(value string) (LedgerPlace, error) {
	if value == "" {
		return LedgerPlace{}, nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return LedgerPlace{}, fmt.Errorf("reading %s: %w", LedgerVariable, err)
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path):
		return LedgerPlace{folder: filepath.Clean(u.Path)}, nil
	case u.Scheme == "oss" && u.Host != "":
		place := oss.Place{Bucket: u.Host, Region: fleet.Region(u.Query().Get("region"))}
		return LedgerPlace{bucket: place, prefix: strings.Trim(u.Path, "/")}, nil
	}
	return LedgerPlace{}, fmt.Errorf("reading %s: %q is neither oss://bucket/prefix nor file:///folder", LedgerVariable, value)
}

// Address returns the address of a ledger object: oss://bucket/name or file:///name.
func (p LedgerPlace) Address(object string) string {
	if p.folder != "" {
		return "file://" + filepath.ToSlash(filepath.Join(p.folder, object))
	}
	return "oss://" + p.bucket.Bucket + "/" + strings.TrimPrefix(p.prefix+"/"+object, "/")
}

// Open returns a pass's ledger, nil when there is none.
func (p LedgerPlace) Open(s *aliyun.Session, home fleet.Region, pass ledger.Pass, watch *ledger.Watch) reconcile.Ledger {
	store := p.Store(s, home)
	if store == nil {
		return nil
	}
	return ledger.New(store, pass, watch)
}

// Store returns the ledger's objects for a pass, nil when there is none. A bucket without a
// region is in that of the session's home.
func (p LedgerPlace) Store(s *aliyun.Session, home fleet.Region) ledger.Store {
	switch {
	case p.folder != "":
		return ledger.NewFolder(p.folder)
	case p.bucket.Bucket != "":
		return ledger.Below(p.Bucket(s, home), p.prefix)
	}
	return nil
}

// Bucket returns the ledger's bucket for a pass; nil if it is not in a bucket.
func (p LedgerPlace) Bucket(s *aliyun.Session, home fleet.Region) *oss.Bucket {
	if p.bucket.Bucket == "" {
		return nil
	}
	p.bucket.Region = cmp.Or(p.bucket.Region, home)
	return oss.Open(s, p.bucket)
}
