package ram

import "strings"

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

// Info is a role as GetRole shows it.
func (r *RAM) Info(accountID, name string) (RoleInfo, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	x := r.role(accountID, name)
	if x == nil {
		return RoleInfo{}, noRole(name)
	}
	return x.info(accountID), nil
}

// RemoveRole takes a role away with all that is attached to it. It makes no API call and
// no trail record.
func (r *RAM) RemoveRole(accountID, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.role(accountID, name)
	if x == nil {
		return
	}
	for _, a := range x.attached {
		a.policy.attachments--
	}
	delete(r.accounts[accountID].roles, strings.ToLower(name))
}
