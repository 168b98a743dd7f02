package policy

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"fleetwarden/shared/fleet"
)

// value is the content of a key, bound to the field of a policy that it sets. One
// implementation reads and prints the field, so that they cannot diverge; describe_test.go
// describes it for the JSON Schema.
type value interface {
	// load sets the field from the file, or reports why it cannot.
	load(l *loader, n node)
	// appendJSON appends the field as canonical JSON.
	appendJSON(to []byte) []byte
	// blank reports whether the field equals an omitted key.
	blank() bool
}

// text is a string of a form.
type text[S ~string] struct {
	to *S
	form
}

func (t text[S]) load(l *loader, n node) {
	if s, ok := l.str(n, t.name); ok && l.fits(n, t.name, "", t.form.fits(s)) {
		*t.to = S(s)
	}
}

// fits reports a string that is not what is wanted.
func (l *loader) fits(n node, want, hint string, ok bool) bool {
	if !ok {
		l.problem(n, hint, "want %s, found %s", want, quote(n.Value))
	}
	return ok
}

func (t text[S]) appendJSON(to []byte) []byte { return appendString(to, string(*t.to)) }
func (t text[S]) blank() bool                 { return *t.to == "" }

// str returns a string as written. A date is a string too, whatever YAML says.
func (l *loader) str(n node, want string) (string, bool) {
	if n.Kind == yaml.ScalarNode {
		switch n.Tag {
		case "!!str", "!!timestamp", "!!merge":
			return n.Value, true
		case "!!bool", "!!int", "!!float":
			l.wrongType(n, want, "put it in quotes")
			return "", false
		}
	}
	l.wrongType(n, want, "")
	return "", false
}

// appendString appends a JSON string. Every form keeps out the characters that JSON allows
// and YAML does not.
func appendString(to []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always has a JSON form
	return append(to, quoted...)
}

// choice is one of a few words.
type choice[S ~string] struct {
	to    *S
	words []string
}

func (c choice[S]) load(l *loader, n node) {
	if n.Tag == "!!str" && slices.Contains(c.words, n.Value) {
		*c.to = S(n.Value)
	} else if s, ok := l.str(n, options(c.words)); ok {
		l.fits(n, options(c.words), suggest(s, c.words), false)
	}
}

func (c choice[S]) appendJSON(to []byte) []byte { return appendString(to, string(*c.to)) }
func (c choice[S]) blank() bool                 { return *c.to == "" }

// toggle is true or false.
type toggle struct{ to *bool }

func (t toggle) load(l *loader, n node) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		l.wrongType(n, "true or false", "")
		return
	}
	*t.to = n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
}

func (t toggle) appendJSON(to []byte) []byte { return strconv.AppendBool(to, *t.to) }
func (t toggle) blank() bool                 { return false }

// number is a whole number within bounds.
type number struct {
	to          *int
	least, most int
}

func (v number) load(l *loader, n node) {
	var f float64
	isNumber := n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") && n.Decode(&f) == nil
	if !isNumber || f != math.Trunc(f) {
		l.wrongType(n, "a whole number", "")
		return
	}
	if f < float64(v.least) || f > float64(v.most) {
		l.problem(n, "", "want %d to %d, found %s", v.least, v.most, quote(n.Value))
		return
	}
	*v.to = int(f)
}

func (v number) appendJSON(to []byte) []byte { return strconv.AppendInt(to, int64(*v.to), 10) }
func (v number) blank() bool                 { return false }

// version is the version of the file's layout.
type version struct{}

func (version) load(l *loader, n node) {
	var found int
	reading := number{&found, 0, math.MaxInt32}
	before := len(l.problems)
	reading.load(l, n)
	if len(l.problems) == before && found != Version {
		l.problem(n, "", "this build reads version %d, found %d", Version, found)
	}
}

func (version) appendJSON(to []byte) []byte { return strconv.AppendInt(to, Version, 10) }
func (version) blank() bool                 { return false }

// accountID is the number of an account. YAML reads it as an integer when it
// is not quoted; what counts is the digits as written.
type accountID struct{ to *fleet.AccountID }

func (a accountID) load(l *loader, n node) {
	id := fleet.AccountID(n.Value)
	isID := n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!int") && id.Valid()
	if !isID {
		l.wrongType(n, "an account id, 1 to 32 digits", "")
		return
	}
	*a.to = id
}

func (a accountID) appendJSON(to []byte) []byte { return appendString(to, string(*a.to)) }
func (a accountID) blank() bool                 { return *a.to == "" }
