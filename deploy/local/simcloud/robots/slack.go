package robots

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// The limits of a message, in characters and elements.
const (
	maxSlackText    = 40_000
	maxSlackAll     = 13_200 // of all texts of blocks (slackapi/bolt-js#2509)
	maxSlackBlocks  = 50
	maxSlackHeader  = 150
	maxSlackSection = 3000
	maxSlackFields  = 10
	maxSlackField   = 2000
	maxSlackContext = 10
	maxSlackActions = 25
	maxSlackButton  = 75
)

// slack: one post a second, of which short bursts may be more: five at once are assumed.
func slack() protocol {
	refuse := func(status int, word string) *wire.Error { return wire.Errorf(status, word, "%s", word) }
	limited := refuse(http.StatusTooManyRequests, "rate_limited")
	return protocol{
		path:    "/services/",
		limits:  []limit{{posts: 5, in: 5 * time.Second}},
		unknown: refuse(http.StatusNotFound, "no_service"), wrong: refuse(http.StatusForbidden, "invalid_token"),
		closed: refuse(http.StatusGone, "channel_is_archived"), over: limited, banned: limited,
		refusals: wire.Refusals{
			simcloud.Throttle:      limited,
			simcloud.Deny:          refuse(http.StatusForbidden, "action_prohibited"),
			simcloud.InternalError: refuse(http.StatusInternalServerError, "rollup_error"),
		},
		check:    slackCheck,
		accepted: answer{http.StatusOK, "text/html", "ok"},
		refused:  func(e *wire.Error) answer { return answer{e.Status, "text/html", e.Code} },
	}
}

type slackMessage struct {
	Text        string       `json:"text"`
	Blocks      []slackBlock `json:"blocks"`
	Attachments []struct {
		Color    string       `json:"color"`
		Fallback string       `json:"fallback"`
		Blocks   []slackBlock `json:"blocks"`
	} `json:"attachments"`
	Markdown    *bool `json:"mrkdwn"`
	UnfurlLinks *bool `json:"unfurl_links"`
	UnfurlMedia *bool `json:"unfurl_media"`
}

type slackBlock struct {
	Type      string         `json:"type"`
	ID        string         `json:"block_id"`
	Text      *slackText     `json:"text"`
	Fields    []slackText    `json:"fields"`
	Accessory *slackElement  `json:"accessory"`
	Elements  []slackElement `json:"elements"`
}

type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji"`
	Verbatim *bool  `json:"verbatim"`
}

// slackElement is a text of a context, whose text is a string, or a button, whose text is one
// of plain_text.
type slackElement struct {
	Type     string `json:"type"`
	Text     any    `json:"text"`
	Emoji    *bool  `json:"emoji"`
	Verbatim *bool  `json:"verbatim"`
	URL      string `json:"url"`
	ActionID string `json:"action_id"`
	Value    string `json:"value"`
	Style    string `json:"style"`
}

func slackCheck(p *post) error {
	bad := func(word string, why string) error { return wire.Errorf(http.StatusBadRequest, word, "%s", why) }
	var m slackMessage
	if err := read(p.body, &m); err != nil || !isJSON(p.Request) {
		return bad("invalid_payload", "the body is no message in JSON")
	}
	all := m.Blocks
	for _, a := range m.Attachments {
		all = append(all, a.Blocks...)
	}
	switch {
	case m.Text == "" && len(all) == 0:
		return bad("no_text", "neither text nor blocks")
	case utf8.RuneCountInString(m.Text) > maxSlackText:
		return bad("msg_too_long", "the text is too long")
	case len(all) > maxSlackBlocks:
		return bad("invalid_blocks", "too many blocks")
	}
	long := 0
	for _, b := range all {
		n, ok := b.length()
		if !ok {
			return bad("invalid_blocks", "block of type "+b.Type)
		}
		long += n
	}
	if long > maxSlackAll {
		return bad("msg_blocks_too_long", "the texts of the blocks are too long")
	}
	return nil
}

// length is how many characters a block has; not ok for a block that is not as documented.
func (b slackBlock) length() (n int, ok bool) {
	count := func(t slackText, most int, types ...string) bool {
		l, fine := t.length(most, types...)
		n += l
		return fine
	}
	button := func(e slackElement) bool {
		t := object(e.Text)
		return e.Type == "button" && len(e.URL) <= maxSlackSection &&
			count(slackText{Type: text(t["type"]), Text: text(t["text"])}, maxSlackButton, "plain_text")
	}
	switch b.Type {
	case "divider":
		ok = b.Text == nil && b.Fields == nil && b.Elements == nil
	case "header":
		ok = b.Text != nil && count(*b.Text, maxSlackHeader, "plain_text")
	case "section":
		ok = (b.Text != nil || len(b.Fields) > 0) && len(b.Fields) <= maxSlackFields
		if b.Text != nil {
			ok = ok && count(*b.Text, maxSlackSection, "plain_text", "mrkdwn")
		}
		for _, f := range b.Fields {
			ok = ok && count(f, maxSlackField, "plain_text", "mrkdwn")
		}
		ok = ok && (b.Accessory == nil || button(*b.Accessory))
	case "context":
		ok = len(b.Elements) > 0 && len(b.Elements) <= maxSlackContext
		for _, e := range b.Elements {
			ok = ok && count(slackText{Type: e.Type, Text: text(e.Text)}, maxSlackSection, "plain_text", "mrkdwn")
		}
	case "actions":
		ok = len(b.Elements) > 0 && len(b.Elements) <= maxSlackActions
		for _, e := range b.Elements {
			ok = ok && button(e)
		}
	}
	return n, ok
}

func (t slackText) length(most int, types ...string) (int, bool) {
	n := utf8.RuneCountInString(t.Text)
	return n, n > 0 && n <= most && slices.Contains(types, t.Type)
}
