// Package sharerole executes the changes of control share-role: it creates the two share
// roles, changes their trust, and maintains the policies that grant their keys.
//
// RAM has no conditional writes. So each document is read right before it is replaced, and
// only the one that was decided on is replaced; each is read back, and one that another
// caller changed in between is left to the next check. The text is compared, not
// UpdateDate, which counts whole seconds. The package decides nothing, knows no SDK, and
// cannot delete a role or a policy.
package sharerole
