package ecs

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// UntagResourcesRequest takes tags off up to 50 resources of one type: those of
// TagKey, or all if there is no TagKey and All is true.
type UntagResourcesRequest struct {
	ResourceType       string
	ResourceId, TagKey []string
	All                bool
}

// UntagResources takes tags off. System tags stay (assumed).
func (s *Service) UntagResources(c *wire.Call, in *UntagResourcesRequest) (*Empty, error) {
	if len(in.TagKey) == 0 && !in.All {
		return nil, missing("TagKey")
	}
	if slices.ContainsFunc(in.TagKey, reserved) {
		return nil, invalid("InvalidTagKey.Malformed", "The specified TagKey.N is not valid.")
	}
	return &Empty{}, s.retag(c, resources{in.ResourceType, in.ResourceId}, func(t tags) (tags, error) {
		if len(in.TagKey) > 0 {
			return t.unset(in.TagKey...), nil
		}
		return slices.DeleteFunc(slices.Clone(t), func(x tag) bool { return !reserved(x.key) }), nil
	})
}
