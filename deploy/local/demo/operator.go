package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// The steps on what an operator does when something seems wrong.

// bridge is the version of EventBridge's API, which the aliyun CLI knows by itself.
const bridge = "2020-04-01"

// examined disables an event rule, and carries out the command that the doctor has for it.
func examined(ctx context.Context, s *scene) string {
	const rule = "fleetwarden-instance-running-to-attach-role"
	before := s.examine(ctx)
	got(s.Call(ctx, stage.Operator, bridge, "DisableRule", map[string]string{"EventBusName": "default", "RuleName": rule}))
	broken := s.examine(ctx)
	if len(broken) != 1 {
		return fmt.Sprintf("before: %v; broken: %v", before, broken)
	}
	command, isOf := strings.CutPrefix(broken[0].Mend, "aliyun eventbridge ")
	action, _, _ := strings.Cut(command, " ")
	if !isOf {
		return broken[0].String()
	}
	got(s.Call(ctx, stage.Operator, bridge, action, flags(command)))
	return fmt.Sprintf("well: %t; %s, aliyun eventbridge %s; well again: %t", len(before) == 0, broken[0], action, len(s.examine(ctx)) == 0)
}

// flags are those of a command line, without the region, by which the CLI finds an endpoint.
func flags(command string) map[string]string {
	out, words := map[string]string{}, strings.Fields(command)
	for i, w := range words[:len(words)-1] {
		if name, ok := strings.CutPrefix(w, "--"); ok && name != "region" {
			out[name] = words[i+1]
		}
	}
	return out
}

// problem is one that the doctor has named.
type problem struct{ check, Result, Mend string }

func (p problem) String() string { return p.check + ": " + p.Result }

// examine runs the doctor, whose exit status is 1 where something is wrong. It leaves out that
// the operator cannot enter the member's role, which trusts the functions alone.
func (s *scene) examine(ctx context.Context) (out []problem) {
	text, err := s.tool(ctx, "doctor", "--json")
	if text == "" {
		must(err)
	}
	var page struct {
		Categories []struct {
			Checks []struct {
				ID       string
				Problems []problem
			}
		}
	}
	must(json.Unmarshal([]byte(text), &page))
	for _, category := range page.Categories {
		for _, c := range category.Checks {
			for _, p := range c.Problems {
				p.check = c.ID
				if p.check != "members" || p.Result != "warn" {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// paused launches an instance while all changes are paused, and lets the pause end.
func paused(ctx context.Context, s *scene) string {
	s.fleetwarden(ctx, "pause", "--for", "1h", "--reason", "a release")
	ids := got(s.Run(ctx, good()))
	must(s.Advance(ctx, 30*time.Minute))
	meanwhile := fmt.Sprintf("systrust-role: %s, %s", s.outcome("systrust-role", ids[0]), s.roles(ctx, ids))
	must(s.Settle(ctx))
	return fmt.Sprintf("paused: %s; after its end: %s", meanwhile, s.roles(ctx, ids))
}

// notified deploys the local policy with a channel, tries that, and lets a sweep be reported
// there. The digest is shown as it was posted.
func notified(ctx context.Context, s *scene) string {
	dir := got(os.MkdirTemp("", "fleetwarden-demo-"))
	defer os.RemoveAll(dir)
	local := got(os.ReadFile(filepath.Join(s.root, "deploy", "local", "policy.yaml")))
	policy := filepath.Join(dir, "policy.yaml")
	must(os.WriteFile(policy, append(local, "\nnotify: {channels: {ops: {type: dingtalk, secret: fleetwarden-dingtalk}}}\n"...), 0o600))
	must(s.Stack.UsePolicy(policy))
	defer func() { must(s.Stack.UsePolicy("")) }()
	tried := strings.TrimSpace(s.fleetwarden(ctx, "notify", "--test", "ops", "--policy", policy))
	got(s.Stack.Invoke(ctx, server.Home, "sweep", []byte(`{"triggerTime":"2026-01-07T19:30:00Z","triggerName":"every-night","payload":""}`)))
	must(s.Settle(ctx))
	digests := 0
	for _, p := range s.Server.Robots.Accepted("dingtalk") {
		var m struct{ Markdown struct{ Text string } }
		must(json.Unmarshal([]byte(p.Body), &m))
		if strings.Contains(m.Markdown.Text, "digest.sweep-") {
			digests++
			s.shown = m.Markdown.Text
		}
	}
	return fmt.Sprintf("%s; %d digest", tried, digests)
}
