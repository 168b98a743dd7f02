package sls

import (
	"maps"
	"slices"
)

// Index says what can be searched: all of a line by its words, and fields by name. Types are
// text or long.
type Index struct {
	Fields map[string]string
	// Leaves are those of the field message, which is JSON, by their path such as
	// finding.rule.
	Leaves map[string]string
}

// jsonField is the field of a line whose leaves are searched.
const jsonField = "message"

// has reports whether a field can be searched by its name, such as message.finding.rule.
func (x *Index) has(field string) bool {
	if leaf, ok := cutPrefix(field); ok {
		return x.Leaves[leaf] != ""
	}
	return x.Fields[field] != "" || field == "__topic__" || field == "__source__" // always indexed
}

// token is SLS's default set of delimiters.
const token = ", '\";=()[]{}?@&<>/:\n\t\r"

type indexKey struct {
	Type          string              `json:"type"`
	CaseSensitive bool                `json:"caseSensitive"`
	Chn           bool                `json:"chn"`
	DocValue      bool                `json:"doc_value"`
	Token         []string            `json:"token,omitempty"`
	JSONKeys      map[string]indexKey `json:"json_keys,omitempty"`
}

// shown is the index as GetIndex answers it.
func (x *Index) shown() map[string]any {
	tokens := []string{}
	for _, r := range token {
		tokens = append(tokens, string(r))
	}
	key := func(kind string) indexKey {
		k := indexKey{Type: kind, DocValue: true}
		if kind == "text" {
			k.Token = tokens
		}
		return k
	}
	keys := map[string]indexKey{}
	for _, name := range slices.Sorted(maps.Keys(x.Fields)) {
		keys[name] = key(x.Fields[name])
	}
	if len(x.Leaves) > 0 {
		message := indexKey{Type: "json", DocValue: true, Token: tokens, JSONKeys: map[string]indexKey{}}
		for name, kind := range x.Leaves {
			message.JSONKeys[name] = key(kind)
		}
		keys[jsonField] = message
	}
	return map[string]any{
		"index_mode": "v2", "max_text_len": 16384, "ttl": 30,
		"line": map[string]any{"caseSensitive": false, "chn": false, "token": tokens}, "keys": keys,
	}
}
