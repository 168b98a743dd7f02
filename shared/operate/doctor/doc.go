// Package doctor examines a deployment: whether anything keeps events from arriving, and
// functions from their work. It reads and changes nothing, decides nothing about instances
// or shares, and knows no client: [Reads] has what it asks, one interface for each product.
//
// Its checks are data ([Checks]), in the order of cause: what fails first explains what
// fails below it. A check is ok only if what it asks was read. A missing right is a line of
// its own that names the action, and counts as unread, never as ok.
//
// The expectation is the record that a deployment leaves in the ledger
// (package deployment), so that the doctor of one build can examine the deployment of
// another. Two things are no part of that record: which policies of deploy/ram are optional,
// and the role of the members; a main passes them in, from the files themselves.
//
// That the ledger can be written is not tried: the doctor's own rights are for reading, and
// an object of its own would prove nothing about the other functions' rights. It reads
// whether the bucket has versioning, compares the roles' policies, and shows how old the
// newest sweep is.
package doctor
