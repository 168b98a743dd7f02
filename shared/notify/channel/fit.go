package channel

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// The longest texts, in characters, before anything has to be shortened for lack of room. Slack
// refuses a header of more than 150, and a link of a card is one button.
const (
	longestText    = 1000
	longestHeading = 100
	longestLabel   = 60
	mostLinks      = 5
)

// fit shortens a document until a channel takes it. Whole sections are left out from the end,
// then lines of the first one, and a line says how many. If that does not suffice, all texts
// become shorter.
func fit(d notify.Document, lang string, fits func(notify.Document) bool) notify.Document {
	d = visible(d)
	for longest := longestText; longest > 0; longest /= 2 {
		short := shorten(d, longest)
		if fits(short) {
			return short
		}
		kept := steps(short)
		n := sort.Search(len(kept), func(i int) bool { return !fits(head(short, kept[i], lang)) })
		if n > 0 {
			return head(short, kept[n-1], lang)
		}
	}
	return notify.Document{ID: d.ID, Title: cut(flat(d.Title), longestHeading), Tone: d.Tone}
}

// steps are the numbers of lines, in rising order, to which a document may be shortened.
func steps(d notify.Document) (out []int) {
	n := 0
	for i, s := range d.Sections {
		for j := range height(s) {
			if n++; i == 0 || j == height(s)-1 {
				out = append(out, n)
			}
		}
	}
	return out
}

// height is how many lines a section counts as: one without lines has its heading.
func height(s notify.Section) int { return max(len(s.Lines), 1) }

// head returns the first n lines of a document.
func head(d notify.Document, n int, lang string) notify.Document {
	sections, left := d.Sections, 0
	d.Sections = nil
	for _, s := range sections {
		keep := min(n, height(s))
		left += height(s) - keep
		n -= keep
		if keep > 0 {
			s.Lines = s.Lines[:min(keep, len(s.Lines))]
			d.Sections = append(d.Sections, s)
		}
	}
	if left > 0 {
		d.Sections = append(d.Sections, notify.Section{Lines: []notify.Line{{Text: moreLines(lang, left)}}})
	}
	return d
}

// moreLines says how many lines were left out.
func moreLines(lang string, n int) string {
	switch {
	case lang == policy.LangChinese:
		return fmt.Sprintf("……还有 %d 行", n)
	case lang == policy.LangJapanese:
		return fmt.Sprintf("…ほか %d 行", n)
	case n == 1:
		return "… 1 more line"
	}
	return fmt.Sprintf("… %d more lines", n)
}

// shorten returns a copy of which no text is longer than longest, and each fits its place.
func shorten(d notify.Document, longest int) notify.Document {
	at := func(text string, most int) string { return cut(flat(text), min(longest, most)) }
	d.Title, d.Footer = at(d.Title, longestHeading), at(d.Footer, 3*longestHeading)
	d.Sections = slices.Clone(d.Sections)
	for i, s := range d.Sections {
		s.Heading, s.Lines = at(s.Heading, longestHeading), slices.Clone(s.Lines)
		for j, l := range s.Lines {
			s.Lines[j] = notify.Line{Label: at(l.Label, longestLabel), Text: at(l.Text, longest), Code: l.Code}
		}
		d.Sections[i] = s
	}
	var links []notify.Link
	for _, l := range d.Links {
		if len(l.URL) <= longest && len(links) < mostLinks {
			links = append(links, notify.Link{Text: at(l.Text, longestLabel), URL: l.URL})
		}
	}
	d.Links = links
	return d
}

// visible returns a copy that shows what a channel would not: the id, which people need because
// a document may come twice, is in the footer, and a link that no client opens is a line.
func visible(d notify.Document) notify.Document {
	if d.ID != "" && !strings.Contains(d.Footer, d.ID) {
		d.Footer = strings.TrimPrefix(d.Footer+" · "+d.ID, " · ")
	}
	var links []notify.Link
	var lines []notify.Line
	for _, l := range d.Links {
		if address, ok := webAddress(l.URL); ok {
			links = append(links, notify.Link{Text: l.Text, URL: address})
		} else {
			lines = append(lines, notify.Line{Label: l.Text, Text: l.URL, Code: true})
		}
	}
	if d.Links = links; len(lines) > 0 {
		d.Sections = append(slices.Clone(d.Sections), notify.Section{Lines: lines})
	}
	return d
}

// webAddress returns an address of the web in which nothing ends the markup of a link.
func webAddress(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", false
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if wordly(rune(c)) || strings.IndexByte("-._/:?#&=%+,;!$", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), true
}

// The colours that a severity may have.
type tone int

const (
	toneGood tone = iota // all is well
	toneInfo
	toneMedium
	toneHigh
)

func toneOf(s fleet.Severity) tone {
	switch s {
	case fleet.Critical, fleet.High:
		return toneHigh
	case fleet.Medium:
		return toneMedium
	case "":
		return toneGood
	}
	return toneInfo
}

// mark is a tone for a channel that has no colours.
func mark(s fleet.Severity) string { return [...]string{"🟢 ", "🔵 ", "🟠 ", "🔴 "}[toneOf(s)] }
