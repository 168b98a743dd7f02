package resourcesharing

import "fleetwarden/deploy/local/simcloud/wire"

// UpdateResourceShareRequest are the parameters of UpdateResourceShare.
type UpdateResourceShareRequest struct {
	ResourceShareId, ResourceShareName string
	AllowExternalTargets               *bool
}

// UpdateResourceShare renames a share, or opens it to targets outside the
// directory. That it cannot be closed again is assumed.
func (s *Service) UpdateResourceShare(c *wire.Call, in *UpdateResourceShareRequest) (*ShareResponse, error) {
	if err := allow(c); err != nil {
		return nil, err
	}
	if !shareName.MatchString(in.ResourceShareName) {
		return nil, bad("ResourceShareName")
	}
	s.w.Lock()
	defer s.w.Unlock()
	x, err := s.own(c, in.ResourceShareId)
	if err != nil {
		return nil, err
	}
	if in.AllowExternalTargets != nil {
		if x.external && !*in.AllowExternalTargets {
			return nil, wire.Errorf(409, "OperationNotPermitted", "You do not have permission to do this operation.")
		}
		x.external = *in.AllowExternalTargets
	}
	x.name, x.updated = in.ResourceShareName, s.w.Clock.Now()
	return &ShareResponse{x.item()}, nil
}
