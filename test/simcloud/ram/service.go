package ram

// RoleAllows reports whether what is attached to a role allows an action on a
// resource: what KMS asks once a service has assumed the role for its customer.
// A policy's change counts at once. It is no question of a caller, so the record
// of [RAM.Permissions] does not have it.
func (r *RAM) RoleAllows(accountID, name, action, resource string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	x := r.role(accountID, name)
	return x != nil && evaluate(x.documents(), ask{action: action, resource: resource}) == allowed
}
