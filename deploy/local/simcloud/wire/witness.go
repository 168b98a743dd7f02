package wire

// Witness sees each call that was admitted, whatever its protocol: before it is
// carried out, and after, before its answer is sent. If it returns true the
// connection is dropped, and a call not carried out yet is not. That is how a
// client is killed at an exact call.
type Witness func(c *Call, after bool) (drop bool)

// Drops reports what the witness says; a nil Witness lets everything pass.
func (w Witness) Drops(c *Call, after bool) bool { return w != nil && w(c, after) }
