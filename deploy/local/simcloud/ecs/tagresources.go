package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// TagResourcesRequest puts up to 20 tags on up to 50 resources of one type.
type TagResourcesRequest struct {
	ResourceType string
	ResourceId   []string
	Tag          []TagParam
}

// TagResources sets tags; a key that is there gets the new value.
func (s *Service) TagResources(c *wire.Call, in *TagResourcesRequest) (*Empty, error) {
	more, err := newTags(in.Tag)
	if err != nil {
		return nil, err
	}
	return &Empty{}, s.retag(c, resources{in.ResourceType, in.ResourceId}, func(t tags) (tags, error) {
		t = t.set(more...)
		if own(t) > 20 {
			// The code is assumed; 20 tags per resource is documented.
			return nil, wire.Errorf(403, "QuotaExceed.TagNum", "A resource can have 20 tags.")
		}
		return t, nil
	})
}

// own counts the tags that users gave; system tags do not count.
func own(t tags) (n int) {
	for _, x := range t {
		if !reserved(x.key) {
			n++
		}
	}
	return n
}

// resources are what a tag call names.
type resources struct {
	kind string
	ids  []string
}

// retag changes the tags of all resources or, if one does not exist or may not
// get them, of none.
func (s *Service) retag(c *wire.Call, r resources, change func(tags) (tags, error)) error {
	for _, id := range r.ids {
		if err := c.Allow("ecs:"+c.Action, arn(c, r.kind, id)); err != nil {
			return err
		}
	}
	sp, err := s.space(c)
	if err != nil {
		return err
	}
	k, err := kind(r.kind)
	if err != nil {
		return err
	}
	places, values := make([]*tags, len(r.ids)), make([]tags, len(r.ids))
	for i, id := range r.ids {
		if places[i] = k.tags(sp, id); places[i] == nil {
			return wire.Errorf(404, "InvalidResourceId.NotFound", "The specified ResourceIds are not found in our records: %s.", id)
		}
		if values[i], err = change(*places[i]); err != nil {
			return err
		}
	}
	for i, p := range places {
		*p = values[i]
	}
	c.Refer(k.trail, r.ids...)
	return nil
}
