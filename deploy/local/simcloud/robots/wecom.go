package robots

import (
	"net/http"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// The largest contents of messages, in bytes of UTF-8.
const (
	maxWeComText     = 2048
	maxWeComMarkdown = 4096
)

func wecom() protocol {
	key := wecomError("93000", "invalid webhook url")
	limited := wecomError("45009", "api freq out of limit")
	return protocol{
		path:    "/cgi-bin/webhook/send",
		limits:  []limit{{posts: 20, in: time.Minute}},
		unknown: key, wrong: key, closed: key, over: limited, banned: limited,
		refusals: wire.Refusals{
			simcloud.Throttle:      limited,
			simcloud.Deny:          key,
			simcloud.InternalError: wecomError("-1", "system busy"),
		},
		check:    wecomCheck,
		accepted: answer{http.StatusOK, jsonUTF8, `{"errcode":0,"errmsg":"ok"}`},
		refused:  coded(`{"errcode":%s,"errmsg":%s}`),
	}
}

// wecomError has a message with the ends that those of WeCom have.
func wecomError(code, message string) *wire.Error {
	return wire.Errorf(http.StatusOK, code, "%s, hint: [1700000000000000000000000], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=%s", message, code)
}

type wecomContent struct {
	Content string `json:"content"`
}

type wecomMessage struct {
	Type string `json:"msgtype"`
	Text struct {
		Content       string   `json:"content"`
		Mentioned     []string `json:"mentioned_list"`
		MentionedTels []string `json:"mentioned_mobile_list"`
	} `json:"text"`
	Markdown   wecomContent `json:"markdown"`
	MarkdownV2 wecomContent `json:"markdown_v2"`
	Card       wecomCard    `json:"template_card"`
}

// wecomCard is a template card of type text_notice.
type wecomCard struct {
	Type   string `json:"card_type"`
	Source struct {
		IconURL string `json:"icon_url"`
		Desc    string `json:"desc"`
		Color   int    `json:"desc_color"`
	} `json:"source"`
	Main     wecomTitle `json:"main_title"`
	Emphasis wecomTitle `json:"emphasis_content"`
	Sub      string     `json:"sub_title_text"`
	Rows     []struct {
		Type    int    `json:"type"`
		KeyName string `json:"keyname"`
		Value   string `json:"value"`
		URL     string `json:"url"`
	} `json:"horizontal_content_list"`
	Jumps []struct {
		Type  int    `json:"type"`
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"jump_list"`
	Action struct {
		Type int    `json:"type"`
		URL  string `json:"url"`
	} `json:"card_action"`
}

type wecomTitle struct {
	Title string `json:"title"`
	Desc  string `json:"desc"`
}

// wecomCheck: a body that is no JSON has no message type.
func wecomCheck(p *post) error {
	var m wecomMessage
	if err := read(p.body, &m); err != nil || !isJSON(p.Request) {
		return wecomError("40008", "invalid message type")
	}
	content := func(member, value string, most int) error {
		if value == "" {
			return wecomError("44004", "empty content")
		}
		if len(value) > most {
			return wire.Errorf(http.StatusOK, "40058", "%s exceed max length %d. invalid Request Parameter, hint: [1700000000000000000000000], from ip: 127.0.0.1", member, most)
		}
		return nil
	}
	switch m.Type {
	case "text":
		return content("text.content", m.Text.Content, maxWeComText)
	case "markdown":
		return content("markdown.content", m.Markdown.Content, maxWeComMarkdown)
	case "markdown_v2":
		return content("markdown_v2.content", m.MarkdownV2.Content, maxWeComMarkdown)
	case "template_card":
		return m.Card.check()
	}
	return wecomError("40008", "invalid message type")
}

func (c wecomCard) check() error {
	switch {
	case c.Type != "text_notice":
		return wecomError("40058", "template_card.card_type is text_notice here. invalid Request Parameter")
	case c.Main.Title == "" && c.Sub == "":
		return wecomError("40058", "missing field template_card.main_title.title. invalid Request Parameter")
	case c.Action.Type != 1 || c.Action.URL == "":
		return wecomError("40058", "missing field template_card.card_action.url. invalid Request Parameter")
	case len(c.Rows) > 6, len(c.Jumps) > 3:
		return wecomError("40058", "template_card has at most 6 rows and 3 jumps. invalid Request Parameter")
	}
	return nil
}
