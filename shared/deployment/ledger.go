package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fleetwarden/shared/fleet"
)

// Ledger has the records of deployments.
type Ledger interface {
	Get(ctx context.Context, name string) ([]byte, error)
	// List returns one page of the names that begin with prefix and sort after another.
	List(ctx context.Context, prefix, after string) (names []string, more bool, err error)
}

// ErrNewer means that a newer program wrote a record.
var ErrNewer = errors.New("use the newest program")

// Newest returns the name of the newest record of each region.
func Newest(ctx context.Context, l Ledger) (map[fleet.Region]string, error) {
	newest := map[fleet.Region]string{}
	for after := ""; ; {
		names, more, err := l.List(ctx, Folder, after)
		if err != nil {
			return nil, fmt.Errorf("listing the records of deployments: %w", err)
		}
		for _, name := range names {
			if region, ok := RegionOf(name); ok { // names begin with the time
				newest[region] = name
			}
		}
		if !more || len(names) == 0 {
			return newest, nil
		}
		after = names[len(names)-1]
	}
}

// Load reads the record of a name. One that cannot be read is a [*fleet.BadInput]; one of a newer
// program is [ErrNewer].
func Load(ctx context.Context, l Ledger, name string) (Record, error) {
	text, err := l.Get(ctx, name)
	if err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", name, err)
	}
	r, err := parse(name, text)
	if err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return r, nil
}

func parse(name string, text []byte) (Record, error) {
	var r Record
	region, _ := RegionOf(name)
	switch err := json.Unmarshal(text, &r); {
	case err != nil:
		return r, &fleet.BadInput{What: "it is no record of a deployment"}
	case r.V > Version:
		return r, fmt.Errorf("it has version %d, and this program reads %d: %w", r.V, Version, ErrNewer)
	case r.V != Version || !r.Region.Valid() || !r.Home.Valid() || r.At.IsZero():
		return r, &fleet.BadInput{What: "it is no record of a deployment: it has no version, time or region"}
	case r.Region != region:
		return r, &fleet.BadInput{What: fmt.Sprintf("it is of region %q", r.Region)}
	}
	return r, nil
}

// Removed reports whether the record is that of a removal: there is nothing in its region any more.
func (r Record) Removed() bool { return len(r.Functions) == 0 }
