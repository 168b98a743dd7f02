package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// receivers are the robots that the policy notify.yaml has channels for.
var receivers = []string{"dingtalk", "feishu", "lark", "wecom", "slack", "teams", "webhook"}

// posts are the bodies that a robot accepted, without the escapes of JSON.
func posts(s *stage.Stage, robot string) (out []string) {
	for _, p := range s.Server.Robots.Accepted(robot) {
		out = append(out, p.Body)
	}
	return out
}

func cmdPosts(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	all, s := []string(nil), storyOf(ts).stage
	if all = posts(s, args[0]); args[0] == "mail" {
		for _, m := range s.Server.Mail.Mails() {
			all = append(all, m.Subject+"\n"+m.Text)
		}
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := about(all, strings.Join(args[2:], " ")); got != want {
		ts.Fatalf("%s accepted %d such posts, want %d: %q", args[0], got, want, all)
	}
}

// refusedPosts fails if a robot refused anything: its limits and its forms are kept.
func refusedPosts(t *testing.T, s *stage.Stage) {
	t.Helper()
	for _, p := range s.Server.Robots.Refused("") {
		t.Errorf("robot %s refused a post at %s: %s %s", p.Robot, p.Time.Format(time.TimeOnly), p.Code, p.Reason)
	}
}

// about are those of some texts that have a part.
func about(texts []string, part string) int {
	n := 0
	for _, text := range texts {
		if strings.Contains(text, part) {
			n++
		}
	}
	return n
}

// The story of a day: a launch with the wrong disk, found twice, is one card in each channel;
// the change that was made is one where it was asked for; after the night each has a digest.
func TestPeopleAreNotifiedInEachChannel(t *testing.T) {
	t.Parallel()
	s := play(t, stage.Options{Policy: "notify.yaml", Optional: []string{"notify-mail"}})
	messages := record(s)
	for range 2 {
		l := stage.Launch{Region: server.Home, Type: goodType, Image: goodImage, Category: "cloud_efficiency", VSwitch: "vsw-local", Trusted: "vTPM"}
		if _, err := s.Run(context.Background(), l); err != nil {
			t.Fatal(err)
		}
		settle(t, s)
	}
	for _, robot := range receivers {
		if n := about(posts(s, robot), "system-disk"); n != 1 {
			t.Errorf("%s got %d cards of system-disk: %q", robot, n, posts(s, robot))
		}
	}
	if n := about(posts(s, "dingtalk"), "change-attach-role"); n != 1 {
		t.Errorf("the changes that were made came %d times: %q", n, posts(s, "dingtalk"))
	}
	mails := s.Server.Mail.Mails()
	if len(mails) == 0 || !slices.Equal(mails[0].To, []string{"ops@example.com"}) {
		t.Errorf("mails: %+v", mails)
	}
	if _, err := night(s); err != nil {
		t.Fatal(err)
	}
	settle(t, s)
	for _, robot := range receivers {
		if n := about(posts(s, robot), "digest.sweep-"); n != 1 {
			t.Errorf("%s got %d digests: %q", robot, n, posts(s, robot))
		}
	}
	refusedPosts(t, s)
	// No place has what a robot's address or signature is made of.
	places, err := written(s, messages)
	if err != nil {
		t.Fatal(err)
	}
	for place, text := range places {
		for _, secret := range []string{"access_token", "SEClocal", "local-feishu", "local-lark", "local-wecom", "T0LOCAL", "local-teams", "local-webhook"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s have %q", place, secret)
			}
		}
	}
}

// A thousand instances fail one of five rules each, in three accounts and forty passes of one
// minute: 15 cards, of which none is lost and which count all, in robots with limits.
func TestAThousandFindingsAreFifteenCards(t *testing.T) {
	t.Parallel()
	s := play(t, alone("notify", stage.Options{Policy: "notify_strict.yaml"}))
	now := s.Server.World.Clock.Now()
	inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-notify"}
	for pass := range 40 {
		groups := map[string]map[string]any{}
		for i := range 25 {
			n := pass*25 + i
			rule, account := fmt.Sprintf("rule-%d", n%5), fmt.Sprintf("100000000000000%d", 1+n%3)
			g := groups[rule+account]
			if g == nil {
				g = map[string]any{"control": "agent", "rule": rule, "outcome": "violation", "severity": "high", "account": account, "ids": []string{}}
				groups[rule+account] = g
			}
			g["ids"] = append(g["ids"].([]string), fmt.Sprintf("i-%04d", n))
		}
		all := []any{}
		for _, g := range groups {
			g["count"] = len(g["ids"].([]string))
			all = append(all, g)
		}
		at := now.Add(time.Duration(pass) * 1500 * time.Millisecond).UTC()
		id := fmt.Sprintf("%s/%s.push-agent.request-%02d", now.In(time.FixedZone("", 8*60*60)).Format(time.DateOnly), at.Format("20060102T150405"), pass)
		deposit(t, s, "ledger/notify/found/"+id+".json", map[string]any{"v": 1, "at": at, "groups": all})
		message := map[string]any{"v": 1, "function": "notify", "scope": map[string]string{"account": server.Sharer, "region": server.Home}, "kind": "found", "ids": []string{id}, "try": 0}
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // each comes twice
			if _, err := s.Server.MNS.Send(inbox, mns.Outgoing{Body: string(text), Delay: new(at.Add(time.Minute).Sub(now))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	settle(t, s)
	for _, robot := range []string{"dingtalk", "slack", "webhook"} {
		got := posts(s, robot)
		if len(got) != 15 {
			t.Errorf("%s got %d cards", robot, len(got))
		}
		sum := 0
		for _, text := range got {
			sum += counted(t, text)
		}
		if sum != 1000 {
			t.Errorf("%s: the cards count %d instances: %q", robot, sum, got)
		}
	}
	refusedPosts(t, s)
	if n := deadLetters(s); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// counted is the number of instances that the title of a card has.
func counted(t *testing.T, text string) int {
	t.Helper()
	m := regexp.MustCompile(`(\d+) (?:instances|台实例)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("the card counts nothing: %s", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAChannelThatIsDownForAnHourGetsItsCardOnceAfterwards(t *testing.T) {
	t.Parallel()
	s := play(t, alone("notify", stage.Options{Policy: "notify_strict.yaml"}))
	down := func(kind simcloud.FaultKind) {
		t.Helper()
		faults := []simcloud.Fault{{Product: "dingtalk", Kind: kind, Count: 1000}}
		if kind == "" {
			faults = nil
		}
		if err := s.Server.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
	}
	down(simcloud.Unavailable)
	cardOf(t, s, "agent-online", "1000000000000001")
	ctx, stop := soon()
	defer stop()
	if err := s.Advance(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := len(posts(s, "dingtalk")); n != 0 {
		t.Fatalf("%d posts came through", n)
	}
	if n := len(posts(s, "webhook")); n != 1 {
		t.Fatalf("the other channel got %d posts", n)
	}
	down("")
	settle(t, s)
	for _, robot := range []string{"dingtalk", "slack", "webhook"} {
		if n := len(posts(s, robot)); n != 1 {
			t.Errorf("%s got %d posts", robot, n)
		}
	}
	if n := deadLetters(s); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// A card that a channel refuses for good is a dead letter, which a redrive returns once the channel is mended.
func TestWhatAChannelRefusesForGoodIsRedriven(t *testing.T) {
	t.Parallel()
	s := play(t, alone("notify", stage.Options{Policy: "notify_strict.yaml"}))
	s.Server.KMS.RemoveSecret(server.Sharer, server.Home, "fleetwarden-slack")
	if err := s.Server.Robots.Close("dingtalk"); err != nil {
		t.Fatal(err)
	}
	cardOf(t, s, "agent-online", "1000000000000001")
	settle(t, s)
	if n := deadLetters(s); n != 2 {
		t.Errorf("%d dead letters, want that of DingTalk and that of Slack", n)
	}
	all, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	for _, r := range all {
		if r["rule"] == "notify" && r["outcome"] == "fault" {
			faults = append(faults, r["severity"]+" "+r["id"])
			if !strings.Contains(r["remedy"], "fleetwarden notify --test "+r["id"]) {
				t.Errorf("%v", r)
			}
		}
	}
	slices.Sort(faults)
	if diff := cmp.Diff([]string{"high ding", "high slack"}, faults); diff != "" {
		t.Error(diff)
	}
	if err := s.Server.KMS.SetSecret(server.Sharer, server.Home, "fleetwarden-slack", "https://hooks.slack.com/services/T0LOCAL/B0LOCAL/local-slack", ""); err != nil {
		t.Fatal(err)
	}
	typed(t, s, 0, "redrive", "--region", server.Home, "--apply")
	settle(t, s)
	if n := len(posts(s, "slack")); n != 1 {
		t.Errorf("slack got %d posts after it was mended", n)
	}
	if n := deadLetters(s); n != 1 {
		t.Errorf("%d dead letters, want that of DingTalk", n)
	}
}

// cardOf has a pass hand over a finding of an instance.
func cardOf(t *testing.T, s *stage.Stage, rule, account string) {
	t.Helper()
	now := s.Server.World.Clock.Now().UTC()
	id := fmt.Sprintf("%s/%s.push-agent.request", now.In(time.FixedZone("", 8*60*60)).Format(time.DateOnly), now.Format("20060102T150405"))
	deposit(t, s, "ledger/notify/found/"+id+".json", map[string]any{"v": 1, "at": now, "groups": []any{
		map[string]any{"control": "agent", "rule": rule, "outcome": "violation", "severity": "high", "account": account, "regions": []string{server.Home}, "ids": []string{"i-1"}, "count": 1}}})
	body := fmt.Sprintf(`{"v":1,"function":"notify","scope":{"account":"%s","region":"%s"},"kind":"found","ids":["%s"],"try":0}`, server.Sharer, server.Home, id)
	if _, err := s.Server.MNS.Send(mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-notify"}, mns.Outgoing{Body: body}); err != nil {
		t.Fatal(err)
	}
}

func deposit(t *testing.T, s *stage.Stage, key string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Server.OSS.Replace(stack.Bucket, key, text); err != nil {
		t.Fatal(err)
	}
}

// everydayNotify is the story of notify's rights: a channel takes its card, one has no secret,
// one is down at first, and a digest follows a report.
func everydayNotify(t *testing.T, o stage.Options) (*stage.Stage, []string) {
	t.Helper()
	o.Policy = "notify_strict.yaml"
	s := play(t, alone("notify", o))
	s.Server.KMS.RemoveSecret(server.Sharer, server.Home, "fleetwarden-slack")
	if err := s.Server.Faults.Set(1, []simcloud.Fault{{Product: "dingtalk", Kind: simcloud.Unavailable, Count: 2}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	cardOf(t, s, "agent-online", "1000000000000001")
	settle(t, s)
	out := outcome(t, s)
	for _, robot := range receivers {
		out = append(out, fmt.Sprintf("%s: %d posts", robot, len(posts(s, robot))))
	}
	return s, out
}
