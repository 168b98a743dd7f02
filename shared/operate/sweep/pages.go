package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// begin is the cursor of the first page.
const begin fleet.Cursor = "page:"

func cursor(token string) fleet.Cursor {
	if token == "" {
		return ""
	}
	return begin + fleet.Cursor(token)
}

// errToken means that the cloud does not know a page's token any more: the shard has
// to start again.
var errToken = errors.New("the listing cannot be resumed")

// maxPages is how many pages a shard reads: those of ten million instances, more than
// any region has. A listing whose tokens go round in a circle has no end.
const maxPages = 100_000

// errEndless means that the listing cannot be read to its end.
var errEndless = fmt.Errorf("the listing has no end after %d pages", maxPages)

// pages is the source of a region's instances.
type pages struct {
	c      *collector
	lister Lister
	// at is the page to read or to record next, last are the ids of the one before it.
	at   fleet.Cursor
	last []string
	// ids are those of the page that was read at at.
	ids []string
}

// source yields a batch for each page. What a page repeats of the one before is left
// out; that an instance comes twice further apart is possible, and only counts it twice.
func (p *pages) source(ctx context.Context) reconcile.Source {
	return func(yield func(fleet.Batch, error) bool) {
		for {
			b, err := p.page(ctx)
			if err != nil {
				yield(b, err)
				return
			}
			if !yield(b, nil) || b.Next == "" {
				return
			}
			// Now the batch is recorded.
			p.at, p.last = b.Next, p.ids
			if p.c.full() && p.c.write(ctx, p.at, p.last) != nil {
				return
			}
		}
	}
}

// before are the ids of the page before the one at a cursor.
func (p *pages) before(at fleet.Cursor) []string {
	if at == p.at {
		return p.last
	}
	return p.ids
}

func (p *pages) page(ctx context.Context) (fleet.Batch, error) {
	scope := p.c.into.scope
	token := strings.TrimPrefix(string(p.at), string(begin))
	page, next, err := p.lister.Page(ctx, scope, token)
	if err != nil {
		if token != "" && refused(err) {
			err = fmt.Errorf("%w: %w", errToken, err)
		}
		return fleet.Batch{}, fmt.Errorf("listing the instances of %s: %w", scope, err)
	}
	if p.c.pages++; next != "" && p.c.into.totals.Pages+p.c.pages >= maxPages {
		return fleet.Batch{}, fmt.Errorf("listing the instances of %s: %w", scope, errEndless)
	}
	b := fleet.Batch{Scope: scope, At: p.at, Next: cursor(next)}
	p.ids = make([]string, 0, len(page))
	for _, in := range page {
		if !slices.Contains(p.last, in.Ref.ID) && !slices.Contains(p.ids, in.Ref.ID) {
			in.Ref = fleet.Ref{Scope: scope, Kind: fleet.KindInstance, ID: in.Ref.ID, Try: fleet.Try{Run: p.c.into.start.Run}}
			b.Refs, b.Seen = append(b.Refs, in.Ref), append(b.Seen, in)
		}
		p.ids = append(p.ids, in.Ref.ID)
	}
	return b, nil
}

// refused reports whether the cloud may have refused a page because of its token.
func refused(err error) bool {
	switch fleet.ClassOf(err) {
	case fleet.Invalid, fleet.NotFound, fleet.Unclassified:
		return !errors.Is(err, context.DeadlineExceeded)
	}
	return false
}
