package ecs

import (
	"iter"

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
	if err := c.Allow("ecs:ListTagResources", arn(c, in.ResourceType, "*")); err != nil {
		return nil, err
	}
	if len(in.ResourceId) > 50 {
		return nil, tooMany("ResourceId", 50)
	}
	if len(in.ResourceId) == 0 && len(in.Tag) == 0 {
		return nil, missing("ResourceId")
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	from, err := sp.tagRows(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
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
	for _, w := range want {
		if w.Key == key {
			return true
		}
	}
	return false
}

// tagRow is a resource that can have tags.
type tagRow struct {
	id   string
	tags tags
}

// tagRows are the resources of a type, or those of the ids; unknown ids are left
// out. The caller holds the mutex.
func (sp *space) tagRows(kind string, ids []string) (rows[tagRow], error) {
	if len(ids) > 0 {
		return named(unique(ids), func(id string) *tagRow {
			t, err := sp.tagged(kind, id)
			if err != nil {
				return nil
			}
			return &tagRow{id, *t}
		}), nil
	}
	switch kind {
	case "instance":
		return tagView(sp.instances.After, func(i *instance) tagRow { return tagRow{i.id, i.tags} }), nil
	case "disk":
		return tagView(sp.disks.After, func(d *disk) tagRow { return tagRow{d.id, d.tags} }), nil
	case "image":
		return tagView(sp.images.After, func(i *image) tagRow { return tagRow{i.id, i.tags} }), nil
	case "launchtemplate":
		return tagView(sp.templates.After, func(t *template) tagRow { return tagRow{t.id, t.tags} }), nil
	}
	_, err := sp.tagged(kind, "")
	return nil, err
}

func tagView[T any](from rows[T], view func(*T) tagRow) rows[tagRow] {
	return func(place uint64) iter.Seq2[uint64, *tagRow] {
		return func(yield func(uint64, *tagRow) bool) {
			for at, v := range from(place) {
				if r := view(v); !yield(at, &r) {
					return
				}
			}
		}
	}
}
