// Package fcrun runs a function under Function Compute: it is the only package that imports
// the platform's runtime. It takes the credentials, the account, the region and the
// deadline from each invocation, gives the function a fresh pass, and turns a panic into an
// error. The call also gives a function access to what others own: the keys of roles in
// member accounts, the inboxes of other functions, the ledger. It knows no control.
package fcrun
