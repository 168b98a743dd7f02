package ledger

import (
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

const (
	dayForm  = "2006-01-02"
	timeForm = dayForm + "/150405"
	suffix   = ".json"
	// several replaces the run of an object that belongs to more than one.
	several = "+"
)

// part returns an id as part of a name, or a placeholder; the object has the id itself.
func part(id string) string {
	if fleet.Plain(id) {
		return id
	}
	return several
}

// runOf returns the run of all changes of an entry.
func runOf(e *fleet.Entry) string {
	run := ""
	for i, c := range e.Changes {
		if i > 0 && c.Run != run {
			return several
		}
		run = c.Run
	}
	return part(run)
}

func object(e *fleet.Entry) string { return e.Name + "." + string(e.Stage) + suffix }

// stem is the name without its stage; "" for a name of another form.
func stem(name string) string {
	s, _ := split(name)
	return s
}

func split(name string) (stem string, stage fleet.Stage) {
	rest, ok := strings.CutSuffix(name, suffix)
	i := strings.LastIndexByte(rest, '.')
	if !ok || i < 0 {
		return "", ""
	}
	return rest[:i], fleet.Stage(rest[i+1:])
}

// title is the content of an entry's name.
type title struct {
	at                    time.Time
	run, request, payload string
}

func read(stem string) (title, bool) {
	i := strings.IndexByte(stem, '/')
	parts := strings.Split(stem[i+1:], ".")
	if i < 0 || len(parts) != 5 {
		return title{}, false
	}
	at, err := time.Parse(timeForm, parts[0])
	return title{at, parts[1], parts[2], parts[3]}, err == nil
}
