package ecs

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ListTagResourcesRequest asks for the tags of up to 50 resources, or for the
// resources that have up to 20 tags.
type ListTagResourcesRequest struct {
	ResourceType string
	ResourceId   []string
	Tag          []TagParam
	NextToken    string
}

// ListTagResourcesResponse is the answer of ListTagResources.
type ListTagResourcesResponse struct {
	TagResources struct{ TagResource []TagResourceItem }
	NextToken    string
}

// TagResourceItem is one tag of one resource.
type TagResourceItem struct{ ResourceId, ResourceType, TagKey, TagValue string }

// tagPage is how many resources a page shows; the number is assumed.
const tagPage = 50

// ListTagResources lists tags by resource. A filter by tags shows the resources
// that have all of them, with those tags only (assumed).
func (s *Service) ListTagResources(c *wire.Call, in *ListTagResourcesRequest) (*ListTagResourcesResponse, error) {
	if len(in.ResourceId) > 50 {
		return nil, tooMany("ResourceId", 50)
	}
	if len(in.ResourceId) == 0 && len(in.Tag) == 0 {
		return nil, missing("ResourceId")
	}
	k, err := kind(in.ResourceType)
	if err != nil {
		return nil, err
	}
	sp := s.at(c)
	from := k.rows(sp)
	if len(in.ResourceId) > 0 { // unknown ids are left out
		from = named(unique(in.ResourceId), func(id string) *tagRow {
			if t := k.tags(sp, id); t != nil {
				return &tagRow{id, *t}
			}
			return nil
		})
	}
	p := paging{token: in.NextToken, max: tagPage}
	got, err := take(from, p, func(r *tagRow) bool { return len(r.tags) > 0 && r.tags.match(in.Tag) })
	if err != nil {
		return nil, err
	}
	out := &ListTagResourcesResponse{NextToken: got.next}
	out.TagResources.TagResource = []TagResourceItem{}
	for _, r := range got.rows {
		for _, t := range r.tags {
			if len(in.Tag) == 0 || asked(in.Tag, t.key) {
				out.TagResources.TagResource = append(out.TagResources.TagResource, TagResourceItem{r.id, in.ResourceType, t.key, t.value})
			}
		}
	}
	return out, nil
}

func asked(want []TagParam, key string) bool {
	return slices.ContainsFunc(want, func(w TagParam) bool { return w.Key == key })
}

// tagRow is a resource that can have tags.
type tagRow struct {
	id   string
	tags tags
}
