// Package fcrun runs a function under Function Compute: it is the only package that imports
// the platform's runtime. It takes the credentials, the account, the region and the
// deadline from each invocation, gives the function a fresh pass, copies findings to the queue
// of the policy, and turns a panic into an error. It knows no control.
package fcrun
