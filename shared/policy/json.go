package policy

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// JSON returns the policy as compact JSON with all defaults: the form that is deployed with
// the functions, and that [Load] reads. Policies of equal meaning give equal bytes.
func (p *Policy) JSON() []byte { return p.root().appendJSON(nil) }

func digest(canonical []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(canonical))
}

// deployed returns the document of what [Policy.JSON] wrote, as the YAML parser would but
// without positions. Of any other file it is nil, or what gives another JSON.
func deployed(data []byte) *yaml.Node {
	if len(data) > MaxSize {
		return nil
	}
	root, _ := document(jsontext.NewDecoder(bytes.NewBuffer(data)))
	return root
}

// nodes has what stands for a token of each kind.
var nodes = map[jsontext.Kind]yaml.Node{
	'{': {Kind: yaml.MappingNode}, '[': {Kind: yaml.SequenceNode}, '"': {Kind: yaml.ScalarNode, Tag: "!!str"}, '0': {Kind: yaml.ScalarNode, Tag: "!!int"},
	't': {Kind: yaml.ScalarNode, Tag: "!!bool"}, 'f': {Kind: yaml.ScalarNode, Tag: "!!bool"}, 'n': {Kind: yaml.ScalarNode, Tag: "!!null"},
}

// document reads one value; nil at the end of an object or array.
func document(d *jsontext.Decoder) (*yaml.Node, error) {
	token, err := d.ReadToken()
	n, ok := nodes[token.Kind()]
	if err != nil || !ok {
		return nil, err
	}
	if n.Kind == yaml.ScalarNode {
		n.Value = token.String()
		return &n, nil
	}
	for {
		child, err := document(d)
		if child == nil {
			return &n, err
		}
		n.Content = append(n.Content, child)
	}
}
