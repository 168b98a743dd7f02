package manifest

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// ParseTrigger reads a trigger as Function Compute's API has it, with its config as JSON
// text, and checks it as one of a manifest.
func ParseTrigger(name, kind, config string) (Trigger, error) {
	t := Trigger{Name: name, Type: kind}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(config), &doc); err != nil {
		return t, fmt.Errorf("reading triggerConfig of %s: %w", name, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return t, fmt.Errorf("reading triggerConfig of %s: it is no JSON object", name)
	}
	t.Config = *doc.Content[0]
	whole := yaml.Node{Kind: yaml.MappingNode, Line: 1, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: "triggerConfig", Line: 1}, doc.Content[0],
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: "triggerType", Line: 1}, {Kind: yaml.ScalarNode, Tag: "!!str", Value: kind, Line: 1},
	}}
	if err := t.readConfig(&whole); err != nil {
		return t, fmt.Errorf("reading triggerConfig of %s: %w", name, err)
	}
	return t, nil
}
