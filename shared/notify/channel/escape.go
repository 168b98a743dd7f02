package channel

import (
	"slices"
	"strings"

	"fleetwarden/shared/notify"
)

// The ASCII characters that markup is made of, for inert.
const (
	// markdown are those of DingTalk, WeCom and Feishu. None documents an escape for all, so
	// that a backslash or an entity might be shown, or undone.
	markdown = "&<>[]*`~|\\@"
	// mrkdwn are Slack's, but for & < >, which are escaped as Slack documents.
	mrkdwn = "*`~@"
	// plainText is for texts that a channel documents to show as they are: should it, or what
	// stands behind it, read HTML after all, there is none.
	plainText = "<>"
)

// fullWidth is how far the full-width form of an ASCII character is from it: U+FF01 to U+FF5E
// look much the same, and are markup nowhere.
const fullWidth = 0xFEE0

// inert makes the text of others inactive: no client takes it for a mention, a link or markup.
// The characters of the markup get their full-width forms. So do an underscore, unless it is
// within a word such as web_01, and the characters by which clients find addresses to link: the
// colon of https:// and the dot of www. An address of OSS is no link, and stays.
func inert(text, markup string) string {
	in := []rune(text)
	out := slices.Clone(in)
	at := func(i int) rune {
		if i < 0 || i >= len(in) {
			return 0
		}
		return in[i]
	}
	follows := func(i int, word string) bool {
		return strings.EqualFold(string(in[max(i-len(word), 0):i]), word)
	}
	for i, r := range in {
		switch {
		case strings.ContainsRune(markup, r),
			r == '_' && markup != plainText && !(wordly(at(i-1)) && wordly(at(i+1))),
			r == ':' && at(i+1) == '/' && !follows(i, "oss"),
			r == '.' && follows(i, "www"),
			r == '{' && at(i+1) == '{': // a template in a card of Teams
			out[i] += fullWidth
		}
	}
	return string(out)
}

func wordly(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// markup is how a channel writes a line of text.
type markup struct {
	// bold and tick are put on both sides of a label and of code; empty for none.
	bold, tick string
	// text makes a text inactive, code one that stands between ticks.
	text, code func(string) string
}

// line returns a line. It begins with a bullet, so that text of others never begins one: there
// it might be a heading, a list, a rule or a quotation.
func (m markup) line(l notify.Line) string {
	text := m.text(l.Text)
	if l.Code && l.Text != "" {
		text = m.tick + m.code(l.Text) + m.tick
	}
	if l.Label == "" {
		return "• " + text
	}
	return "• " + m.strong(l.Label) + ": " + text
}

// strong returns a text in bold.
func (m markup) strong(text string) string { return m.bold + m.text(text) + m.bold }

// lines returns a section.
func (m markup) lines(s notify.Section) (out []string) {
	if s.Heading != "" {
		out = append(out, m.strong(s.Heading))
	}
	for _, l := range s.Lines {
		out = append(out, m.line(l))
	}
	return out
}

// inMarkdown is that of DingTalk and WeCom. Within code a backtick would end it, and WeCom looks
// for mentions and links there too.
func inMarkdown() markup {
	return markup{bold: "**", tick: "`",
		text: inertMarkdown,
		code: strings.NewReplacer("`", "｀", "<", "＜", ">", "＞", "](", "］(").Replace}
}

// inTextOnly is that of their messages of text, in which Feishu looks for mentions.
func inTextOnly() markup { return markup{text: inertMarkdown, code: inertMarkdown} }

// asText returns a document as plain text. Address writes that of a link.
func asText(d notify.Document, m markup, address func(string) string) string {
	out := []string{mark(d.Tone) + m.text(d.Title)}
	for _, s := range d.Sections {
		out = append(out, m.lines(s)...)
	}
	for _, l := range d.Links {
		out = append(out, m.text(l.Text)+": "+address(l.URL))
	}
	if d.Footer != "" {
		out = append(out, m.text(d.Footer))
	}
	return strings.Join(out, "\n")
}

// asIs returns a text unchanged.
func asIs(s string) string { return s }

// inertPlain is for what is shown as it is.
func inertPlain(s string) string { return inert(s, plainText) }

// inertMarkdown is for markdown.
func inertMarkdown(s string) string { return inert(s, markdown) }
