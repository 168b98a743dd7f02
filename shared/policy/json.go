package policy

import (
	"crypto/sha256"
	"fmt"
)

// JSON returns the policy as compact JSON with all defaults: the form that is deployed with
// the functions, and that [Load] reads. Policies of equal meaning give equal bytes.
func (p *Policy) JSON() []byte { return []byte(p.root().canonical()) }

func digest(canonical []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(canonical))
}
