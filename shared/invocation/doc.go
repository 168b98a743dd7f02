// Package invocation is what one call of a function has, under Function Compute and in a
// terminal: the policy, the sessions in its own and other accounts, the inboxes of all functions,
// the ledger. It knows neither the platform nor a control.
package invocation
