package channel

import (
	"errors"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func TestASecretThatIsNoneOfItsTypeIsRefusedUnquoted(t *testing.T) {
	for kind, texts := range map[string][]string{
		policy.ChannelDingTalk: {"", "canary", "{", `{"url":"https://oapi.dingtalk.com/robot/send?access_token=canary"} canary`, `{"url":"https://oapi.dingtalk.com/robot/send?access_token=canary","canary":1}`,
			"http://oapi.dingtalk.com/robot/send?access_token=canary", "https://oapi.dingtalk.com/robot/send", "https://oapi.dingtalk.com/robot/send?access_token=",
			"https://oapi.dingtalk.com/canary?access_token=canary", "https://oapi.dingtalk.com.canary.example/robot/send?access_token=canary", "https://canary@oapi.dingtalk.com/robot/send?access_token=canary",
			"https://oapi.dingtalk.com:8443/robot/send?access_token=canary", "https://oapi.dingtalk.com/robot/send?access_token=canary#canary", "https://oapi.dingtalk.com/%zzcanary", "https:canary"},
		policy.ChannelFeishu:  {"https://open.feishu.cn/open-apis/bot/hook/canary", "https://open.feishu.cn/open-apis/bot/v2/hook/", "https://open.larksuite.cn/open-apis/bot/v2/hook/canary"},
		policy.ChannelWeCom:   {"https://qyapi.weixin.qq.com/cgi-bin/webhook/send", `{"url":"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=canary","sign":"canary"}`},
		policy.ChannelSlack:   {"https://hooks.slack.com/triggers/canary", "https://hooks.slack.com/services/", `{"url":"https://hooks.slack.com/services/T/B/canary","sign":"canary"}`, "https://slack.com/services/T/B/canary"},
		policy.ChannelTeams:   {"https://canary.logic.azure.com:444/canary", "http://canary.logic.azure.com/", "https://127.0.0.1/canary", "https://[::1]/canary", "https://[::ffff:10.0.0.1]/canary", "https://100.100.100.200/canary", "https:///canary"},
		policy.ChannelWebhook: {"https://canary.example/", `{"url":"https://canary.example/","sign":""}`, `{"url":"http://canary.example/","sign":"canary"}`, `{"url":"https://10.0.0.1/","sign":"canary"}`, `{"sign":"canary"}`, `["canary"]`},
		policy.ChannelMail:    {"https://canary.example"},
	} {
		for _, text := range texts {
			_, err := New(policy.Channel{Name: "ops", Type: kind}, text, nil, noon)
			if !errors.As(err, new(*fleet.BadInput)) || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "ops") {
				t.Errorf("%s, %q: %v", kind, text, err)
			}
		}
	}
}

func TestASecretOfItsTypeIsTaken(t *testing.T) {
	for kind, texts := range map[string][]string{
		policy.ChannelDingTalk: {secrets()[policy.ChannelDingTalk], " https://oapi.dingtalk.com/robot/send?access_token=x\n", "https://OAPI.dingtalk.com:443/robot/send?access_token=x"},
		policy.ChannelFeishu:   {secrets()[policy.ChannelFeishu], "https://open.larksuite.com/open-apis/bot/v2/hook/x"},
		policy.ChannelWeCom:    {secrets()[policy.ChannelWeCom], ` {"url":"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x"} `},
		policy.ChannelSlack:    {secrets()[policy.ChannelSlack]},
		policy.ChannelTeams:    {secrets()[policy.ChannelTeams], "https://x.environment.api.powerplatform.com:443/powerautomate?sig=y"},
		policy.ChannelWebhook:  {secrets()[policy.ChannelWebhook], `{"url":"https://10.1.2.3:9443","sign":"k"}`, `{"url":"https://[fd00::1]/x","sign":"k"}`},
	} {
		for _, text := range texts {
			c := policy.Channel{Name: "ops", Type: kind, Networks: []string{"10.1.0.0/16", "fd00::/8"}}
			if _, err := New(c, text, nil, noon); err != nil {
				t.Errorf("%s, %q: %v", kind, text, err)
			}
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, text := range secrets() {
		f.Add(text)
	}
	f.Add(`{"url":"https://a.example/\u0000","sign":"\u202e"}`)
	f.Add("https://[::1%25eth0]:443/")
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range kinds() {
			form, _ := formOf(kind)
			a, fault := parseAddress(text, form, nil)
			if fault == "" && (a.url.Scheme != "https" || a.url.Host == "" || a.url.User != nil || form.key == keyMust && a.sign == "" || form.key == keyNone && a.sign != "") {
				t.Errorf("%s: %+v", kind, a)
			}
			if strings.Contains(fault, "canary") {
				t.Errorf("%s: %s", kind, fault)
			}
		}
	})
}
