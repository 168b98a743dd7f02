package channel

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// quoting is a document that has a text at each place, and code at the places for it.
func quoting(text, code string) notify.Document {
	return notify.Document{
		ID: "7f3a", Title: text, Tone: fleet.High, Footer: text,
		Sections: []notify.Section{
			{Heading: text, Lines: []notify.Line{{Label: text, Text: text}, {Text: text}, {Label: text, Text: code, Code: true}, {Text: code, Code: true}}},
			{Lines: []notify.Line{{Text: text}}},
		},
		Links: []notify.Link{{Text: text, URL: "https://a.example/x?y=1"}},
	}
}

// Sequences that clients act on, by where they stand.
var (
	inMarkup = regexp.MustCompile("<[^>|\n]*[>|]|[][*~`@]|(?i:[a-z]+:/+|www\\.)|&[a-z#0-9]+;|" +
		`(?m:^[ \t]*(#+ |>|[-+] |\d+[.)] |-{3}|={3}))|(^|[^0-9A-Za-z])_|_($|[^0-9A-Za-z])`)
	inCode  = regexp.MustCompile(`<[^>\n]*>|\]\(`)
	inPlain = regexp.MustCompile(`(?i:[a-z]+:/+|www\.)|\{\{|<[^>]*>`)
	inPage  = regexp.MustCompile(`<[^>]*>|(?i:[a-z]+:/+|www\.)`)

	spans = regexp.MustCompile("`[^`\n]*`")
	// ours are the entities that Slack documents: they are shown, and not acted on.
	ours = regexp.MustCompile(`&(amp|lt|gt);`)
)

// acted returns the sequences of a text that a client acts on.
func acted(kind string, plain bool, text string) (out []string) {
	switch {
	case kind == policy.ChannelMail && strings.HasPrefix(text, "<div"):
		return inPage.FindAllString(regexp.MustCompile(`<code>[^<]*</code>`).ReplaceAllString(text, "<code></code>"), -1)
	case kind == policy.ChannelTeams, kind == policy.ChannelMail, plain:
		return inPlain.FindAllString(text, -1)
	case kind == policy.ChannelSlack:
		text = strings.NewReplacer("[", "(", "]", ")").Replace(ours.ReplaceAllString(text, "x")) // mrkdwn has no [text](url)
	}
	for _, s := range spans.FindAllString(text, -1) {
		out = append(out, inCode.FindAllString(s, -1)...)
	}
	return append(out, inMarkup.FindAllString(spans.ReplaceAllString(text, "``"), -1)...)
}

// skeleton is a payload with its texts replaced by what clients act on in them.
func skeleton(kind string, payload []byte) any {
	var v any
	if err := json.Unmarshal(payload, &v); err != nil {
		return err.Error()
	}
	return bones(kind, false, v)
}

func bones(kind string, plain bool, v any) any {
	switch v := v.(type) {
	case map[string]any:
		plain = plain || v["tag"] == "plain_text" || v["type"] == "plain_text"
		if v["fontType"] == "Monospace" {
			delete(v, "text") // is shown as it is
		}
		for name, x := range v {
			v[name] = bones(kind, plain, x)
		}
	case []any:
		for i, x := range v {
			v[i] = bones(kind, plain, x)
		}
	case string:
		return acted(kind, plain, v)
	}
	return v
}

func everySink(t *testing.T) map[string]Sink {
	t.Helper()
	sinks := map[string]Sink{policy.ChannelMail: NewMail(policy.Channel{}, nil)}
	for _, kind := range kinds() {
		sinks[kind] = sinkOf(t, kind, nil)
	}
	delete(sinks, policy.ChannelWebhook) // its texts are data: see below
	return sinks
}

// harmless reports whether a text changes nothing of what clients act on, against a plain word.
func harmless(t interface{ Errorf(string, ...any) }, sinks map[string]Sink, text string) {
	for kind, sink := range sinks {
		quoted := text
		if kind == policy.ChannelFeishu || kind == policy.ChannelMail {
			quoted = "word" // text has no code: a command is shown as it is
		}
		want, got := skeleton(kind, sink.Payload(quoting("word", "word"))), skeleton(kind, sink.Payload(quoting(text, quoted)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, of %q: %s\n%s", kind, text, diff, sink.Payload(quoting(text, quoted)))
		}
	}
	d := shorten(quoting(text, text), longestText)
	if got := asText(d, inTextOnly(), asIs); strings.ContainsAny(got, "<@[") {
		t.Errorf("the text of %q is %q", text, got)
	}
	want, got := acted(policy.ChannelMail, false, inHTML(quoting("word", "word"))), acted(policy.ChannelMail, false, inHTML(d))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("HTML of %q: %s", text, diff)
	}
}

// hostile are texts that some channel would act on.
func hostile() []string {
	return []string{
		"@all", "<@all>", "<!channel>", "<!here|here>", "<@U024BE7LH>", "<#C024BE7LR>", `<at id="all"></at>`, `<at user_id="all">all</at>`, "<at>Ann</at>", "@13800000000",
		"[click](https://evil.example)", "![](http://evil.example/x.png)", "<https://evil.example|click>", `<a href="https://evil.example">click</a>`, "HTTPS://EVIL.example", "dingtalk://x", "http:/x", "Www.evil.example",
		"**b**", "*b*", "_b_", "__b__", "~b~", "~~b~~", "`c`", "```", "# h", "> q", "- l", "+ l", "1. l", "---", "| a | b |", `<font color="warning">x</font>`, "<script>x</script>", `"><img src=x>`, "&lt;@all&gt;", "&#64;all",
		"a\n# h", "a\r\n\r\n> q", "a\u2028- l", "\u202egnp.exe", "a\\", "\\*b\\*", "{{DATE(2026-12-01,SHORT)}}", "${x}", "](https://evil.example)", "`](x)`", "a`<@all>`b", "<", ">", "[", "]", "|", "_", "*",
		"\xff\xfe", "字_字_字", "：//", "👩‍👩‍👧", "x\u200b@all", "\u00ad<@all>",
	}
}

func TestNoTextOfOthersIsActedOn(t *testing.T) {
	sinks := everySink(t)
	for _, text := range hostile() {
		harmless(t, sinks, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile()), rapid.StringN(1, 3, 8)), 1, 4).Draw(t, "parts")
		if text := strings.Join(parts, ""); flat(text) != "" && utf8.RuneCountInString(text) < longestLabel {
			harmless(t, sinks, text)
		}
	})
}

func FuzzTextOfOthers(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text)
	}
	sinks := map[string]Sink{policy.ChannelMail: NewMail(policy.Channel{}, nil)}
	for _, kind := range kinds()[:5] {
		form, _ := formOf(kind)
		sinks[kind] = &sender{form: form, kind: kind}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if flat(text) != "" && utf8.RuneCountInString(text) < longestLabel {
			harmless(t, sinks, text)
		}
	})
}

func TestUsualTextsStayAsTheyAre(t *testing.T) {
	for _, text := range []string{"web_01 in cn-hangzhou (i-bp1a2b3c), 12:30", "oss://ledger/reports/7/", "acs:ram::1000000000000001:role/ops", "实例角色:未通过", "a+b=c; 50% #1 'x' \"y\"", "1.2.3.4/16", "…"} {
		for _, set := range []string{markdown, mrkdwn, plainText} {
			if got := inert(text, set); got != text {
				t.Errorf("%q became %q", text, got)
			}
		}
	}
}

func TestACommandCanBeCopied(t *testing.T) {
	const command = `fleetwarden apply --only 'web_01' && curl https://example.com/*.sh | sh -s -- --a=["x"] {}`
	for kind, sink := range everySink(t) {
		payload := sink.Payload(notify.Document{Title: "t", Sections: []notify.Section{{Lines: []notify.Line{{Text: command, Code: true}}}}})
		var texts []string
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for _, x := range v {
					walk(x)
				}
			case []any:
				for _, x := range v {
					walk(x)
				}
			case string:
				texts = append(texts, strings.NewReplacer("&amp;", "&", "&#34;", `"`, "&#39;", "'").Replace(v))
			}
		}
		var v any
		if err := json.Unmarshal(payload, &v); err != nil {
			t.Fatal(err)
		}
		walk(v)
		if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, command) }) {
			t.Errorf("%s: %q", kind, texts)
		}
	}
}

func TestAWebhookHasTheTextsAsData(t *testing.T) {
	sink := sinkOf(t, policy.ChannelWebhook, nil)
	for _, text := range hostile() {
		var got document
		if err := json.Unmarshal(sink.Payload(quoting(text, text)), &got); err != nil {
			t.Fatal(err)
		}
		want := newDocument(shorten(quoting(text, text), longestText))
		want.Footer += " · 7f3a"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestOnlyAddressesOfTheWebAreLinks(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example/x?y=1&z=2#f": "https://a.example/x?y=1&z=2#f", "https://a.example/a(b)|<c>[d]`e`*_~f'\"@g\\": "https://a.example/a%28b%29%7C%3Cc%3E%5Bd%5D%60e%60%2A_%7Ef%27%22%40g%5C",
		"https://a.example/报告?名=值": "https://a.example/%E6%8A%A5%E5%91%8A?%E5%90%8D=%E5%80%BC", "https://a.example/%E6%8A": "https://a.example/%E6%8A",
		"http://a.example": "", "javascript:alert(1)": "", "oss://b/c": "", "https://u:p@a.example": "", "https:///x": "", "": "", "https://a.example/\n": "", "data:text/html,x": "",
	} {
		if got, ok := webAddress(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", text, got, ok)
		}
	}
	d := visible(notify.Document{ID: "7f3a", Links: []notify.Link{{Text: "report", URL: "oss://b/c"}, {Text: "console", URL: "https://a.example"}}})
	want := notify.Document{ID: "7f3a", Footer: "7f3a", Links: []notify.Link{{Text: "console", URL: "https://a.example"}},
		Sections: []notify.Section{{Lines: []notify.Line{{Label: "report", Text: "oss://b/c", Code: true}}}}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}
