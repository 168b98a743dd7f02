package ecs

import (
	"cmp"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeTagsRequest asks for the tags in use.
type DescribeTagsRequest struct {
	ResourceType, ResourceId string
	Tag                      []TagParam
	PageNumber, PageSize     int
}

// DescribeTagsResponse is the answer of DescribeTags.
type DescribeTagsResponse struct {
	Tags struct{ Tag []TagItem }
	PageOf
}

// DescribeTags lists each tag in use once, by key and value, up to 100 a page.
func (s *Service) DescribeTags(c *wire.Call, in *DescribeTagsRequest) (*DescribeTagsResponse, error) {
	if err := c.Allow("ecs:DescribeTags", arn(c, cmp.Or(in.ResourceType, "*"), "*")); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	p := paging{}.byNumber(in.PageNumber, in.PageSize, 50, 100)
	s.w.Lock()
	defer s.w.Unlock()
	used, err := sp.tagsInUse(in)
	if err != nil {
		return nil, err
	}
	got, err := take(these(used), p, func(t *tag) bool { return len(in.Tag) == 0 || tags{*t}.match(in.Tag) })
	if err != nil {
		return nil, err
	}
	out := &DescribeTagsResponse{PageOf: PageOf{got.total, p.number, p.size}}
	out.Tags.Tag = make([]TagItem, len(got.rows))
	for i, t := range got.rows {
		out.Tags.Tag[i] = TagItem{t.key, t.value}
	}
	return out, nil
}

// tagsInUse is each tag once, sorted. The caller holds the mutex.
func (sp *space) tagsInUse(in *DescribeTagsRequest) ([]*tag, error) {
	var ids []string
	if in.ResourceId != "" {
		ids = []string{in.ResourceId}
	}
	kinds := []string{"instance", "disk", "image", "launchtemplate"}
	if in.ResourceType != "" {
		kinds = []string{in.ResourceType}
	}
	var used []*tag
	seen := map[tag]bool{}
	for _, kind := range kinds {
		from, err := sp.tagRows(kind, ids)
		if err != nil {
			return nil, err
		}
		for _, r := range from(0) {
			for _, t := range r.tags {
				if !seen[t] {
					seen[t] = true
					used = append(used, &t)
				}
			}
		}
	}
	slices.SortFunc(used, func(a, b *tag) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value)) })
	return used, nil
}
