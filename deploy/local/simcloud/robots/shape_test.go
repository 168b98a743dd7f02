package robots_test

import (
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/robots"
)

func many(n int, of string) string { return strings.TrimSuffix(strings.Repeat(of+",", n), ",") }

func long(n int) string { return strings.Repeat("x", n) }

// sized is a body of n bytes with a beginning and an end.
func sized(n int, begin, end string) string { return begin + long(n-len(begin)-len(end)) + end }

// wecomMarkdown has a content of n bytes, the last of Chinese characters.
func wecomMarkdown(n int) string {
	return `{"msgtype":"markdown","markdown":{"content":"` + long(n%3) + strings.Repeat("字", n/3) + `"}}`
}

func feishuCard(card string) string { return `{"msg_type":"interactive","card":` + card + `}` }

func slackBlocks(blocks string) string { return `{"text":"t","blocks":[` + blocks + `]}` }

func slackSection(n int) string {
	return `{"type":"section","text":{"type":"mrkdwn","text":"` + long(n) + `"}}`
}

const feishuHeader = `"header":{"title":{"tag":"plain_text","content":"T"},"template":"red"}`

func TestMessagesAreCheckedAsDocumented(t *testing.T) {
	const (
		dingtalkOK, feishuOK, wecomOK, slackOK = `200 {"errcode":0,`, `200 {"code":0,`, `200 {"errcode":0,`, "200 ok"
		param, tooLong                         = `200 {"errcode":40035,`, `200 {"errcode":460101,`
		card, bad                              = `200 {"code":200621,`, `200 {"code":9499,`
		notice, empty                          = `200 {"errcode":40058,`, `200 {"errcode":44004,`
		blocks                                 = "400 invalid_blocks"
	)
	for _, x := range []struct{ name, body, want string }{
		{"dingtalk", `{"msgtype":"text","text":{"content":"x"}}`, dingtalkOK},
		{"dingtalk", `{"msgtype":"link","link":{"title":"t","text":"x","messageUrl":"https://x"}}`, dingtalkOK},
		{"dingtalk", `{"msgtype":"actionCard","actionCard":{"title":"t","text":"x","singleTitle":"o","singleURL":"https://x"}}`, dingtalkOK},
		{"dingtalk", `{"msgtype":"actionCard","actionCard":{"title":"t","text":"x","btnOrientation":"0","btns":[{"title":"o","actionURL":"https://x"}]}}`, dingtalkOK},
		{"dingtalk", `{"msgtype":"actionCard","actionCard":{"title":"t","text":"x"}}`, param},
		{"dingtalk", `{"msgtype":"actionCard","actionCard":{"title":"t","text":"x","btns":[{"title":"o"}]}}`, param},
		{"dingtalk", `{"msgtype":"text"}`, param}, {"dingtalk", `{"msgtype":"link","link":{"title":"t","text":"x"}}`, param},
		{"dingtalk", `{"msgtype":"markdown","markdown":{"text":"x"}}`, param}, {"dingtalk", `{"msgtype":"markdown","markdown":{"title":"t"}}`, param},
		{"dingtalk", `{"msgtype":"moon"}`, `200 {"errcode":400105,`}, {"dingtalk", `{"msg_type":"text"}`, param}, {"dingtalk", `{`, param}, {"dingtalk", ``, param}, {"dingtalk", "\xff", param},
		{"dingtalk", sized(20_000, `{"msgtype":"text","text":{"content":"`, `"}}`), dingtalkOK}, {"dingtalk", sized(20_001, `{"msgtype":"text","text":{"content":"`, `"}}`), tooLong},

		{"feishu", `{"msg_type":"post","content":{"post":{"zh_cn":{"title":"t"}}}}`, feishuOK}, {"feishu", `{"msg_type":"post","content":{}}`, bad},
		{"feishu", `{"msg_type":"text","content":{}}`, bad}, {"feishu", `{"msg_type":"markdown"}`, bad}, {"feishu", `{"msgtype":"text"}`, bad}, {"feishu", `[`, bad},
		{"feishu", `{}`, `200 {"code":19002,`}, {"feishu", `{"timestamp":1,"msg_type":"text"}`, bad},
		{"feishu", feishuCard(`{"config":{"wide_screen_mode":true},` + feishuHeader + `,"elements":[{"tag":"div","text":{"tag":"lark_md","content":"**a**"}},{"tag":"hr"},` +
			`{"tag":"note","elements":[{"tag":"plain_text","content":"n"}]},{"tag":"markdown","content":"m"},{"tag":"div","fields":[{"is_short":true,"text":{"tag":"lark_md","content":"f"}}]},` +
			`{"tag":"action","actions":[{"tag":"button","text":{"tag":"plain_text","content":"Open"},"url":"https://x","type":"primary"}]},` +
			`{"tag":"column_set","columns":[{"tag":"column","elements":[{"tag":"hr"}]}]}]}`), feishuOK},
		{"feishu", feishuCard(`{"schema":"2.0",` + feishuHeader + `,"body":{"elements":[{"tag":"markdown","content":"m"},{"tag":"hr"},{"tag":"div","text":{"tag":"plain_text","content":"p"}},` +
			`{"tag":"button","text":{"tag":"plain_text","content":"o"},"behaviors":[{"type":"open_url","default_url":"https://x"}]},{"tag":"column_set","columns":[{"tag":"column","elements":[{"tag":"hr"}]}]}]}}`), feishuOK},
		{"feishu", feishuCard(`null`), card}, {"feishu", feishuCard(`{"elements":[]}`), card}, {"feishu", feishuCard(`{"schema":"3.0","body":{"elements":[{"tag":"hr"}]}}`), card},
		{"feishu", feishuCard(`{"schema":"2.0","elements":[{"tag":"hr"}]}`), card}, {"feishu", feishuCard(`{"schema":"2.0","body":{"elements":[{"tag":"action"}]}}`), card},
		{"feishu", feishuCard(`{"schema":"2.0","body":{"elements":[{"tag":"button","text":{"tag":"plain_text","content":"o"},"url":"https://x"}]}}`), card},
		{"feishu", feishuCard(`{"schema":"2.0","body":{"elements":[{"tag":"button","text":{"tag":"plain_text","content":"o"},"behaviors":[{"type":"callback"}]}]}}`), card},
		{"feishu", feishuCard(`{"header":{"title":"T"},"elements":[{"tag":"hr"}]}`), card}, {"feishu", feishuCard(`{"header":{"title":{"tag":"plain_text","content":"T"},"template":"pink"},"elements":[{"tag":"hr"}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"moon"}]}`), card}, {"feishu", feishuCard(`{"elements":["hr"]}`), card}, {"feishu", feishuCard(`{"elements":[{"tag":"div"}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"div","text":{"tag":"markdown","content":"x"}}]}`), card}, {"feishu", feishuCard(`{"elements":[{"tag":"div","text":{"tag":"lark_md","content":" "}}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"markdown"}]}`), card}, {"feishu", feishuCard(`{"elements":[{"tag":"action","actions":[]}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"action","actions":[{"tag":"select_static"}]}]}`), card}, {"feishu", feishuCard(`{"elements":[{"tag":"action","actions":[{"tag":"button","text":{"tag":"plain_text","content":"o"}}]}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"action","actions":[{"tag":"button","url":"https://x"}]}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"action","actions":[{"tag":"button","text":{"tag":"plain_text","content":"o"},"url":"https://x","type":"loud"}]}]}`), card},
		{"feishu", feishuCard(`{"elements":[{"tag":"column_set","columns":[{"tag":"div"}]}]}`), card}, {"feishu", feishuCard(`{"element":[{"tag":"hr"}],"elements":[{"tag":"hr"}]}`), card},
		{"feishu", sized(20<<10, `{"msg_type":"text","content":{"text":"`, `"}}`), feishuOK}, {"feishu", sized(20<<10+1, `{"msg_type":"text","content":{"text":"`, `"}}`), `200 {"code":19036,`},

		{"wecom", wecomMarkdown(4095), wecomOK}, {"wecom", wecomMarkdown(4096), wecomOK}, {"wecom", wecomMarkdown(4097), `200 {"errcode":40058,"errmsg":"markdown.content exceed max length 4096`},
		{"wecom", `{"msgtype":"text","text":{"content":"` + long(2048) + `","mentioned_list":["@all"]}}`, wecomOK}, {"wecom", `{"msgtype":"text","text":{"content":"` + long(2049) + `"}}`, notice},
		{"wecom", `{"msgtype":"markdown_v2","markdown_v2":{"content":"` + long(4096) + `"}}`, wecomOK}, {"wecom", `{"msgtype":"markdown_v2","markdown_v2":{"content":"` + long(4097) + `"}}`, notice},
		{"wecom", `{"msgtype":"markdown"}`, empty}, {"wecom", `{"msgtype":"moon"}`, `200 {"errcode":40008,`}, {"wecom", `{`, `200 {"errcode":40008,`},
		{"wecom", "{\"msgtype\":\"markdown\",\"markdown\":{\"content\":\"a\nb\"}}", `200 {"errcode":40008,`}, {"wecom", `{"msgtype":"markdown","markdown":{"text":"x"}}`, `200 {"errcode":40008,`},
		{"wecom", `{"msgtype":"template_card","template_card":{"card_type":"text_notice","main_title":{"title":"t","desc":"d"},"card_action":{"type":1,"url":"https://x"}}}`, wecomOK},
		{"wecom", `{"msgtype":"template_card","template_card":{"card_type":"text_notice","main_title":{"desc":"d"},"card_action":{"type":1,"url":"https://x"}}}`, notice},
		{"wecom", `{"msgtype":"template_card","template_card":{"card_type":"text_notice","main_title":{"title":"t"}}}`, notice}, {"wecom", `{"msgtype":"template_card","template_card":{"card_type":"moon"}}`, notice},
		{"wecom", `{"msgtype":"template_card","template_card":{"card_type":"text_notice","main_title":{"title":"t"},"horizontal_content_list":[` + many(7, `{"keyname":"k","value":"v"}`) + `],"card_action":{"type":1,"url":"https://x"}}}`, notice},

		{"slack", `{"blocks":[{"type":"divider"}]}`, slackOK}, {"slack", `{}`, "400 no_text"}, {"slack", `{`, "400 invalid_payload"}, {"slack", `{"txt":"x"}`, "400 invalid_payload"},
		{"slack", `{"text":"` + long(40_000) + `"}`, slackOK}, {"slack", `{"text":"` + long(40_001) + `"}`, "400 msg_too_long"},
		{"slack", slackBlocks(many(50, `{"type":"divider"}`)), slackOK}, {"slack", slackBlocks(many(51, `{"type":"divider"}`)), blocks},
		{"slack", slackBlocks(`{"type":"header","text":{"type":"plain_text","text":"` + long(150) + `"}}`), slackOK}, {"slack", slackBlocks(`{"type":"header","text":{"type":"plain_text","text":"` + long(151) + `"}}`), blocks},
		{"slack", slackBlocks(`{"type":"header","text":{"type":"mrkdwn","text":"x"}}`), blocks}, {"slack", slackBlocks(`{"type":"header","text":{"type":"plain_text","text":""}}`), blocks}, {"slack", slackBlocks(`{"type":"header"}`), blocks},
		{"slack", slackBlocks(slackSection(3000)), slackOK}, {"slack", slackBlocks(slackSection(3001)), blocks}, {"slack", slackBlocks(slackSection(0)), blocks}, {"slack", slackBlocks(`{"type":"section"}`), blocks},
		{"slack", slackBlocks(`{"type":"section","fields":[` + many(10, `{"type":"mrkdwn","text":"x"}`) + `]}`), slackOK}, {"slack", slackBlocks(`{"type":"section","fields":[` + many(11, `{"type":"mrkdwn","text":"x"}`) + `]}`), blocks},
		{"slack", slackBlocks(`{"type":"section","fields":[{"type":"mrkdwn","text":"` + long(2001) + `"}]}`), blocks},
		{"slack", slackBlocks(`{"type":"context","elements":[{"type":"mrkdwn","text":"x"}]}`), slackOK}, {"slack", slackBlocks(`{"type":"context","elements":[` + many(11, `{"type":"mrkdwn","text":"x"}`) + `]}`), blocks},
		{"slack", slackBlocks(`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"o"},"url":"https://x","action_id":"a"}]}`), slackOK},
		{"slack", slackBlocks(`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"` + long(76) + `"}}]}`), blocks}, {"slack", slackBlocks(`{"type":"actions","elements":[{"type":"image"}]}`), blocks},
		{"slack", slackBlocks(`{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"button","text":{"type":"plain_text","text":"o"},"url":"https://x"}}`), slackOK},
		{"slack", slackBlocks(`{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"image"}}`), blocks},
		{"slack", `{"text":"t","attachments":[{"color":"#f00","blocks":[` + slackSection(3) + `]}]}`, slackOK}, {"slack", `{"attachments":[{"color":"#f00"}]}`, "400 no_text"},
		{"slack", `{"blocks":[` + many(25, `{"type":"divider"}`) + `],"attachments":[{"blocks":[` + many(26, `{"type":"divider"}`) + `]}]}`, blocks},
		{"slack", slackBlocks(`{"type":"moon"}`), blocks}, {"slack", slackBlocks(many(4, slackSection(3000))), slackOK}, {"slack", slackBlocks(many(5, slackSection(3000))), "400 msg_blocks_too_long"},
		{"slack", slackBlocks(many(4, slackSection(3000)) + "," + many(8, `{"type":"header","text":{"type":"plain_text","text":"`+long(150)+`"}}`)), slackOK},
		{"slack", slackBlocks(many(4, slackSection(3000)) + "," + many(9, `{"type":"header","text":{"type":"plain_text","text":"`+long(150)+`"}}`)), "400 msg_blocks_too_long"},

		{"teams", `{`, `400 {"error":{"code":"TriggerInputSchemaMismatch"`}, {"teams", `{"typ":"message"}`, `400 {"error":{"code":"TriggerInputSchemaMismatch"`},

		{"webhook", `[]`, "400 "}, {"webhook", `null`, "400 "}, {"webhook", `{`, "400 "}, {"webhook", `{}`, "204"},
	} {
		b := newBench(t, "")
		if got := b.post(address[x.name], x.body); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: %.200s\n got %s, want %s", x.name, x.body, got, x.want)
		}
	}
}

// A workflow that fails is answered as one that posts.
func TestTeamsFailsUnseenByThePoster(t *testing.T) {
	card := func(body, more string) string {
		return `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard","version":"1.4","body":[` + body + `]` + more + `}}]}`
	}
	block := `{"type":"TextBlock","text":"x"}`
	for _, body := range []string{
		card(block, ""), card(`{"type":"FactSet","facts":[{"title":"a","value":""}]}`, ""), card(`{"type":"Container","items":[`+block+`]}`, ""),
		card(`{"type":"ColumnSet","columns":[{"type":"Column","items":[`+block+`]}]}`, ""), card(`{"type":"ActionSet","actions":[{"type":"Action.OpenUrl","title":"o","url":"https://x"}]}`, ""),
		card(block, `,"msteams":{"width":"Full"},"actions":[]`), card(`{"type":"CodeBlock","codeSnippet":"x","language":"Bash"}`, ""), card(`{"type":"TextBlock","text":"x","size":"Medium","weight":"bolder","wrap":true,"color":"good"}`, ""),
	} {
		b := newBench(t, "")
		if got := b.post(address["teams"], body); got != "202" || len(b.Accepted("teams")) != 1 {
			t.Errorf("%s: got %s, refused: %+v", body, got, b.Refused("teams"))
		}
	}
	for _, body := range []string{
		`{}`, `{"type":"message"}`, strings.Replace(card(block, ""), "message", "card", 1), strings.Replace(card(block, ""), ".adaptive", ".hero", 1),
		strings.Replace(card(block, ""), "1.4", "2.0", 1), strings.Replace(card(block, ""), "AdaptiveCard", "MessageCard", 1), card("", ""),
		card(`{"type":"TextBlock"}`, ""), card(`{"type":"CodeBlock"}`, ""), card(`{"type":"TextBlock","text":"x","color":"red"}`, ""), card(`{"type":"Moon"}`, ""), card(`"x"`, ""), card(`{"type":"FactSet","facts":[{"title":"a"}]}`, ""),
		card(block, `,"actions":[{"type":"Action.OpenUrl","title":"o","url":"x"}]`), card(block, `,"actions":[{"type":"Action.Submit","title":"o"}]`), card(`{"type":"TextBlock","text":"`+long(28<<10)+`"}`, ""),
	} {
		b := newBench(t, "")
		got, refused := b.post(address["teams"], body), b.Refused("teams")
		if got != "202" || len(b.Accepted("teams")) != 0 || len(refused) != 1 || refused[0].Code != "NotShown" || refused[0].Reason == "" {
			t.Errorf("%.200s: got %s, refused: %+v", body, got, refused)
		}
	}
}

func FuzzNoBodyEndsARobot(f *testing.F) {
	for name, x := range good {
		f.Add(name, x[0])
	}
	f.Add("feishu", feishuCard(`{"elements":[{"tag":"div"}]}`))
	f.Add("slack", slackBlocks(slackSection(1)))
	b := newBench(f, "")
	f.Fuzz(func(t *testing.T, name, body string) {
		if address[name] == "" {
			return
		}
		b.t = t
		b.pass(time.Hour)
		before := len(b.Accepted("")) + len(b.Refused(""))
		got := b.post(address[name], body)
		if after := len(b.Accepted("")) + len(b.Refused("")); after != before+1 && after < robots.Kept {
			t.Errorf("%s: answered %s, kept %d", name, got, after-before)
		}
		if name == "dingtalk" || name == "feishu" || name == "wecom" {
			if _, text, _ := strings.Cut(got, " "); !strings.HasPrefix(text, "{") {
				t.Errorf("%s: answered %s", name, got)
			}
		}
	})
}
