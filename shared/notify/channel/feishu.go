package channel

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// feishu is the custom bot of Feishu and Lark: 100 messages a minute and 5 a second, each of up
// to 20 KB; 19,000 bytes leave room for the signature, and for what is counted otherwise.
func feishu() form {
	return form{
		hosts: []string{"open.feishu.cn", "open.larksuite.com"}, path: "/open-apis/bot/v2/hook/", key: keyMay,
		card: func(d notify.Document) (any, bool) {
			m := object{"msg_type": "interactive", "card": feishuCard(d)}
			return m, within(m, 19_000)
		},
		plain: func(d notify.Document) any {
			return object{"msg_type": "text", "content": object{"text": asText(d, inTextOnly(), asIs)}}
		},
		// The body has the signature, of nothing: the key alone has timestamp and secret.
		sign: func(p *post, key string, at time.Time) string {
			seconds := strconv.FormatInt(at.Unix(), 10)
			signature := hmac256(seconds+"\n"+key, "")
			p.body = fmt.Appendf(nil, `{"timestamp":"%s","sign":"%s",%s`, seconds, signature, p.body[1:])
			return signature
		},
		judge: byCode(
			row{class: fleet.Denied, codes: []int{19021}, clock: true}, // signature or timestamp
			row{class: fleet.Denied, codes: []int{19022, 19024}},
			row{class: fleet.Throttled, codes: []int{11232}},
			row{class: fleet.Throttled, codes: []int{9499}, words: []string{"frequency limited"}},
			row{class: fleet.Invalid, codes: []int{9499, 200621, 19036}},
			row{class: fleet.Throttled, words: []string{"frequency limited"}},
		),
	}
}

// feishuCard is a document as a card. Texts of others are plain_text, in which there is no
// markup; it has no code either.
func feishuCard(d notify.Document) object {
	text := func(tag, content string) object { return object{"tag": tag, "content": content} }
	m := markup{text: inertPlain, code: asIs}
	var elements []object
	for _, s := range d.Sections {
		if s.Heading != "" {
			elements = append(elements, object{"tag": "div", "text": text("lark_md", "**"+inertMarkdown(s.Heading)+"**")})
		}
		if s.Heading = ""; len(s.Lines) > 0 {
			elements = append(elements, object{"tag": "div", "text": text("plain_text", strings.Join(m.lines(s), "\n"))})
		}
	}
	var buttons []object
	for _, l := range d.Links {
		buttons = append(buttons, object{"tag": "button", "text": text("plain_text", inertPlain(l.Text)), "url": l.URL, "type": "default"})
	}
	if buttons != nil {
		elements = append(elements, object{"tag": "action", "actions": buttons})
	}
	if d.Footer != "" {
		elements = append(elements, object{"tag": "hr"}, object{"tag": "div", "text": text("plain_text", inertPlain(d.Footer))})
	}
	return object{
		"config":   object{"wide_screen_mode": true},
		"header":   object{"title": text("plain_text", inertPlain(d.Title)), "template": [...]string{"green", "blue", "orange", "red"}[toneOf(d.Tone)]},
		"elements": elements,
	}
}
