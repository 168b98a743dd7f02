package server

import (
	"encoding/json"
	"fmt"
	"net/http"

	"fleetwarden/deploy/local/simcloud/dm"
	"fleetwarden/deploy/local/simcloud/robots"
)

// startRobots are the robots of the start world, one of each type, and one of Lark.
func startRobots() []robots.Robot {
	return []robots.Robot{
		{Name: "dingtalk", Type: robots.DingTalk, URL: "https://oapi.dingtalk.com/robot/send?access_token=local-dingtalk", Sign: "SEClocal-dingtalk"},
		{Name: "feishu", Type: robots.Feishu, URL: "https://open.feishu.cn/open-apis/bot/v2/hook/local-feishu", Sign: "local-feishu-sign"},
		{Name: "lark", Type: robots.Feishu, URL: "https://open.larksuite.com/open-apis/bot/v2/hook/local-lark"},
		{Name: "wecom", Type: robots.WeCom, URL: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=local-wecom"},
		{Name: "slack", Type: robots.Slack, URL: "https://hooks.slack.com/services/T0LOCAL/B0LOCAL/local-slack"},
		// The addresses of workflows have a port, and a signature that is escaped.
		{Name: "teams", Type: robots.Teams, URL: "https://prod-01.westeurope.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=local-teams"},
		{Name: "webhook", Type: robots.Webhook, URL: "https://ops.webhook.example/fleetwarden?token=local-webhook", Sign: "local-webhook-key"},
	}
}

// secretOf is the name of a robot's secret in the home account and region. Its text is JSON:
// {"url":"https://…","sign":"…"}, without sign for a robot that has none.
func secretOf(r robots.Robot) string { return "fleetwarden-" + r.Name }

// addRobot makes a robot and its secret.
func (s *Server) addRobot(r robots.Robot) error {
	if err := s.Robots.Add(r); err != nil {
		return err
	}
	text, err := json.Marshal(struct {
		URL  string `json:"url"`
		Sign string `json:"sign,omitempty"`
	}{r.URL, r.Sign})
	if err != nil {
		return fmt.Errorf("writing the secret of robot %s: %w", r.Name, err)
	}
	return s.KMS.SetSecret(Sharer, Home, secretOf(r), string(text), "")
}

// channels serves GET /_sim/channels: the posts that robots accepted and refused, and the
// mails that DirectMail accepted. It shows no address of a robot.
func (s *Server) channels(*http.Request) (any, error) {
	return struct {
		Accepted []robots.Post `json:"accepted"`
		Refused  []robots.Post `json:"refused"`
		Mails    []dm.Mail     `json:"mails"`
	}{s.Robots.Accepted(""), s.Robots.Refused(""), s.Mail.Mails()}, nil
}
