package deployment

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"fleetwarden/shared/fleet"
)

// Pattern is an event pattern in a comparable form.
func Pattern(text string) string {
	if p, err := ordered([]byte(text)); err == nil {
		return p
	}
	return text
}

// Digest replaces a value that a record must not hold: the beginning of its SHA-256.
func Digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return fmt.Sprintf("sha256:%x", sum[:6])
}

// RoleOf is a role in a comparable form.
func RoleOf(r fleet.Role) (Role, error) {
	out := Role{Name: r.Name}
	var err error
	if out.Trust, err = ordered([]byte(r.Trust)); err != nil {
		return out, fmt.Errorf("reading the trust of role %s: %w", r.Name, err)
	}
	for _, p := range r.Policies {
		statements, err := Statements([]byte(p.Document))
		if err != nil {
			return out, fmt.Errorf("reading policy %s: %w", p.Name, err)
		}
		out.Statements = append(out.Statements, statements...)
	}
	return out, nil
}

// Statements are those of a policy's document, each as JSON with its members in order.
func Statements(document []byte) ([]string, error) {
	var d struct{ Statement []json.RawMessage }
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	out := make([]string, len(d.Statement))
	for i, s := range d.Statement {
		var err error
		if out[i], err = ordered(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ordered is a JSON text with the members of its objects in order and no white space.
func ordered(text []byte) (string, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "", err
	}
	b, err := json.Marshal(v)
	return string(b), err
}
