package plan

import (
	"context"
	"slices"
	"strings"

	"fleetwarden/shared/ledger"
)

// unread is a store without the objects of batches that have an outcome.
type unread struct {
	ledger.Store
	ended map[string]bool // by the batch's name
}

// List implements [ledger.Store]. It skips a page that has no other objects.
func (u unread) List(ctx context.Context, prefix, after string) (names []string, more bool, err error) {
	for {
		page, more, err := u.Store.List(ctx, prefix, after)
		if err != nil || len(page) == 0 {
			return nil, false, err
		}
		after = page[len(page)-1]
		page = slices.DeleteFunc(page, func(name string) bool { return u.ended[batchOf(name)] })
		if len(page) > 0 || !more {
			return page, more, nil
		}
	}
}

// batchOf is the name of the batch that an object is of: without its stage and suffix.
func batchOf(object string) string {
	name := strings.TrimSuffix(object, ".json")
	return name[:max(0, strings.LastIndexByte(name, '.'))]
}
