package policy

import (
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// duration is one number and one unit: d, h, m or s.
type duration struct{ to *time.Duration }

var durationShape = regexp.MustCompile(`^(0|[1-9][0-9]{0,3})([dhms])$`)

// units are ordered from the longest, so that the first that divides is the canonical one.
var units = []struct {
	name   string
	length time.Duration
}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

func (d duration) load(l *loader, n node) {
	const want, hint = "a duration such as 5m or 7d", "one number, at most 9999, and one of d, h, m, s"
	if n.Kind != yaml.ScalarNode {
		l.wrongType(n, want, "")
		return
	}
	parts := durationShape.FindStringSubmatch(n.Value)
	if parts == nil {
		l.wrongType(n, want, hint)
		return
	}
	count, _ := strconv.Atoi(parts[1])
	for _, unit := range units {
		if unit.name == parts[2] {
			*d.to = time.Duration(count) * unit.length
		}
	}
}

func (d duration) append(b []byte) []byte {
	for _, unit := range units {
		if *d.to%unit.length == 0 {
			b = append(b, '"')
			b = strconv.AppendInt(b, int64(*d.to/unit.length), 10)
			return append(append(b, unit.name...), '"')
		}
	}
	return append(b, `"0s"`...) // no file holds less than a second
}

func (d duration) blank() bool { return false }

func (d duration) schema() schema {
	return schema{"type": "string", "pattern": durationShape.String()}
}

// date is a day, kept as it is written: 2006-01-02.
type date struct{ to *string }

func (d date) load(l *loader, n node) {
	const want = "a date such as 2027-01-31"
	s, ok := l.str(n, want)
	if !ok {
		return
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		l.problem(n, "", "want %s, found %s", want, quote(s))
		return
	}
	*d.to = s
}

func (d date) append(b []byte) []byte { return appendString(b, *d.to) }
func (d date) blank() bool            { return *d.to == "" }

func (d date) schema() schema {
	return schema{"type": "string", "format": "date", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}
}

// lastDay is the end of a day, UTC. The file has the day.
type lastDay struct{ to *time.Time }

func (d lastDay) load(l *loader, n node) {
	var written string
	date{&written}.load(l, n)
	if first, err := time.Parse(time.DateOnly, written); err == nil {
		*d.to = first.AddDate(0, 0, 1)
	}
}

func (d lastDay) append(b []byte) []byte {
	return appendString(b, d.to.AddDate(0, 0, -1).Format(time.DateOnly))
}

func (d lastDay) blank() bool    { return d.to.IsZero() }
func (d lastDay) schema() schema { return date{}.schema() }
