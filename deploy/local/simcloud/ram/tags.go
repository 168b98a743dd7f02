package ram

import (
	"maps"
	"slices"
	"strconv"

	"fleetwarden/deploy/local/simcloud/wire"
)

// TagLists is a reading of the lists ResourceNames, Tag and TagKeys. The published
// metadata declare JSON, and the typed SDK sends it; untyped callers have been seen to send
// numbered names (ResourceNames.1). Which the service reads is not published.
type TagLists string

// The readings. A list in the form that is not read counts as not sent.
const (
	AnyList       TagLists = ""
	JSONLists     TagLists = "json"
	NumberedLists TagLists = "numbered"
)

// unread reports whether a list came in the form that is not read.
func (r *RAM) unread(c *wire.Call, name string) bool {
	_, asJSON := c.Params[name]
	return r.lists == JSONLists && !asJSON || r.lists == NumberedLists && asJSON
}

// missing is the answer to a list that is needed; the code follows the vendor's pattern:
// assumed.
func missing(name string) error {
	return wire.Errorf(400, "Missing"+name, "The parameter %s is required.", name)
}

// TagResourcesRequest are the parameters of TagResources. ResourceType is role
// or policy; users have no tags here.
type TagResourcesRequest struct {
	ResourceType  string
	ResourceNames []string
	Tag           []Tag
}

// TagResources puts tags on roles or custom policies.
func (r *RAM) TagResources(c *wire.Call, in *TagResourcesRequest) (*Empty, error) {
	switch {
	case r.unread(c, "ResourceNames") || len(in.ResourceNames) == 0:
		return nil, missing("ResourceNames")
	case r.unread(c, "Tag") || len(in.Tag) == 0:
		return nil, missing("Tag")
	}
	return r.retag(c, in.ResourceType, in.ResourceNames, func(tags map[string]string) {
		for _, t := range in.Tag {
			tags[t.Key] = t.Value
		}
	})
}

// retag changes the tags of roles or custom policies.
func (r *RAM) retag(c *wire.Call, kind string, names []string, change func(map[string]string)) (*Empty, error) {
	if err := allowTags(c, kind, names); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all, err := r.tagSets(c.Caller.Account, kind, names)
	if err != nil {
		return nil, err
	}
	for _, tags := range all {
		change(tags)
	}
	return &Empty{}, nil
}

// UntagResourcesRequest are the parameters of UntagResources.
type UntagResourcesRequest struct {
	ResourceType  string
	ResourceNames []string
	TagKeys       []string
	All           bool
}

// UntagResources takes the named tags off, or with All every tag.
func (r *RAM) UntagResources(c *wire.Call, in *UntagResourcesRequest) (*Empty, error) {
	if r.unread(c, "ResourceNames") || len(in.ResourceNames) == 0 {
		return nil, missing("ResourceNames")
	}
	if r.unread(c, "TagKeys") {
		in.TagKeys = nil
	}
	return r.retag(c, in.ResourceType, in.ResourceNames, func(tags map[string]string) {
		maps.DeleteFunc(tags, func(k, _ string) bool { return in.All || slices.Contains(in.TagKeys, k) })
	})
}

func allowTags(c *wire.Call, kind string, names []string) error {
	if kind != "role" && kind != "policy" {
		// Code assumed.
		return wire.Errorf(400, "InvalidParameter.ResourceType", "simcloud tags roles and policies.")
	}
	for _, n := range names {
		if err := c.Allow("ram:"+c.Action, resource(c.Caller.Account, kind, n)); err != nil {
			return err
		}
	}
	return nil
}

// tagSets finds the tags of all named resources, or fails for the first that is
// not there. The caller holds the mutex.
func (r *RAM) tagSets(accountID, kind string, names []string) ([]map[string]string, error) {
	var out []map[string]string
	for _, n := range names {
		if kind == "role" {
			x := r.role(accountID, n)
			if x == nil {
				return nil, noRole(n)
			}
			out = append(out, x.tags)
			continue
		}
		p := r.accounts[accountID].policies[policyKey("Custom", n)]
		if p == nil {
			return nil, noPolicy(n)
		}
		out = append(out, p.tags)
	}
	return out, nil
}

// ListTagResourcesRequest are the parameters of ListTagResources.
type ListTagResourcesRequest struct {
	ResourceType  string
	ResourceNames []string
	Tag           []Tag
	NextToken     string
	PageSize      *int
}

// TagResource is one tag of one resource.
type TagResource struct{ ResourceType, ResourceName, TagKey, TagValue string }

// ListTagResourcesResponse is a page of tags.
type ListTagResourcesResponse struct {
	TagResources []TagResource
	NextToken    string `json:",omitempty"`
}

// ListTagResources lists tags of the named resources, or of all of the type.
func (r *RAM) ListTagResources(c *wire.Call, in *ListTagResourcesRequest) (*ListTagResourcesResponse, error) {
	if r.unread(c, "ResourceNames") {
		in.ResourceNames = nil
	}
	if r.unread(c, "Tag") {
		in.Tag = nil
	}
	asked := in.ResourceNames
	if len(asked) == 0 {
		asked = []string{"*"}
	}
	if err := allowTags(c, in.ResourceType, asked); err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, err := r.tagSets(c.Caller.Account, in.ResourceType, in.ResourceNames); err != nil {
		return nil, err
	}
	all := r.tagRows(c.Caller.Account, in)
	size := wire.Given(in.PageSize, 100)
	from := 0
	if in.NextToken != "" {
		from, _ = strconv.Atoi(in.NextToken)
	}
	if size < 1 || size > 1000 || from < 0 || from > len(all) {
		return nil, wire.Errorf(400, "InvalidParameter.PageSize", "PageSize or NextToken is not valid.") // code assumed
	}
	to := min(from+size, len(all))
	out := &ListTagResourcesResponse{TagResources: all[from:to]}
	if to < len(all) {
		out.NextToken = strconv.Itoa(to)
	}
	return out, nil
}

func tagged(tags map[string]string, want []Tag) bool {
	for _, t := range want {
		v, ok := tags[t.Key]
		if !ok || (t.Value != "" && t.Value != v) {
			return false
		}
	}
	return true
}

func (r *RAM) tagRows(accountID string, in *ListTagResourcesRequest) []TagResource {
	out := []TagResource{}
	add := func(name string, tags map[string]string) {
		if len(in.ResourceNames) > 0 && !slices.Contains(in.ResourceNames, name) || !tagged(tags, in.Tag) {
			return
		}
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			out = append(out, TagResource{in.ResourceType, name, k, tags[k]})
		}
	}
	a := r.accounts[accountID]
	if in.ResourceType == "role" {
		for _, k := range slices.Sorted(maps.Keys(a.roles)) {
			add(a.roles[k].name, a.roles[k].tags)
		}
		return out
	}
	for _, k := range slices.Sorted(maps.Keys(a.policies)) {
		if p := a.policies[k]; p.kind == "Custom" {
			add(p.name, p.tags)
		}
	}
	return out
}
