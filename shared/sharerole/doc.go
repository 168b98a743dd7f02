// Package sharerole carries out what control share-role decided: it makes the two share
// roles, changes whom they trust, and keeps the policies that grant their keys.
//
// RAM compares nothing when it writes. So each document is read right before it is
// replaced, and only the one that was decided on gives way; each is read back, and one
// that somebody changed in between is left to the next look. The text is compared, not
// UpdateDate, which counts whole seconds. Nothing is decided here, no SDK is known
// here, and there is no way here to delete a role or a policy.
package sharerole
