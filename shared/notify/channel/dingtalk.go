package channel

import (
	"strconv"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// dingtalk is the custom robot of DingTalk: 20 messages a minute, each of up to 20,000 bytes.
func dingtalk() form {
	return form{
		hosts: []string{"oapi.dingtalk.com"}, path: "/robot/send", token: "access_token", key: keyMay,
		card: func(d notify.Document) (any, bool) {
			m := object{"msgtype": "markdown", "markdown": object{"title": mark(d.Tone) + inertMarkdown(d.Title), "text": dingtalkText(d)}}
			return m, within(m, 20_000)
		},
		plain: func(d notify.Document) any {
			return object{"msgtype": "text", "text": object{"content": asText(d, inTextOnly(), asIs)}}
		},
		sign: func(p *post, key string, at time.Time) string {
			ms := strconv.FormatInt(at.UnixMilli(), 10)
			signature := hmac256(key, ms+"\n"+key)
			query := p.url.Query()
			query.Set("timestamp", ms)
			query.Set("sign", signature)
			p.url.RawQuery = query.Encode()
			return signature
		},
		judge: byCode(
			row{class: fleet.Denied, codes: []int{310000}, words: []string{"timestamp", "时间戳", "过期"}, clock: true},
			row{class: fleet.Denied, codes: []int{310000}}, // keyword, signature or address
			row{class: fleet.Throttled, codes: []int{410100, 130101}},
			row{class: fleet.Denied, codes: []int{90030, 300001, 300005, 400101, 400106, 88, 400102, 400013}},
			row{class: fleet.Invalid, codes: []int{460101, 101002, 40035, 400105, 43004, 430101, 430102, 430103, 430104}},
			row{class: fleet.Unavailable, codes: []int{-1}},
			// Some of its pages have codes that differ by one.
			row{class: fleet.Throttled, words: []string{"too fast"}},
			row{class: fleet.Denied, words: []string{"token"}},
		),
	}
}

// dingtalkText is a document in DingTalk's markdown, in which a blank line ends a line. Its
// mentions need a list of their own in the message, which is left out.
func dingtalkText(d notify.Document) string {
	m := inMarkdown()
	out := []string{"### " + mark(d.Tone) + m.text(d.Title)}
	for _, s := range d.Sections {
		out = append(out, m.lines(s)...)
	}
	if len(d.Links) > 0 {
		out = append(out, markdownLinks(d.Links))
	}
	if d.Footer != "" {
		out = append(out, "— "+m.text(d.Footer))
	}
	return strings.Join(out, "\n\n")
}

// markdownLinks are links in one line.
func markdownLinks(links []notify.Link) string {
	var out []string
	for _, l := range links {
		out = append(out, "["+inertMarkdown(l.Text)+"]("+l.URL+")")
	}
	return strings.Join(out, " · ")
}
