package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// Names yields the names of all objects under a prefix that come after another, page by page.
// An error ends the sequence.
func Names(ctx context.Context, store Store, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for {
			page, more, err := store.List(ctx, prefix, after)
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range page {
				if !yield(name, nil) {
					return
				}
			}
			if !more || len(page) == 0 {
				return
			}
			after = page[len(page)-1]
		}
	}
}

// PutJSON creates an object that holds v as JSON.
func PutJSON(ctx context.Context, store Store, name string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return store.Put(ctx, name, body)
}
