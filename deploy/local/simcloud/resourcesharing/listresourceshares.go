package resourcesharing

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ListResourceSharesRequest are the parameters of ListResourceShares that matter
// here.
type ListResourceSharesRequest struct {
	ResourceOwner, ResourceShareName, ResourceShareStatus string
	ResourceShareIds                                      []string
	Paging
}

// ListResourceSharesResponse is a page of shares.
type ListResourceSharesResponse struct {
	ResourceShares []ShareItem
	NextToken      string
}

// ListResourceShares lists the caller's shares, or those of others that reach it.
func (s *Service) ListResourceShares(c *wire.Call, in *ListResourceSharesRequest) (*ListResourceSharesResponse, error) {
	if err := allow(c); err != nil {
		return nil, err
	}
	for _, err := range []error{checkOwner(in.ResourceOwner), checkIDs("ResourceShareIds", in.ResourceShareIds)} {
		if err != nil {
			return nil, err
		}
	}
	if !slices.Contains([]string{"", active, "Pending", deleting, deleted}, in.ResourceShareStatus) {
		return nil, bad("ResourceShareStatus")
	}
	s.w.Lock()
	defer s.w.Unlock()
	shares, next, err := cut(in.Paging, func(yield func(uint64, *share) bool) {
		for x := range s.seen(c, in.ResourceOwner, in.ResourceShareIds) {
			if same(in.ResourceShareName, x.name) && same(in.ResourceShareStatus, x.status) && !yield(x.seq, x) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := &ListResourceSharesResponse{ResourceShares: []ShareItem{}, NextToken: next}
	for _, x := range shares {
		out.ResourceShares = append(out.ResourceShares, x.item())
	}
	return out, nil
}
