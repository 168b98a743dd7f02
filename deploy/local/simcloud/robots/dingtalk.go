package robots

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// signedFor is how far the time of a signature of DingTalk or Feishu may be off.
const signedFor = time.Hour

// maxDingTalk is the largest body, in bytes.
const maxDingTalk = 20_000

func dingtalk() protocol {
	refuse := func(code, message string) *wire.Error { return wire.Errorf(http.StatusOK, code, "%s", message) }
	token := refuse("300005", "token is not exist")
	return protocol{
		path:    "/robot/send",
		limits:  []limit{{posts: 20, in: time.Minute, ban: 10 * time.Minute}},
		unknown: token, wrong: token,
		closed: refuse("400013", "群已被解散"),
		over:   refuse("130101", "send too fast, exceed 20 times per minute"),
		banned: refuse("410100", "发送速度太快而限流"),
		refusals: wire.Refusals{
			simcloud.Throttle:      refuse("130101", "send too fast, exceed 20 times per minute"),
			simcloud.Deny:          refuse("310000", "ip 127.0.0.1 not in whitelist"),
			simcloud.InternalError: refuse("-1", "系统繁忙"),
		},
		check:    dingtalkCheck,
		accepted: answer{http.StatusOK, jsonUTF8, `{"errcode":0,"errmsg":"ok"}`},
		refused: func(e *wire.Error) answer {
			format := `{"errcode":%s,"errmsg":%s}`
			if e.Code == "410100" { // as seen of the gateway that throttles
				format = `{"errcode":%s,"errmsg":%s,"status":1111,"wait":5,"source":"x5","punish":"deny"}`
			}
			return coded(format)(e)
		},
	}
}

type dingtalkMessage struct {
	Type string `json:"msgtype"`
	Text struct {
		Content string `json:"content"`
	} `json:"text"`
	Markdown struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"markdown"`
	Link struct {
		Title      string `json:"title"`
		Text       string `json:"text"`
		MessageURL string `json:"messageUrl"`
		PicURL     string `json:"picUrl"`
	} `json:"link"`
	ActionCard struct {
		Title          string `json:"title"`
		Text           string `json:"text"`
		SingleTitle    string `json:"singleTitle"`
		SingleURL      string `json:"singleURL"`
		BtnOrientation string `json:"btnOrientation"`
		Btns           []struct {
			Title     string `json:"title"`
			ActionURL string `json:"actionURL"`
		} `json:"btns"`
	} `json:"actionCard"`
	At struct {
		AtMobiles []string `json:"atMobiles"`
		AtUserIDs []string `json:"atUserIds"`
		IsAtAll   bool     `json:"isAtAll"`
	} `json:"at"`
}

// dingtalkCheck: the order of its checks is assumed, the signature before the message before
// the keywords.
func dingtalkCheck(p *post) error {
	if err := dingtalkSigned(p); err != nil {
		return err
	}
	if !isJSON(p.Request) {
		return wire.Errorf(http.StatusOK, "43004", "无效的HTTP HEADER Content-Type")
	}
	if len(p.body) > maxDingTalk {
		return wire.Errorf(http.StatusOK, "460101", "message too long, exceed 20000 bytes")
	}
	var m dingtalkMessage
	if err := read(p.body, &m); err != nil {
		return wire.Errorf(http.StatusOK, "40035", "缺少参数 json (simcloud: %v)", err)
	}
	var absent string
	card := &m.ActionCard
	switch m.Type {
	case "text":
		absent = missing("text.content", m.Text.Content)
	case "markdown":
		absent = missing("markdown.title", m.Markdown.Title, "markdown.text", m.Markdown.Text)
	case "link":
		absent = missing("link.title", m.Link.Title, "link.text", m.Link.Text, "link.messageUrl", m.Link.MessageURL)
	case "actionCard":
		absent = missing("actionCard.title", card.Title, "actionCard.text", card.Text)
		if absent == "" && len(card.Btns) == 0 {
			absent = missing("actionCard.singleTitle", card.SingleTitle, "actionCard.singleURL", card.SingleURL)
		}
		for _, b := range card.Btns {
			if absent == "" {
				absent = missing("actionCard.btns.title", b.Title, "actionCard.btns.actionURL", b.ActionURL)
			}
		}
	default:
		return wire.Errorf(http.StatusOK, "400105", "不支持的消息类型 (simcloud takes no %q)", m.Type)
	}
	if absent != "" {
		return wire.Errorf(http.StatusOK, "40035", "缺少参数 %s", absent)
	}
	shown := strings.Join([]string{m.Text.Content, m.Markdown.Title, m.Markdown.Text, m.Link.Title, m.Link.Text, card.Title, card.Text}, "\n")
	if !p.robot.hasKeyword(shown) {
		return wire.Errorf(http.StatusOK, "310000", "keywords not in content")
	}
	return nil
}

func (r *robot) hasKeyword(shown string) bool {
	return len(r.Keywords) == 0 || slices.ContainsFunc(r.Keywords, func(k string) bool { return strings.Contains(shown, k) })
}

// dingtalkSigned checks the signature in the query, whose time is in milliseconds.
func dingtalkSigned(p *post) error {
	if p.robot.Sign == "" {
		return nil
	}
	stamp := p.URL.Query().Get("timestamp")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || p.call.Now.Sub(time.UnixMilli(ms)).Abs() > signedFor {
		return wire.Errorf(http.StatusOK, "310000", "invalid timestamp")
	}
	if !hmac.Equal([]byte(p.URL.Query().Get("sign")), []byte(mac64(p.robot.Sign, stamp+"\n"+p.robot.Sign))) {
		return wire.Errorf(http.StatusOK, "310000", "sign not match")
	}
	return nil
}

// mac64 is the Base64 of the HMAC-SHA256 of data under key.
func mac64(key, data string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(data))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
