package channel

import (
	"strings"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// Slack's limits: blocks of a message, characters of the text of one, and of all. The last is
// not documented; 13,200 have been refused.
const (
	slackBlocks = 50
	slackText   = 3000
	slackTotal  = 13_000
)

// slack is the incoming webhook of Slack: about one message a second. It has no signature.
func slack() form {
	return form{
		hosts: []string{"hooks.slack.com"}, path: "/services/",
		card: func(d notify.Document) (any, bool) {
			blocks, fits := slackCard(d)
			return object{"text": slackInert(mark(d.Tone) + d.Title), "blocks": blocks, "unfurl_links": false, "unfurl_media": false}, fits
		},
		plain: func(d notify.Document) any {
			return object{"text": asText(d, markup{text: slackInert, code: slackInert}, slackEscape), "mrkdwn": false, "unfurl_links": false, "unfurl_media": false}
		},
		judge: func(a answer) *Error {
			says := strings.TrimSpace(string(a.text))
			switch {
			case a.ok() && says == "ok":
				return nil
			case says == "user_not_found": // with 400, as what is wrong with a message has
				return a.fault(fleet.Denied)
			}
			return a.undocumented()
		},
	}
}

// slackCard is a document as blocks.
func slackCard(d notify.Document) (blocks []object, fits bool) {
	total := 0
	fits = true
	text := func(kind, text string) object {
		n := utf8.RuneCountInString(text)
		total += n
		fits = fits && n <= slackText
		if kind == "plain_text" {
			return object{"type": kind, "text": text}
		}
		// Verbatim text has no links but those that are written as links.
		return object{"type": kind, "text": text, "verbatim": true}
	}
	section := func(s string) { blocks = append(blocks, object{"type": "section", "text": text("mrkdwn", s)}) }

	blocks = append(blocks, object{"type": "header", "text": text("plain_text", mark(d.Tone)+inertPlain(d.Title))})
	m := markup{bold: "*", tick: "`", text: slackInert, code: func(s string) string { return slackEscape(strings.ReplaceAll(s, "`", "｀")) }}
	for _, s := range d.Sections {
		for _, part := range packed(m.lines(s), slackText) {
			section(part)
		}
	}
	var links []string
	for _, l := range d.Links {
		links = append(links, "<"+slackEscape(l.URL)+"|"+strings.ReplaceAll(slackInert(l.Text), "|", "｜")+">")
	}
	for _, part := range packed(links, slackText) {
		section(part)
	}
	if d.Footer != "" {
		blocks = append(blocks, object{"type": "context", "elements": []object{text("plain_text", inertPlain(d.Footer))}})
	}
	return blocks, fits && len(blocks) <= slackBlocks && total <= slackTotal
}

// packed joins lines to texts of up to so many characters. A longer line is one by itself.
func packed(lines []string, longest int) (out []string) {
	for _, l := range lines {
		if n := len(out) - 1; n >= 0 && utf8.RuneCountInString(out[n])+1+utf8.RuneCountInString(l) <= longest {
			out[n] += "\n" + l
		} else {
			out = append(out, l)
		}
	}
	return out
}

// slackEntities are the characters that Slack has escaped.
var slackEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackEscape(s string) string { return slackEntities.Replace(s) }

func slackInert(s string) string { return slackEscape(inert(s, mrkdwn)) }
