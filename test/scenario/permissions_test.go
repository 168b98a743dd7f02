package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// A function's RAM policy is right when nothing is missing in it and nothing unused:
// the story below goes well with it, and differently without any one of its actions.

// everydayOf is the story of a function, those of instances alone.
func everydayOf(function string) func(*testing.T, stage.Options) (*stage.Stage, []string) {
	switch {
	case function == "sweep":
		return everydaySweep
	case function == "notify":
		return everydayNotify
	case strings.Contains(function, "share"):
		return everydayShares
	}
	return func(t *testing.T, o stage.Options) (*stage.Stage, []string) {
		t.Helper()
		return everyday(t, alone(function, o))
	}
}

func TestNoActionIsMissing(t *testing.T) {
	t.Parallel()
	for _, story := range []func(*testing.T, stage.Options) (*stage.Stage, []string){everyday, everydayShares, everydaySweep, everydayNotify} {
		s, _ := story(t, stage.Options{})
		for _, p := range s.Server.RAM.Permissions() {
			if strings.HasPrefix(p.Caller, "fleetwarden-") && !p.Allowed {
				t.Errorf("%s was denied %s on %s", p.Caller, p.Action, p.Resource)
			}
		}
	}
}

func TestNoActionIsUnused(t *testing.T) {
	t.Parallel()
	for _, function := range woken {
		story := everydayOf(function)
		s, well := story(t, stage.Options{})
		if function == "sweep" { // it reads as the others do, whose stories go without each right
			wantAllAsked(t, s, function)
			continue
		}
		for _, action := range actions(t, function) {
			if slices.Contains(ofOwnStory[function], action) {
				if stories := strings.Join(slices.Collect(maps.Values(scripts(t))), "\n"); !strings.Contains(stories, "-without "+function+" "+action+"\n") {
					t.Errorf("no story goes without %s of %s", action, function)
				}
				continue
			}
			t.Run(function+" without "+action, func(t *testing.T) {
				t.Parallel()
				s, without := story(t, stage.Options{Document: without(function, action)})
				logs, err := s.Logs()
				if err != nil {
					t.Fatal(err)
				}
				if slices.Equal(well, without) && !(slices.Contains(putOff[function], action) && failedFor(logs, action)) {
					t.Error("the story goes as well")
				}
				if !strings.Contains(logs+platform(s), inRefusals(action)) {
					t.Errorf("no record and no error names %s:\n%s", action, records(t, s))
				}
			})
		}
	}
}

// wantAllAsked fails unless a function asked for each of its actions, and was denied none.
func wantAllAsked(t *testing.T, s *stage.Stage, function string) {
	t.Helper()
	used := map[string]bool{}
	for _, p := range s.Server.RAM.Permissions() {
		switch {
		case p.Caller != "fleetwarden-"+function:
		case !p.Allowed:
			t.Errorf("%s was denied %s on %s", function, p.Action, p.Resource)
		default:
			used[p.Action] = true
		}
	}
	for _, action := range actions(t, function) {
		if !used[action] {
			t.Errorf("%s never asked for %s", function, action)
		}
	}
}

// ofOwnStory are the rights that a function needs only under a policy that the story does not have;
// a story of their own goes without them.
var ofOwnStory = map[string][]string{"attach-role": {"ecs:DescribeRegions"}, "validate-instance": {"oss:PutObject"}}

// putOff are the rights by which a function asks to be called again, and for which its
// stream stands in: that tries a window that failed for a day. The invocation that failed for
// want of them is all that differs.
var putOff = map[string][]string{"setup-share-role": {"mns:SendMessage", "mns:BatchSendMessage"}, "notify": {"mns:SendMessage", "mns:BatchSendMessage"}}

// platform is what the platform could not do in functions' names, as it says so.
func platform(s *stage.Stage) string {
	var all strings.Builder
	for _, i := range s.Stack.Invocations() {
		if i.Refused != "" {
			fmt.Fprintf(&all, "%s: %s\n", i.Function, i.Refused)
		}
	}
	return all.String()
}

// failedFor reports whether an invocation failed because an action was refused.
func failedFor(logs, action string) bool {
	for line := range strings.Lines(logs) {
		if strings.Contains(line, "invocation failed") && strings.Contains(line, ": denied:") && strings.Contains(line, inRefusals(action)) {
			return true
		}
	}
	return false
}

// inRefusals returns how the cloud's refusals name an action.
func inRefusals(action string) string {
	if action == "ram:PassRole" {
		return "InvalidUser.PassRoleForbidden"
	}
	return action
}

// actions are all that a function's RAM policy allows.
func actions(t *testing.T, function string) []string {
	t.Helper()
	return named(t, function, func(s statement) any { return s.Action })
}

// resources are all that it allows them on.
func resources(t *testing.T, function string) []string {
	t.Helper()
	return named(t, function, func(s statement) any { return s.Resource })
}

type statement struct{ Action, Resource any }

// named are the words that a function's RAM policy has in a member of its statements.
func named(t *testing.T, function string, member func(statement) any) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "ram", function+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var policy struct{ Statement []statement }
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range policy.Statement {
		switch a := member(s).(type) {
		case string:
			out = append(out, a)
		case []any:
			for _, one := range a {
				out = append(out, one.(string))
			}
		}
	}
	return out
}

// everyday is a story in which the functions have to do all they are for: two launches,
// the role to be made, an old instance without an agent or the trust client, processes
// that die, and something to look at again. It returns what was found, changed and given
// up.
func everyday(t *testing.T, o stage.Options) (*stage.Stage, []string) {
	t.Helper()
	s := play(t, o)
	l := stage.Launch{Region: server.Home, Type: goodType, Image: goodImage, Category: "cloud_essd", VSwitch: "vsw-local", Trusted: "vTPM"}
	s.KillAt("attach-role", "AttachInstanceRamRole", fc.Before)
	for range 2 {
		if _, err := s.Run(context.Background(), l); err != nil {
			t.Fatal(err)
		}
	}
	s.KillAt("push-agent", "InvokeCommand", fc.Before)
	lacking(t, s, ecs.FleetSpec{Count: 1, InstanceType: "ecs.g6t.large"})
	inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-validate-instance"}
	missing := `{"v": 1, "scope": {"account": "1000000000000001", "region": "cn-hangzhou"}, "kind": "instance", "ids": ["i-local999999999999"]}`
	if _, err := s.Server.MNS.Send(inbox, mns.Outgoing{Body: missing}); err != nil {
		t.Fatal(err)
	}
	settle(t, s)
	return s, outcome(t, s)
}

func outcome(t *testing.T, s *stage.Stage) []string {
	t.Helper()
	all, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	out := []string{fmt.Sprintf("%d dead letters", deadLetters(s))}
	for _, r := range all {
		if r["type"] != "pass" {
			out = append(out, strings.Join([]string{r["function"], r["rule"], r["kind"], r["id"], r["outcome"], r["state"], r["evidence"]}, " "))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
