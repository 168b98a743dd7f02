package events

import (
	"errors"

	"fleetwarden/shared/fleet"
)

// Check says why nothing in a payload is an event: a person who gave it meant another
// file. It returns nil when there is one, whatever it is about and whatever is wrong with
// it, and for an empty list.
func Check(payload []byte) error {
	var first error
	for ev, err := range Decode(payload) {
		if err == nil {
			err = unknown(ev)
		}
		var bad *fleet.BadInput
		if err == nil || !errors.As(err, &bad) || bad.Where != "" && bad.Where != "body" {
			return nil
		}
		if first == nil {
			first = bad
		}
	}
	return first
}

// unknown is the error for an element that is of no shape that is known here.
func unknown(ev Event) error {
	switch {
	case ev.Kind == fleet.EventManual:
		return wrong("", "it is empty")
	case ev.Kind == fleet.EventText:
		return wrong("", "it is neither JSON nor JSON in Base64")
	case ev.Kind == fleet.EventUnknown && ev.Type == "" && ev.Name == "":
		return wrong("", "it is JSON of no known shape")
	}
	return nil
}
