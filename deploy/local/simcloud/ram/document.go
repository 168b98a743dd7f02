package ram

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxDocument is the length of a policy document in bytes, per the RAM limits
// page. For trust policies no limit is published; the same one is assumed.
const maxDocument = 6144

// document is a parsed policy or trust document.
type document struct {
	Version   string
	Statement oneOrMore
}

// oneOrMore is an array of statements, or one without the array.
type oneOrMore []statement

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		*o = make(oneOrMore, 1)
		return json.Unmarshal(b, &(*o)[0])
	}
	return json.Unmarshal(b, (*[]statement)(o))
}

// statement is one statement. Exactly one of Action and NotAction is set; in a
// policy exactly one of Resource and NotResource, in a trust document Principal.
type statement struct {
	Effect      string
	Action      words
	NotAction   words
	Resource    words
	NotResource words
	Principal   map[string]words
	// NotPrincipal is none of the elements of the policy language: it is refused, not
	// ignored (assumed).
	NotPrincipal any
	Condition    map[string]map[string]words
}

// words is a string or an array of strings; numbers and booleans count as their
// text, as in {"Bool": {"acs:SecureTransport": true}}.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	*w = words{}
	for _, e := range list {
		text, err := word(e)
		if err != nil {
			return err
		}
		*w = append(*w, text)
	}
	return nil
}

func word(b json.RawMessage) (string, error) {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool, float64:
		return string(b), nil
	}
	return "", fmt.Errorf("%s is neither text nor a list of texts", b)
}

// parsePolicy reads a permission policy.
func parsePolicy(text string) (*document, error) { return parseDocument(text, false) }

// parseTrust reads a role's trust policy.
func parseTrust(text string) (*document, error) { return parseDocument(text, true) }

func parseDocument(text string, trust bool) (*document, error) {
	if len(text) > maxDocument {
		return nil, errTooLong
	}
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if d.Version != "1" {
		return nil, fmt.Errorf("version is %q, not \"1\"", d.Version)
	}
	if len(d.Statement) == 0 {
		return nil, errors.New("no statement")
	}
	for i := range d.Statement {
		if err := d.Statement[i].check(trust); err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return &d, nil
}

var errTooLong = fmt.Errorf("the document is longer than %d bytes", maxDocument)

func (s *statement) check(trust bool) error {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return fmt.Errorf("effect is %q", s.Effect)
	}
	if (len(s.Action) == 0) == (len(s.NotAction) == 0) {
		return errors.New("exactly one of Action and NotAction is needed")
	}
	if s.NotPrincipal != nil {
		return errors.New("NotPrincipal is not an element")
	}
	if trust {
		if len(s.Principal) == 0 {
			return errors.New("a trust policy needs a Principal")
		}
	} else if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
		return errors.New("exactly one of Resource and NotResource is needed")
	}
	if slices.Contains(s.Action, "") || slices.Contains(s.Resource, "") {
		return errors.New("an empty Action or Resource")
	}
	for op := range s.Condition {
		if _, ok := operators[op]; !ok {
			return fmt.Errorf("unknown condition operator %q", op)
		}
	}
	return nil
}
