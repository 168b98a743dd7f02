package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/ledger"
)

// Latest is an id that stands for the newest.
const Latest = "latest"

// kept are the folders of the ledger that have an object for each sweep, plan and apply.
var kept = []string{"starts/", "plans/", "applies/"}

// id is that of a sweep, a plan or an apply.
type id struct {
	id string
	at time.Time
}

// listSince lists the sweeps, plans and applies that began since a time, the newest first.
func listSince(ctx context.Context, store ledger.Store, from time.Time) ([]id, error) {
	var out []id
	for _, folder := range kept {
		for name, err := range ledger.Names(ctx, store, folder, "") {
			if err != nil {
				return nil, fmt.Errorf("listing %s: %w", folder, err)
			}
			x := id{id: strings.TrimSuffix(path.Base(name), ".json")}
			_, rest, _ := strings.Cut(x.id, "-")
			stamp, _, _ := strings.Cut(rest, "-")
			if x.at, err = time.Parse("20060102T150405Z", stamp); err != nil || x.at.Before(from) {
				continue // an object that no command wrote, or an old one
			}
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b id) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.id, b.id)) })
	return out, nil
}

// resolve returns the id that is meant: that of the newest for [Latest].
func resolve(ctx context.Context, store ledger.Store, name string) (string, error) {
	if name != Latest {
		return name, nil
	}
	all, err := listSince(ctx, store, time.Time{})
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", errors.New("the ledger has no run yet")
	}
	return all[0].id, nil
}
