package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// duration is one number and one unit: d, h, m or s.
type duration struct{ to *time.Duration }

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
	for _, unit := range units {
		digits, ok := strings.CutSuffix(n.Value, unit.name)
		if count, _ := strconv.Atoi(digits); ok && strconv.Itoa(count) == digits && 0 <= count && count <= 9999 {
			*d.to = time.Duration(count) * unit.length
			return
		}
	}
	l.wrongType(n, want, hint)
}

func (d duration) appendJSON(to []byte) []byte {
	for _, unit := range units {
		if *d.to%unit.length == 0 {
			return fmt.Appendf(to, `"%d%s"`, *d.to/unit.length, unit.name)
		}
	}
	return append(to, `"0s"`...) // no file holds less than a second
}

func (d duration) blank() bool { return false }

// date is a day, kept as it is written: 2006-01-02.
type date struct{ to *string }

func (d date) load(l *loader, n node) {
	const want = "a date such as 2027-01-31"
	s, ok := l.str(n, want)
	_, err := time.Parse(time.DateOnly, s)
	if ok && l.fits(n, want, "", err == nil) {
		*d.to = s
	}
}

func (d date) appendJSON(to []byte) []byte { return appendString(to, *d.to) }
func (d date) blank() bool                 { return *d.to == "" }

// lastDay is the end of a day, UTC. The file has the day.
type lastDay struct{ to *time.Time }

func (d lastDay) load(l *loader, n node) {
	var written string
	date{&written}.load(l, n)
	if first, err := time.Parse(time.DateOnly, written); err == nil {
		*d.to = first.AddDate(0, 0, 1)
	}
}

func (d lastDay) appendJSON(to []byte) []byte {
	return appendString(to, d.to.AddDate(0, 0, -1).Format(time.DateOnly))
}

func (d lastDay) blank() bool { return d.to.IsZero() }
