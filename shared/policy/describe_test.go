package policy

import (
	"bytes"
	"encoding/json"
	"slices"
)

// The JSON Schema of a policy file, from the table that the loader follows: a test writes
// deploy/policy.schema.json and compares it, and no function needs it.

// schema is a JSON Schema, draft 2020-12.
type schema map[string]any

// describe returns the schema of the values that a key's load accepts.
func describe(v value) schema { return v.(interface{ schema() schema }).schema() }

// Schema returns the JSON Schema, draft 2020-12, of a policy file, for editors and CI.
// [Load] alone checks the rest: that keys and accounts are unique, that selectors name
// accounts and regions of the policy, that a time zone exists, that quiet hours are a part of
// the day, and that a network is private.
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

func (o object) schema() schema {
	properties, required := schema{}, []string{}
	var all []schema
	for _, f := range o.fields {
		property := describe(f.value)
		property["description"] = f.doc
		properties[f.key] = property
		if f.must {
			required = append(required, f.key)
		}
		if _, ok := f.value.(inAudit); ok {
			all = onlyInAudit()
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(all) > 0 {
		s["allOf"] = all
	}
	if len(required) > 0 {
		s["required"] = required
	}
	if len(o.some) > 0 {
		var either []schema
		for _, key := range o.some {
			either = append(either, schema{"required": []string{key}})
		}
		s["anyOf"] = either
	}
	return s
}

func (v list[T]) schema() schema {
	fresh := v.fresh
	s := schema{"type": "array", "items": describe(v.item(&fresh))}
	if v.least > 0 {
		s["minItems"] = v.least
	}
	if v.most > 0 {
		s["maxItems"] = v.most
	}
	return s
}

// A control with enforceFor has the check of inAudit, too: see object.schema.
func (v inAudit) schema() schema { return v.list.schema() }

// onlyInAudit is the check of inAudit in JSON Schema. A control without a mode is in audit.
func onlyInAudit() []schema {
	return []schema{{
		"if":   schema{"required": []string{"enforceFor"}},
		"then": schema{"properties": schema{"mode": schema{"const": Audit}}},
	}}
}

func (v dict[T]) schema() schema {
	item := v.fresh
	s := schema{
		"type":                 "object",
		"propertyNames":        schema{"pattern": patterns[v.keys.name], "maxLength": v.keys.longest},
		"additionalProperties": describe(v.item(&item)),
	}
	if v.least > 0 {
		s["minProperties"] = v.least
	}
	if v.most > 0 {
		s["maxProperties"] = v.most
	}
	return s
}

func (selection) schema() schema { return schema{"$ref": "#/$defs/selector"} }

func (u unique) schema() schema { return describe(u.value) }

// An exemption has the checks of ruleOf and of working, too.
func (w working) schema() schema {
	s := w.object.schema()
	s["allOf"] = append(rulesOfControls(), keysOfRules()...)
	return s
}

func (r regions) schema() schema {
	return schema{"anyOf": []schema{{"const": auto}, r.listed().schema()}}
}

func (v channels) schema() schema { return v.dict(new(map[string]Channel)).schema() }

// A channel has the check of [keyOfType], too.
func (v channel) schema() schema {
	s := v.object.schema()
	var all []schema
	for _, f := range v.fields {
		if f.key != "type" {
			continue
		}
		for _, of := range f.value.(choice[string]).words {
			refused, required := schema{}, []string{}
			for _, f := range v.fields {
				usable, needed := keyOfType(f.key, of)
				if needed {
					required = append(required, f.key)
				} else if !usable {
					refused[f.key] = false
				}
			}
			all = append(all, schema{
				"if":   schema{"properties": schema{"type": schema{"const": of}}, "required": []string{"type"}},
				"then": schema{"properties": refused, "required": required},
			})
		}
	}
	s["allOf"] = all
	return s
}

func (s secret) schema() schema { return text[string]{form: formSecret}.schema() }

func (z zone) schema() schema { return text[string]{form: formZone}.schema() }

func (q quietHours) schema() schema {
	return schema{"type": "string", "pattern": quietPattern}
}

// keysOfRules is [selectable] in JSON Schema.
func keysOfRules() (conditions []schema) {
	for _, control := range Controls() {
		for _, rule := range append([]string{""}, Rules(control)...) {
			can, refused := selectable(control, rule), schema{}
			for _, f := range append(new(Selector).keys(), field{key: "instances"}) {
				if !slices.Contains(can, f.key) {
					refused[f.key] = false
				}
			}
			of := schema{"properties": schema{"control": schema{"const": control}, "rule": schema{"const": rule}}, "required": []string{"rule"}}
			if rule == "" {
				of = schema{"properties": schema{"control": schema{"const": control}, "rule": false}}
			}
			if can != nil {
				conditions = append(conditions, schema{"if": of, "then": schema{"properties": refused}})
			}
		}
	}
	return conditions
}

// rulesOfControls is the check of ruleOf in JSON Schema.
func rulesOfControls() []schema {
	var conditions []schema
	for _, control := range Controls() {
		conditions = append(conditions, schema{
			"if":   schema{"properties": schema{"control": schema{"const": control}}},
			"then": schema{"properties": schema{"rule": schema{"enum": Rules(control)}}},
		})
	}
	return conditions
}

func (d duration) schema() schema {
	return schema{"type": "string", "pattern": durationPattern}
}

func (d date) schema() schema {
	return schema{"type": "string", "format": "date", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}
}

func (d lastDay) schema() schema { return date{}.schema() }

func (t text[S]) schema() schema {
	return schema{"type": "string", "pattern": patterns[t.name], "maxLength": t.longest}
}

func (c choice[S]) schema() schema { return schema{"type": "string", "enum": c.words} }

func (t toggle) schema() schema { return schema{"type": "boolean"} }

func (v number) schema() schema {
	return schema{"type": "integer", "minimum": v.least, "maximum": v.most}
}

func (version) schema() schema { return schema{"const": Version} }

func (a accountID) schema() schema {
	return schema{"anyOf": []schema{
		{"type": "string", "pattern": "^[0-9]{1,32}$"},
		{"type": "integer", "minimum": 0},
	}}
}

// notPrinted is the part of a character class that JSON writes literally and YAML refuses
// to read: controls above ASCII and invisible marks.
const notPrinted = `\x7f-\x9f` + "\ufeff\ufffe\uffff"

const (
	linePattern     = `[^\x00-\x1f` + notPrinted + `]`
	wordsPattern    = `[^\x00-\x09\x0b-\x1f` + notPrinted + `]*`
	timePattern     = `([01][0-9]|2[0-3]):[0-5][0-9]`
	quietPattern    = `^` + timePattern + `-` + timePattern + `$`
	durationPattern = `^(0|[1-9][0-9]{0,3})([dhms])$`
)

// patterns has each form by its name, in the syntax that Go and ECMAScript share.
var patterns = map[string]string{
	formLine.name:     `^` + linePattern + `*$`,
	formTagKey.name:   `^` + linePattern + `+$`,
	formTagValue.name: `^` + linePattern + `*$`,
	formWords.name:    `^` + wordsPattern + `[^\x00-\x20` + notPrinted + `\xa0]` + wordsPattern + `$`,
	formRegion.name:   `^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$`,
	formRole.name:     `^[A-Za-z0-9.-]+$`,
	formGroup.name:    `^rg-[A-Za-z0-9-]+$`,
	formVPC.name:      `^vpc-[A-Za-z0-9-]+$`,
	formInstance.name: `^i-[A-Za-z0-9]+$`,
	formFolder.name:   `^fd-[A-Za-z0-9-]+$`,
	formFamily.name:   `^[a-z][a-z0-9-]*$`,
	formDisk.name:     `^[a-z][a-z0-9_]*$`,
	formAPI.name:      `^[A-Z][A-Za-z0-9]*$`,
	formZone.name:     `^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`,
	formChannel.name:  `^[A-Za-z0-9][A-Za-z0-9-]*$`,
	formSecret.name:   `^(env:[A-Za-z][A-Za-z0-9_]*|fleetwarden-[A-Za-z0-9_/+=.@-]+)$`,
	formMail.name:     `^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`,
	formNetwork.name:  `^[0-9a-f.:]+/[0-9]{1,3}$`,
	formQueue.name:    `^[A-Za-z0-9][A-Za-z0-9-]*$`,
}
