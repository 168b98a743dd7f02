package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// JSON returns the policy as compact JSON with all defaults: the form that is deployed with
// the functions, and that [Load] reads. Policies of equal meaning give equal bytes.
func (p *Policy) JSON() []byte { return p.root().append(nil) }

func digest(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// Schema returns the JSON Schema, draft 2020-12, of a policy file, for editors and CI.
// [Load] alone checks the rest: that keys and accounts are unique, and that selectors name
// accounts and regions of the policy.
func Schema() []byte {
	root := defaults().root().schema()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Fleetwarden policy"
	root["$defs"] = schema{"selector": new(Selector).object().schema()}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil { // it holds strings, numbers, lists and maps
		return nil
	}
	return slices.Clip(b.Bytes())
}
