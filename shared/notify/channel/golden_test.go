package channel

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

var update = flag.Bool("update", false, "write the golden payloads")

// documents are written by hand, one of each tone.
func documents() []notify.Document {
	return []notify.Document{
		sample(),
		{
			ID: "c2d4", Title: "巡检完成:2 项规则未通过", Tone: fleet.Medium,
			Sections: []notify.Section{{Heading: "实例角色", Lines: []notify.Line{
				{Label: "未通过", Text: "12(新增 3)"}, {Text: "账号 1000000000000001 的 web_01 没有实例角色"},
			}}},
			Links: []notify.Link{{Text: "查看报告", URL: "https://oss.console.aliyun.com/报告"}}, Footer: "2026-12-01",
		},
		{
			ID: "9b1e", Title: "信頼済みインスタンス: 変更 1 件", Tone: fleet.Low,
			Sections: []notify.Section{{Lines: []notify.Line{{Label: "理由", Text: "ロールが付いていないため、付与しました"}, {Text: "i-0jl1", Code: true}}}},
		},
		{ID: "00ff", Title: "Sweep: all is well"},
	}
}

func TestPayloadsAreAsTheyWereReviewed(t *testing.T) {
	sinks := map[string]Sink{policy.ChannelMail: NewMail(policy.Channel{From: "ops@example.com", To: []string{"a@example.com"}}, nil)}
	for _, kind := range kinds() {
		sinks[kind] = sinkOf(t, kind, nil)
	}
	for kind, sink := range sinks {
		var got bytes.Buffer
		for _, d := range documents() {
			if err := json.Indent(&got, sink.Payload(d), "", "  "); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			got.WriteByte('\n')
		}
		file := "testdata/" + kind + ".json"
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s, after a review: go test ./shared/notify/channel -update\n%s", kind, diff)
		}
	}
}
