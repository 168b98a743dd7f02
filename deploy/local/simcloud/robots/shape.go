package robots

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// read decodes a message strictly: a member that is not documented is a misspelling.
func read(body []byte, into any) error {
	return json.Unmarshal(body, into, json.RejectUnknownMembers(true))
}

// isJSON reports whether a request says that its body is JSON in UTF-8.
func isJSON(r *http.Request) bool {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json" && (params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8"))
}

// missing is the first of the names that has no value: they come as name, value, name, value.
func missing(pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if strings.TrimSpace(pairs[i+1]) == "" {
			return pairs[i]
		}
	}
	return ""
}

// object, list and text read a member of JSON of unknown shape. They are zero where it is
// missing or of another type.

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// each returns the first error of check.
func each(of []any, check func(map[string]any) error) error {
	for _, v := range of {
		m := object(v)
		if m == nil {
			return errors.New("an element is no object")
		}
		if err := check(m); err != nil {
			return err
		}
	}
	return nil
}
