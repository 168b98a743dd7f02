// Package pause stops changes without a deployment: an operator orders a pause of a control,
// of an account or of everything for a time, or resumes. Functions list and read the orders,
// and never write them, which their roles do not allow either.
//
// An order is one object of the ledger. Its name says all that decides, so that one listing
// does, and begins with a number that falls as time passes, so that the newest is listed
// first:
//
//	control/8232394610123.1767604500.pause.agent.all.q7x2.json
//
// A pause lasts until its end, or until a later order resumes what it covers. Pauses that
// overlap each last until their own end. An order that cannot be read, of whatever kind,
// might be a pause: nothing may be changed until an operator removes it. Neither may
// anything be changed while the orders cannot be listed.
//
// A pause takes power away only for a time: [MaxFor] at most. What is to be otherwise for
// longer belongs into the policy file. It does not stop an undo, which an operator orders
// as well, most likely while the functions are paused.
package pause
