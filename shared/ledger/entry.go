package ledger

import (
	"encoding/json"
	"errors"
	"fmt"

	"fleetwarden/shared/fleet"
)

// ErrNewer means that a newer version of this code wrote the object. It is left unchanged,
// and reported.
var ErrNewer = errors.New("the ledger object is of a newer version")

func encode(e fleet.Entry) ([]byte, error) {
	e.V = fleet.EntryVersion
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("writing a ledger object: %w", err)
	}
	return body, nil
}

// Decode reads an object. Invalid content is a [*fleet.BadInput] that does not quote it; a
// newer version also is [ErrNewer].
func Decode(name string, body []byte) (fleet.Entry, error) {
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + name, What: "it is not a JSON object with a version"}
	}
	switch {
	case head.V > fleet.EntryVersion:
		return fleet.Entry{}, &newer{fleet.BadInput{Where: "ledger object " + name, What: fmt.Sprintf("its version %d is newer than this program reads: deploy the newest one", head.V)}}
	case head.V < 1:
		return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + name, What: "it has no version"}
	}
	var e fleet.Entry
	if err := json.Unmarshal(body, &e); err != nil {
		return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + name, What: "a member has the wrong type"}
	}
	switch e.Stage {
	case fleet.StageIntent, fleet.StageOutcome, fleet.StageSettled:
	default:
		return fleet.Entry{}, &fleet.BadInput{Where: "ledger object " + name, What: "its stage is unknown"}
	}
	for _, m := range e.Look {
		if m.V > fleet.MessageVersion {
			return fleet.Entry{}, &newer{fleet.BadInput{Where: "ledger object " + name, What: fmt.Sprintf("its refs have the newer version %d", m.V)}}
		}
	}
	e.Name = stem(name)
	return e, nil
}

// newer is bad input of its own kind: the object is valid, this reader is too old.
type newer struct{ bad fleet.BadInput }

func (e *newer) Error() string   { return e.bad.Error() }
func (e *newer) Unwrap() []error { return []error{&e.bad, ErrNewer} }
