package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// scene is the stage, where the repository and the functions are, and where to write.
type scene struct {
	*stage.Stage
	root, bin, out string
	old            old
	shown          string // by the last step, beside what was seen
}

const (
	trustedType = "ecs.g7t.large"
	uefiImage   = "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	systrust    = "AliyunECSInstanceForYundunSysTrustRole"
)

// good is a launch as the rules want it.
func good() stage.Launch {
	return stage.Launch{Region: server.Home, Type: trustedType, Image: uefiImage, Category: "cloud_essd", VSwitch: "vsw-local", Trusted: "vTPM"}
}

// launched runs a launch and lets the world come to rest.
func (s *scene) launched(ctx context.Context, l stage.Launch) []string {
	ids := got(s.Run(ctx, l))
	must(s.Settle(ctx))
	return ids
}

// failure is the error at which a step ends, as a test does.
type failure struct{ error }

// must ends the step if there is an error.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// got is v, if there was no error.
func got[T any](v T, err error) T {
	must(err)
	return v
}

// short is what is shown of a text that has a part; one that lacks it is shown whole.
func short(text, part, shown string) string {
	if strings.Contains(text, part) {
		return shown
	}
	return text
}

// verdict says whether RAM let a call through.
func verdict(what string, err error) string {
	switch {
	case err == nil:
		return what + " allowed"
	case strings.Contains(err.Error(), "NoPermission"), strings.Contains(err.Error(), "Forbidden.RAM"):
		return what + " denied"
	}
	return what + ": " + err.Error()
}

// roles says which roles instances have: the role's name if all have the same.
func (s *scene) roles(ctx context.Context, ids []string) string {
	count, roles := map[string]int{}, got(s.Roles(ctx, server.Home, ids...))
	for _, id := range ids {
		count[cmp.Or(roles[id], "no role")]++
	}
	if len(count) == 1 {
		for role := range count {
			return role
		}
	}
	return fmt.Sprint(count)
}

// records are those that have all these members.
func (s *scene) records(want map[string]string) []stage.Record {
	return slices.DeleteFunc(got(s.Records()), func(r stage.Record) bool { return !r.Match(want) })
}

// first returns a member of the first record that has all these members.
func (s *scene) first(member string, want map[string]string) string {
	if found := s.records(want); len(found) > 0 {
		return found[0][member]
	}
	return "no such record"
}

// outcome returns what a rule said last about one thing.
func (s *scene) outcome(rule, id string) string {
	found := s.records(map[string]string{"type": "finding", "rule": rule, "id": id})
	if len(found) == 0 {
		return "nothing"
	}
	return found[len(found)-1]["outcome"]
}

// changes counts the changes that were done.
func (s *scene) changes() int {
	return len(s.records(map[string]string{"type": "change", "state": "done"}))
}

// unchanged plays something and says whether the world is as it was.
func (s *scene) unchanged(ctx context.Context, play func()) string {
	before := got(s.Digest())
	play()
	must(s.Settle(ctx))
	if before != got(s.Digest()) {
		return "the world has changed"
	}
	return "nothing changed"
}

// under has the operator deploy another policy, plays, and deploys the first policy again.
func (s *scene) under(controls string, play func(policy string)) {
	dir := got(os.MkdirTemp("", "fleetwarden-demo-"))
	defer os.RemoveAll(dir)
	policy := filepath.Join(dir, "policy.yaml")
	must(os.WriteFile(policy, []byte("version: 1\ncontrols: {"+controls+"}\n"), 0o600))
	must(s.Stack.UsePolicy(policy))
	defer func() { must(s.Stack.UsePolicy("")) }()
	play(policy)
}

// waiting runs the tool as the operator types it, while the cloud's time passes.
func (s *scene) waiting(ctx context.Context, args ...string) string {
	following, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Server.World.Clock.Follow(following, 60)
	}()
	defer func() { stop(); <-done }()
	return s.fleetwarden(ctx, args...)
}

// fleetwarden runs the tool as the operator types it.
func (s *scene) fleetwarden(ctx context.Context, args ...string) string {
	return got(s.tool(ctx, args...))
}

// tool is fleetwarden for a command whose exit status is an answer: what it printed is returned
// with the error.
func (s *scene) tool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, stack.Tool), args...)
	cmd.Env = append(os.Environ(), "ALIBABA_CLOUD_ENDPOINT_URL="+s.Server.URL(),
		"FLEETWARDEN_LEDGER=oss://"+stack.Bucket+"/ledger?region="+server.Home,
		"FLEETWARDEN_POLICY="+filepath.Join(s.root, "deploy", "local", "policy.yaml"),
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+stage.Operator.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+stage.Operator.Secret)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", stack.Tool, args[0], err, strings.TrimSpace(said.String()))
	}
	return string(out), err
}
