package text

import (
	"cmp"
	"strings"
	"time"
	"unicode"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// Links are what a document needs beside its card: names, a zone, and where addresses lead.
type Links struct {
	// Names are the policy's names of accounts. An account without one is shown by its number.
	Names map[fleet.AccountID]string
	// Zone is that of all times; nil is UTC.
	Zone *time.Location
	// Home is the region of the ledger's bucket. Without it the report of a digest is no link.
	Home fleet.Region
}

// Document writes a card in a language of the policy, and in English for any other. It has at
// most 32 KB of valid UTF-8, whatever the card holds, and each of its texts is one line.
func Document(c notify.Card, lang string, links Links) notify.Document {
	w := writer{languageOf(lang), links}
	var d notify.Document
	switch {
	case c.Kind == notify.KindDigest && c.Digest != nil:
		d = w.digest(*c.Digest, c.At)
	case c.Kind == notify.KindSample:
		d = notify.Document{Title: w.sampleTitle, Tone: fleet.Info, Sections: []notify.Section{{Lines: []notify.Line{{Text: w.sampleText}}}}}
	default:
		d = w.group(c)
	}
	d.ID = line(c.Key, most)
	d.Footer = "Fleetwarden · " + d.ID
	return d
}

// The most bytes that are shown of a name, of a text in a list, and of a text on its own.
const (
	most     = 80
	mostItem = 200
	mostText = 1200
)

// writer writes one document.
type writer struct {
	*language
	links Links
}

// line is a text from outside as at most so many bytes of one line.
func line(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if b.Len() >= most {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

func (w writer) time(t time.Time) string {
	return t.In(cmp.Or(w.links.Zone, time.UTC)).Format("2006-01-02 15:04")
}

// zone is the name of the zone of all times.
func (w writer) zone() string { return cmp.Or(w.links.Zone, time.UTC).String() }

// name is how an account is called.
func (w writer) name(a fleet.AccountID) string {
	return line(cmp.Or(w.links.Names[a], string(a)), most)
}

// severity is the word for a severity; an unknown one is shown as it is.
func (w writer) severity(s fleet.Severity) string {
	return cmp.Or(w.severities[s], line(string(s), most))
}

// join joins what is not empty.
func join(separator string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, separator)
}

// ruleName is a rule with its control, as the policy file has them.
func ruleName(control, rule string) string {
	return join("/", line(control, most), line(rule, most))
}

// labelled is a line with a label, and none without a text.
func labelled(label, text string) []notify.Line {
	if text == "" {
		return nil
	}
	return []notify.Line{{Label: label, Text: text}}
}

// command is a line to copy, and none without a command.
func command(label, text string) []notify.Line {
	if text == "" {
		return nil
	}
	return []notify.Line{{Label: label, Text: text, Code: true}}
}

// section lists the first of so many items, and says how many more there are.
func section[T any](w writer, heading string, items []T, most, of int, write func(T) []notify.Line) notify.Section {
	s := notify.Section{Heading: heading}
	for _, x := range items[:min(most, len(items))] {
		s.Lines = append(s.Lines, write(x)...)
	}
	if more := of - most; more > 0 && len(items) > 0 {
		s.Lines = append(s.Lines, notify.Line{Text: w.more.with(more)})
	}
	return s
}
