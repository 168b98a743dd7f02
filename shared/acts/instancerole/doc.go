// Package instancerole executes the changes of control instance-role: it creates the
// systrust role, grants it its policy, attaches it to instances in batches, and replaces
// another role by it.
//
// A write counts only when it was read back, and a write whose answer was lost is read, not
// repeated. The package decides nothing, knows no SDK, and cannot delete a role. Only undo
// detaches a policy or leaves an instance without a role: [Detach] and [Revoke], which no
// control uses.
package instancerole
