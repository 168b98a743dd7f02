package fcapi

import (
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// TagResourcesRequest is the request of TagResources. Resources are named by ARN.
type TagResourcesRequest struct {
	Body *struct {
		ResourceId   []string
		ResourceType string
		Tag          []Tag
	}
}

// TagResources sets tags.
func (a *API) TagResources(c *wire.Call, in *TagResourcesRequest) (*wire.Raw, error) {
	tags, err := sorted(in.Body.Tag)
	if err != nil || len(tags) == 0 {
		return nil, invalid("Tag is missing or malformed: %v", err)
	}
	return a.retag(c, in.Body.ResourceType, in.Body.ResourceId, func(old []Tag) []Tag {
		return append(slices.DeleteFunc(old, func(t Tag) bool {
			return slices.ContainsFunc(tags, func(n Tag) bool { return n.Key == t.Key })
		}), tags...)
	})
}

// retag changes the tags of all the functions, or of none. The caller's change may keep
// the slice it is given.
func (a *API) retag(c *wire.Call, kind string, arns []string, change func([]Tag) []Tag) (*wire.Raw, error) {
	found, err := a.resources(c, kind, arns)
	if err != nil {
		return nil, err
	}
	next := make([][]Tag, len(found))
	for i, f := range found {
		if next[i], err = sorted(change(slices.Clone(f.Function.Tags))); err != nil {
			return nil, invalid("%v", err)
		}
	}
	for i, f := range found {
		f.Function.Tags = next[i]
	}
	return wire.NoContent(), nil
}

// resources finds functions by ARN. The caller holds the mutex.
func (a *API) resources(c *wire.Call, kind string, arns []string) ([]*function, error) {
	if !strings.EqualFold(kind, "function") {
		return nil, invalid("ResourceType: simcloud tags functions alone")
	}
	if len(arns) == 0 || len(arns) > 50 {
		return nil, invalid("ResourceId names 1 to 50 resources")
	}
	var out []*function
	for _, arn := range arns {
		prefix := "acs:fc:" + c.Region + ":" + c.Caller.Account + ":functions/"
		name, ok := strings.CutPrefix(arn, prefix)
		f := a.functions[key{c.Caller.Account, c.Region, name}]
		if !ok || f == nil {
			return nil, wire.Errorf(404, "ResourceNotFound", "resource %q does not exist", arn)
		}
		out = append(out, f)
	}
	return out, nil
}

// UntagResourcesRequest are the parameters of UntagResources.
type UntagResourcesRequest struct {
	All          bool
	ResourceId   []string
	ResourceType string
	TagKey       []string
}

// UntagResources removes tags by key, or all.
func (a *API) UntagResources(c *wire.Call, in *UntagResourcesRequest) (*wire.Raw, error) {
	if in.All == (len(in.TagKey) > 0) {
		return nil, invalid("either All or TagKey")
	}
	return a.retag(c, in.ResourceType, in.ResourceId, func(old []Tag) []Tag {
		return slices.DeleteFunc(old, func(t Tag) bool { return in.All || slices.Contains(in.TagKey, t.Key) })
	})
}

// ListTagResourcesRequest are the parameters of ListTagResources.
type ListTagResourcesRequest struct {
	Limit        int
	NextToken    string
	ResourceId   []string
	ResourceType string
	Tag          []Tag
}

// TagResource is a tag of a resource.
type TagResource struct {
	ResourceId, ResourceType, TagKey, TagValue string
}

// ListTagResourcesResponse lists tags.
type ListTagResourcesResponse struct {
	RequestId    string
	TagResources []TagResource
}

// ListTagResources lists the tags of the functions that are named, all on one page.
func (a *API) ListTagResources(c *wire.Call, in *ListTagResourcesRequest) (*ListTagResourcesResponse, error) {
	if in.NextToken != "" || len(in.Tag) > 0 {
		return nil, invalid("simcloud lists the tags of the resources in ResourceId, on one page")
	}
	found, err := a.resources(c, in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	out := &ListTagResourcesResponse{RequestId: c.RequestID, TagResources: []TagResource{}}
	for _, f := range found {
		for _, t := range f.Function.Tags {
			out.TagResources = append(out.TagResources, TagResource{f.Function.FunctionArn, in.ResourceType, t.Key, t.Value})
		}
	}
	return out, nil
}
