package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// AddTagsRequest is the older way to tag one resource.
type AddTagsRequest struct {
	ResourceType, ResourceId string
	Tag                      []TagParam
}

// AddTags sets tags of one resource.
func (s *Service) AddTags(c *wire.Call, in *AddTagsRequest) (*Empty, error) {
	return s.TagResources(c, &TagResourcesRequest{in.ResourceType, []string{in.ResourceId}, in.Tag})
}
