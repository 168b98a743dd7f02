// Package instancerole carries out what control instance-role decided: it makes
// the systrust role exist, grants it, attaches it to instances in batches, and
// replaces another role by it.
//
// No write is believed before it was read back, and a write whose answer was lost
// is looked at, not repeated. Nothing is decided here, no SDK is known here, and
// there is no way here to delete a role. Only what undoes takes a policy away or leaves
// an instance without a role: [Detach] and [Revoke], which no control asks for.
package instancerole
