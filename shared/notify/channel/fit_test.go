package channel

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// long is a document of n sections of three lines.
func long(n int, text string) notify.Document {
	d := notify.Document{ID: "7f3a", Title: "many", Tone: fleet.High, Footer: "footer"}
	for i := range n {
		d.Sections = append(d.Sections, notify.Section{Heading: fmt.Sprintf("section %d", i+1), Lines: []notify.Line{{Text: text}, {Label: "b", Text: text}, {Text: text, Code: true}}})
	}
	return d
}

// size returns how much of its limit a payload takes: 1 is all.
func size(t interface{ Fatal(...any) }, kind string, payload []byte) float64 {
	limit := map[string]int{policy.ChannelDingTalk: 20_000, policy.ChannelFeishu: 19_000, policy.ChannelTeams: 20_000, policy.ChannelWebhook: 64 << 10}[kind]
	switch kind {
	case policy.ChannelWeCom:
		var m struct{ Markdown struct{ Content string } }
		if err := json.Unmarshal(payload, &m); err != nil {
			t.Fatal(err)
		}
		return float64(len(m.Markdown.Content)) / 4096
	case policy.ChannelSlack:
		var m struct {
			Blocks []struct {
				Type     string
				Text     struct{ Text string }
				Elements []struct{ Text string }
			}
		}
		if err := json.Unmarshal(payload, &m); err != nil {
			t.Fatal(err)
		}
		total, most := 0, float64(len(m.Blocks))/slackBlocks
		for _, b := range m.Blocks {
			n := utf8.RuneCountInString(b.Text.Text)
			for _, e := range b.Elements {
				n += utf8.RuneCountInString(e.Text)
			}
			if total += n; b.Type == "header" && n > 150 || n == 0 {
				t.Fatal("a block of", n, "characters")
			}
			most = max(most, float64(n)/slackText)
		}
		return max(most, float64(total)/slackTotal)
	}
	return float64(len(payload)) / float64(limit)
}

func TestADocumentOfAnySizeFits(t *testing.T) {
	sinks := map[string]Sink{}
	for _, kind := range kinds() {
		sinks[kind] = sinkOf(t, kind, nil)
	}
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "实", "字<&>\"\\", "i-bp1a2b3c ", "\u0001", "👩‍👩‍👧", "\xff"}))
	repeated := rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(text.Draw(t, "text"), rapid.SampledFrom([]int{1, 1, 2, 50, 1500}).Draw(t, "times"))
	})
	rapid.Check(t, func(t *rapid.T) {
		d := long(rapid.SampledFrom([]int{0, 1, 2, 60}).Draw(t, "sections"), repeated.Draw(t, "text"))
		d.Title, d.Footer = repeated.Draw(t, "title"), repeated.Draw(t, "footer")
		if len(d.Sections) > 0 {
			d.Sections[0].Lines = append(d.Sections[0].Lines, make([]notify.Line, rapid.SampledFrom([]int{0, 1, 600}).Draw(t, "lines"))...)
		}
		for range rapid.IntRange(0, 8).Draw(t, "links") {
			d.Links = append(d.Links, notify.Link{Text: repeated.Draw(t, "link"), URL: "https://a.example/" + strings.Repeat("x", rapid.SampledFrom([]int{1, 900, 9000}).Draw(t, "url"))})
		}
		for kind, sink := range sinks {
			payload := sink.Payload(d)
			if got := size(t, kind, payload); got > 1 || !utf8.Valid(payload) || !json.Valid(payload) {
				t.Errorf("%s: %.2f of the limit", kind, got)
			}
		}
	})
}

func TestSectionsAreDroppedWholeAndCounted(t *testing.T) {
	for _, kind := range kinds() {
		payload := string(sinkOf(t, kind, nil).Payload(long(400, strings.Repeat("实例", 20))))
		kept := strings.Count(payload, "section ")
		if size(t, kind, []byte(payload)) < 0.75 || strings.Count(payload, strings.Repeat("实例", 20)) != 3*kept ||
			!strings.Contains(payload, fmt.Sprintf("… %d more lines", 3*(400-kept))) || !strings.Contains(payload, "footer") {
			t.Errorf("%s: %.2f of the limit, %d sections: %.300s", kind, size(t, kind, []byte(payload)), kept, payload)
		}
	}
}

func TestTheFirstSectionLosesLinesBeforeItGoes(t *testing.T) {
	d := long(2, "x")
	for i := range 300 {
		d.Sections[0].Lines = append(d.Sections[0].Lines, notify.Line{Text: fmt.Sprintf("i-%04d 实例实例", i)})
	}
	payload := string(sinkOf(t, policy.ChannelWeCom, nil).Payload(d))
	if n := strings.Count(payload, "实例实例"); n < 50 || !strings.Contains(payload, fmt.Sprintf("… %d more lines", 303-n)) {
		t.Errorf("%d lines: %s", n, payload)
	}
}

func TestWhatIsLeftOutIsSaidInTheLanguageOfTheChannel(t *testing.T) {
	for lang, want := range map[string]string{policy.LangEnglish: "… 7 more lines", policy.LangChinese: "……还有 7 行", policy.LangJapanese: "…ほか 7 行", "": "… 7 more lines"} {
		if got := moreLines(lang, 7); got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
	if got := moreLines("", 1); got != "… 1 more line" {
		t.Error(got)
	}
}

// At 4095, 4096 and 4097 bytes the limit is within a character of three bytes.
func TestWeComsLimitCutsBetweenCharacters(t *testing.T) {
	sink := sinkOf(t, policy.ChannelWeCom, nil)
	measure := func(d notify.Document) int { return int(size(t, policy.ChannelWeCom, sink.Payload(d))*4096 + 0.5) }
	d := notify.Document{Title: "t", Sections: []notify.Section{{Lines: []notify.Line{{Text: strings.Repeat("字", 1000)}, {}}}}}
	d.Sections[0].Lines[1].Text = "x"
	room := 4096 - measure(d)
	for more, fits := range map[int]bool{-1: true, 0: true, 1: false} {
		d.Sections[0].Lines[1].Text = "x" + strings.Repeat("字", room/3) + strings.Repeat("x", room%3+more)
		if got := measure(d); fits && got != 4096+more || !fits && got > 4096 {
			t.Errorf("%+d: %d bytes", more, got)
		}
		if payload := string(sink.Payload(d)); strings.Contains(payload, "more line") == fits || !utf8.ValidString(payload) || strings.Contains(payload, "�") {
			t.Errorf("%+d: %s", more, payload)
		}
	}
}

func TestACutIsBetweenCharacters(t *testing.T) {
	for text, want := range map[string]string{"": "", "ab": "ab", "abc": "abc", "abcd": "ab…", "字字字": "字字字", "字字字字": "字字…"} {
		if got := cut(text, 3); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
