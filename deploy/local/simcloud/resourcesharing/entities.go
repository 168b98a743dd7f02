package resourcesharing

import (
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Entities are the resources and targets that a call names. At most five of each
// are checked at the gateway.
type Entities struct {
	Resources    []ResourceParam
	ResourceArns []string
	Targets      []string
}

// ResourceParam is Resources.N of a request.
type ResourceParam struct{ ResourceId, ResourceType string }

func bad(name string) error {
	return wire.Errorf(400, "InvalidParameter."+name, "The %s is invalid.", name)
}

func duplicate(name string) error {
	return wire.Errorf(400, "InvalidParameter."+name+".Duplicate", "The %s contains duplicate values.", name)
}

// resources are the named resources of the caller, by id or by ARN.
func (in *Entities) resources(c *wire.Call) ([]ecs.Resource, error) {
	if len(in.Resources) > 0 && len(in.ResourceArns) > 0 {
		return nil, wire.Errorf(400, "InvalidParameter.ResourceConflict", "Both Resources and ResourceArns cannot be specified simultaneously.")
	}
	name := "Resources"
	var out []ecs.Resource
	for _, r := range in.Resources {
		if r.ResourceId == "" || r.ResourceType == "" {
			return nil, bad(name)
		}
		if r.ResourceType != ecs.SnapshotKind && r.ResourceType != ecs.ImageKind {
			return nil, bad("ResourceType")
		}
		out = append(out, ecs.Resource{Kind: r.ResourceType, Owner: c.Caller.Account, Region: c.Region, ID: r.ResourceId})
	}
	for _, arn := range in.ResourceArns {
		name = "ResourceArns"
		r, ok := parseARN(arn)
		if !ok || r.Owner != c.Caller.Account || r.Region != c.Region {
			return nil, bad(name)
		}
		out = append(out, r)
	}
	if hasTwice(out) {
		return nil, duplicate(name)
	}
	return out, nil
}

// kinds are the types of resources as ARNs write them.
var kinds = map[string]string{"snapshot": ecs.SnapshotKind, "image": ecs.ImageKind}

// parseARN reads acs:ecs:<region>:<account>:snapshot/<id>.
func parseARN(arn string) (ecs.Resource, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 5 || parts[0] != "acs" || parts[1] != "ecs" {
		return ecs.Resource{}, false
	}
	kind, id, ok := strings.Cut(parts[4], "/")
	return ecs.Resource{Kind: kinds[kind], Owner: parts[3], Region: parts[2], ID: id}, ok && kinds[kind] != "" && id != ""
}

func arnOf(r ecs.Resource) string {
	return "acs:ecs:" + r.Region + ":" + r.Owner + ":" + strings.ToLower(r.Kind) + "/" + r.ID
}

func hasTwice[T comparable](list []T) bool {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return true
		}
	}
	return false
}

// checkResource: the caller has it, and it can be shared. That resources under a
// service key are refused is documented; that they are with a code like ECS's is
// assumed. The caller holds the mutex.
func (s *Service) checkResource(r ecs.Resource) error {
	found, ok := s.ecs.Find(r.Region, r.ID)
	if !ok || found.Resource != r {
		return bad("Resources")
	}
	if found.Key == "" {
		return nil
	}
	if _, service := s.acc.KeyID(r.Owner, r.Region, found.Key); service {
		return wire.Errorf(403, "InvalidOperation.ServiceKeyEncrypted"+r.Kind+"Unsupported",
			"The specified service key encrypted %s is not supported for this operation.", strings.ToLower(r.Kind))
	}
	return nil
}

// target checks a target of an owner and reports whether it is outside the
// owner's directory.
func (s *Service) target(owner, id string, allowExternal bool) (external bool, err error) {
	rd, _, inside := s.dir.Of(owner)
	if _, _, ok := s.dir.Within(id); ok {
		if !inside {
			return false, notInDirectory()
		}
		return false, nil
	}
	switch {
	case strings.HasPrefix(id, "rd-"), strings.HasPrefix(id, "r-"), strings.HasPrefix(id, "fd-"):
		return false, noTarget()
	case !isAccount(id), id == owner:
		return false, bad("Targets")
	}
	if other, _, ok := s.dir.Of(id); ok && inside && other == rd {
		return false, nil
	}
	switch {
	case allowExternal:
		return true, nil
	case !inside:
		return false, notInDirectory()
	}
	return false, noTarget()
}

func noTarget() error {
	return wire.Errorf(400, "InvalidTarget", "The shared target does not exist in the resource directory.")
}

func notInDirectory() error {
	return wire.Errorf(409, "AccountNotInResourceDirectory", "The account is not a master or a member of a resource directory.")
}

// isAccount: 16 digits.
func isAccount(id string) bool {
	return len(id) == 16 && strings.Trim(id, "0123456789") == ""
}
