package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/simcloud/meta"
)

// check refuses unknown, mistyped and missing parameters and too large batches,
// and counts the ids of the call.
func check(a *meta.Action, params map[string]string) (ids int, err error) {
	for _, k := range slices.Sorted(maps.Keys(params)) {
		typ, ok := a.TypeOf(k)
		if !ok {
			return 0, Errorf(400, "InvalidParameter", "simcloud: %s takes no parameter %q.", a.Name, k)
		}
		if !meta.Valid(typ, params[k]) {
			return 0, Errorf(400, "InvalidParameter", "The specified parameter %q is not valid: it must be of type %s.", k, typ)
		}
	}
	if name := a.Missing(params); name != "" {
		return 0, missing(name)
	}
	ids, err = a.Count(params)
	return ids, refuse(err)
}

func refuse(err error) error {
	if err == nil {
		return nil
	}
	r := meta.Refusal{}
	switch e := err.(type) {
	case *meta.TooManyError:
		r = e.Batch.TooMany
	case *meta.MalformedError:
		r = e.Batch.Malformed
	}
	if r.Code == "" {
		r = meta.Refusal{Status: 400, Code: "InvalidParameter"}
	}
	return Errorf(r.Status, r.Code, "%v", err)
}

// decode fills the struct v from parameters below prefix.
func decode(params map[string]string, prefix string, v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if err := decode(params, prefix, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		if err := decodeValue(params, prefix+paramName(f), v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// Given is a parameter that may be missing; usual if it is.
func Given[T any](p *T, usual T) T {
	if p == nil {
		return usual
	}
	return *p
}

func paramName(f reflect.StructField) string {
	return cmp.Or(f.Tag.Get("param"), f.Name)
}

func decodeValue(params map[string]string, name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Struct:
		return decode(params, name+".", v)
	case reflect.Slice:
		return decodeSlice(params, name, v)
	}
	text, ok := params[name]
	if !ok || (text == "" && v.Kind() != reflect.String && v.Kind() != reflect.Pointer) {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if text == "" && p.Elem().Kind() != reflect.String {
			return nil
		}
		v.Set(p)
		v = p.Elem()
	}
	if err := decodeScalar(text, v); err != nil {
		return Errorf(400, "InvalidParameter", "The specified parameter %q is not valid.", name)
	}
	return nil
}

func decodeScalar(text string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(strings.EqualFold(text, "true"))
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return err
		}
		v.SetFloat(n)
	default:
		return fmt.Errorf("no parameter decodes into %s", v.Type())
	}
	return nil
}

// decodeSlice reads name.1, name.2, … in order; gaps are closed. A list given
// as one JSON text under the bare name is read as such.
func decodeSlice(params map[string]string, name string, v reflect.Value) error {
	if text := params[name]; text != "" {
		if err := json.Unmarshal([]byte(text), v.Addr().Interface()); err != nil {
			return Errorf(400, "InvalidParameter", "The specified parameter %q is not valid.", name)
		}
		return nil
	}
	for _, i := range indexes(params, name+".") {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := decodeValue(params, name+"."+strconv.Itoa(i), e); err != nil {
			return err
		}
		v.Set(reflect.Append(v, e))
	}
	return nil
}

func indexes(params map[string]string, prefix string) []int {
	var out []int
	for k := range params {
		rest, ok := strings.CutPrefix(k, prefix)
		head, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(head); ok && err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
