package robots_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

func TestARobotIsThrottledInVirtualTime(t *testing.T) {
	type step struct {
		pass  time.Duration
		posts int
		last  string // the beginning of the answer to the last one
	}
	const dingtalk, feishu, wecom = `200 {"errcode":0,`, `200 {"code":0,`, `200 {"errcode":0,`
	for name, steps := range map[string][]step{
		"dingtalk": {
			{0, 20, dingtalk}, {0, 1, `200 {"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`}, {time.Minute, 1, `200 {"errcode":410100,`},
			{9*time.Minute - time.Second, 1, `200 {"errcode":410100,`}, {time.Second, 20, dingtalk},
		},
		"feishu": {
			{0, 5, feishu}, {0, 1, `200 {"code":11232,`}, {time.Second, 5, feishu}, {time.Second, 5, feishu},
		},
		"wecom": {
			{0, 20, wecom}, {59 * time.Second, 1, `200 {"errcode":45009,`}, {time.Second, 20, wecom}, {0, 1, `200 {"errcode":45009,`},
		},
		"slack": {{0, 5, "200 ok"}, {2 * time.Second, 1, "429 rate_limited"}, {3 * time.Second, 5, "200 ok"}},
	} {
		b := newBench(t, "")
		for n, s := range steps {
			b.pass(s.pass)
			last := ""
			for range s.posts {
				last = b.post(address[name], good[name][0])
			}
			if !strings.HasPrefix(last, s.last) {
				t.Errorf("%s, step %d: got %s, want %s", name, n, last, s.last)
			}
		}
	}
}

func TestFeishuTakesAHundredPostsAMinute(t *testing.T) {
	b := newBench(t, "")
	last := ""
	for range 20 {
		for range 5 {
			last = b.post(address["feishu"], good["feishu"][0])
		}
		b.pass(time.Second)
	}
	if last != good["feishu"][1] || len(b.Accepted("feishu")) != 100 {
		t.Errorf("%d posts are accepted, the last with %s", len(b.Accepted("feishu")), last)
	}
	if got := b.post(address["feishu"], good["feishu"][0]); !strings.HasPrefix(got, `200 {"code":11232,`) {
		t.Errorf("one more: %s", got)
	}
	b.pass(40 * time.Second)
	if got := b.post(address["feishu"], good["feishu"][0]); got != good["feishu"][1] {
		t.Errorf("a minute after the first: %s", got)
	}
}

func TestSlackSaysWhenToComeAgain(t *testing.T) {
	b := newBench(t, "")
	for range 5 {
		b.post(address["slack"], good["slack"][0])
	}
	b.pass(1500 * time.Millisecond)
	r := b.send("POST", address["slack"], "application/json", good["slack"][0])
	if got := r.Header.Get("Retry-After"); r.StatusCode != http.StatusTooManyRequests || got != "4" {
		t.Errorf("got %d, Retry-After %q", r.StatusCode, got)
	}
}

func TestARobotFailsOnPurpose(t *testing.T) {
	page := "200 <html><head>"
	for kind, answers := range map[simcloud.FaultKind]map[string]string{
		simcloud.Throttle: {
			"dingtalk": `200 {"errcode":130101,`, "feishu": `200 {"code":11232,`, "wecom": `200 {"errcode":45009,`, "slack": "429 rate_limited", "teams": `429 {"error":`, "webhook": "429 "},
		simcloud.Deny: {
			"dingtalk": `200 {"errcode":310000,"errmsg":"ip `, "feishu": `200 {"code":19022,`, "wecom": `200 {"errcode":93000,`, "slack": "403 action_prohibited", "teams": `401 {"error":`, "webhook": "403 "},
		simcloud.Unavailable: {
			"dingtalk": "503 <html>", "feishu": "503 <html>", "wecom": "503 <html>", "slack": "503 <html>", "teams": "503 <html>", "webhook": "503 <html>"},
		simcloud.InternalError: {
			"dingtalk": `200 {"errcode":-1,`, "feishu": "500 <html>", "wecom": `200 {"errcode":-1,`, "slack": "500 rollup_error", "teams": `500 {"error":`, "webhook": "500 <html>"},
		simcloud.HTML: {"dingtalk": page, "feishu": page, "wecom": page, "slack": page, "teams": page, "webhook": page},
	} {
		b := newBench(t, "")
		for name, want := range answers {
			if err := b.h.Faults.Set(1, []simcloud.Fault{{Product: name, Action: name, Kind: kind, Count: 1}}, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			if got := b.post(address[name], good[name][0]); !strings.HasPrefix(got, want) {
				t.Errorf("%s of %s: got %s, want %s", kind, name, got, want)
			}
			if n := len(b.Accepted(name)); n != 0 || len(b.Refused(name)) != 1 {
				t.Errorf("%s of %s: %d accepted, %d refused", kind, name, n, len(b.Refused(name)))
			}
			if got := b.post(address[name], good[name][0]); got != good[name][1] {
				t.Errorf("%s of %s: the next post got %s", kind, name, got)
			}
		}
	}
}

func TestAnAnswerIsLostBeforeOrAfterDelivery(t *testing.T) {
	for kind, want := range map[simcloud.FaultKind]int{simcloud.TimeoutBefore: 0, simcloud.TimeoutAfter: 1} {
		b := newBench(t, "")
		if err := b.h.Faults.Set(1, []simcloud.Fault{{Kind: kind}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() != http.ErrAbortHandler {
					t.Errorf("%s: the post was answered", kind)
				}
			}()
			b.post(address["slack"], good["slack"][0])
		}()
		if n := len(b.Accepted("slack")); n != want {
			t.Errorf("%s: %d accepted, want %d", kind, n, want)
		}
	}
	b := newBench(t, "")
	if err := b.h.Faults.Set(1, []simcloud.Fault{{Kind: simcloud.Empty}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if got := b.post(address["slack"], good["slack"][0]); got != "200" || len(b.Accepted("slack")) != 1 {
		t.Errorf("empty: got %q", got)
	}
}
