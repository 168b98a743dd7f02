package channel

import (
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// wecom is the group robot of WeCom: 20 messages a minute, each of up to 4096 bytes of markdown,
// or 2048 of text. It has no signature.
func wecom() form {
	return form{
		hosts: []string{"qyapi.weixin.qq.com"}, path: "/cgi-bin/webhook/send", token: "key",
		card: func(d notify.Document) (any, bool) {
			text := wecomText(d)
			return object{"msgtype": "markdown", "markdown": object{"content": text}}, len(text) <= 4096
		},
		plain: func(d notify.Document) any {
			return object{"msgtype": "text", "text": object{"content": asText(d, inTextOnly(), asIs)}}
		},
		judge: byCode(
			row{class: fleet.Throttled, codes: []int{45009, 45033}},
			row{class: fleet.Unavailable, codes: []int{-1}},
			row{class: fleet.Denied, codes: []int{93000}},
			row{class: fleet.Invalid, codes: []int{40058, 40008}},
			row{class: fleet.Throttled, words: []string{"freq out of limit"}},
		),
	}
}

// wecomText is a document in WeCom's markdown, which has three colours: green, grey and orange.
func wecomText(d notify.Document) string {
	m := inMarkdown()
	colour := [...]string{"info", "comment", "warning", "warning"}[toneOf(d.Tone)]
	out := []string{"### " + wecomFont(colour, m.text(d.Title))}
	for _, s := range d.Sections {
		out = append(out, m.lines(s)...)
	}
	if len(d.Links) > 0 {
		out = append(out, markdownLinks(d.Links))
	}
	if d.Footer != "" {
		out = append(out, wecomFont("comment", m.text(d.Footer)))
	}
	return strings.Join(out, "\n")
}

func wecomFont(colour, text string) string { return `<font color="` + colour + `">` + text + "</font>" }
