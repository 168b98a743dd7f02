package robots

import (
	"crypto/hmac"
	"net/http"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// maxFeishu is the largest body, in bytes.
const maxFeishu = 20 << 10

func feishu() protocol {
	refuse := func(code, message string) *wire.Error { return wire.Errorf(http.StatusOK, code, "%s", message) }
	token := refuse("19001", "param invalid: incoming webhook access token invalid")
	limited := refuse("11232", "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
	return protocol{
		path:    "/open-apis/bot/v2/hook/",
		limits:  []limit{{posts: 5, in: time.Second}, {posts: 100, in: time.Minute}},
		unknown: token, wrong: token, closed: token, over: limited, banned: limited,
		refusals: wire.Refusals{
			simcloud.Throttle: limited,
			simcloud.Deny:     refuse("19022", "Ip Not Allowed"),
		},
		check:    feishuCheck,
		accepted: answer{http.StatusOK, jsonUTF8, `{"code":0,"msg":"success","data":{},"StatusCode":0,"StatusMessage":"success"}`},
		refused:  coded(`{"code":%s,"data":{},"msg":%s}`),
	}
}

type feishuMessage struct {
	Timestamp string         `json:"timestamp"`
	Sign      string         `json:"sign"`
	Type      string         `json:"msg_type"`
	Content   map[string]any `json:"content"`
	Card      map[string]any `json:"card"`
}

// feishuCheck: the order of its checks is assumed.
func feishuCheck(p *post) error {
	bad := func(format string, args ...any) error {
		return wire.Errorf(http.StatusOK, "9499", "Bad Request: "+format, args...)
	}
	if !isJSON(p.Request) {
		return bad("the Content-Type is not application/json")
	}
	if len(p.body) > maxFeishu {
		return wire.Errorf(http.StatusOK, "19036", "the body is larger than 20 KB")
	}
	var m feishuMessage
	if err := read(p.body, &m); err != nil {
		return bad("%v", err)
	}
	if p.robot.Sign != "" && !m.signed(p) {
		return wire.Errorf(http.StatusOK, "19021", "sign match fail or timestamp is not within one hour from current time")
	}
	switch m.Type {
	case "":
		return wire.Errorf(http.StatusOK, "19002", "params error, msg_type need")
	case "text":
		if text(m.Content["text"]) == "" {
			return bad("content.text is empty")
		}
	case "post":
		if len(object(m.Content["post"])) == 0 {
			return bad("content.post is empty")
		}
	case "interactive":
		if err := cardCheck(m.Card); err != nil {
			return wire.Errorf(http.StatusOK, "200621", "ErrCode: 200621; ErrMsg: parse card json err: %v", err)
		}
	default:
		return bad("unknown msg_type %q", m.Type)
	}
	if !p.robot.hasKeyword(string(p.body)) {
		return wire.Errorf(http.StatusOK, "19024", "Key Words Not Found")
	}
	return nil
}

// signed checks the signature in the body, whose time is in seconds. Its key is what DingTalk
// signs.
func (m *feishuMessage) signed(p *post) bool {
	sec, err := strconv.ParseInt(m.Timestamp, 10, 64)
	return err == nil && p.call.Now.Sub(time.Unix(sec, 0)).Abs() <= signedFor &&
		hmac.Equal([]byte(m.Sign), []byte(mac64(m.Timestamp+"\n"+p.robot.Sign, "")))
}
