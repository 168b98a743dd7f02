package scenario_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/sas"
	"fleetwarden/deploy/local/simcloud/server"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of scripts about Security Center's agent and Cloud Assistant.

func cmdAgent(ts *testscript.TestScript, neg bool, args []string) {
	for _, id := range strings.Split(args[0], ",") {
		status, sub, ok := storyOf(ts).stage.Server.SAS.Agent(server.Sharer, id)
		if !ok { // no two accounts have instances of one id
			status, sub, ok = storyOf(ts).stage.Server.SAS.Agent(server.Member, id)
		}
		if !ok {
			status = "unknown"
		}
		if got := strings.TrimSuffix(status+"/"+sub, "/"); (got == args[1]) == neg {
			ts.Fatalf("the agent of %s is %s", id, got)
		}
	}
}

func cmdBecome(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	for _, id := range strings.Split(args[0], ",") {
		ts.Check(storyOf(ts).stage.Server.SAS.SetAgent(server.Sharer, id, args[1]))
	}
}

func cmdGuest(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	var p ecs.Profile
	for k, v := range pairs(ts, args[1:]) {
		switch k {
		case "assistant":
			p.Assistant = v
		case "version":
			p.Version = v
		case "commands":
			p.Outcome = ecs.Outcome(v)
		default:
			ts.Fatalf("a guest has no %q", k)
		}
	}
	for _, id := range strings.Split(args[0], ",") {
		ts.Check(storyOf(ts).stage.Server.ECS.SetProfile(server.Sharer, id, p))
	}
}

func cmdLag(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	var d sas.Delays
	for k, v := range pairs(ts, args) {
		to, ok := map[string]*time.Duration{"known": &d.Known, "refresh": &d.Refresh, "boot": &d.Boot, "install": &d.Install}[k]
		if !ok {
			ts.Fatalf("Security Center has no delay %q", k)
		}
		var err error
		*to, err = time.ParseDuration(v)
		ts.Check(err)
	}
	storyOf(ts).stage.Server.SAS.SetDelays(d)
}

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s := storyOf(ts).stage.Server
	c := sas.CodeSpec{Account: server.Sharer, Expires: s.World.Clock.Now().Add(24 * time.Hour)}
	for k, v := range pairs(ts, args) {
		switch k {
		case "code":
			c.Code = v
		case "os":
			c.OS = v
		case "onlyImage":
			c.OnlyImage = v == "true"
		case "expires":
			left, err := time.ParseDuration(v)
			ts.Check(err)
			c.Expires = s.World.Clock.Now().Add(left)
		default:
			ts.Fatalf("an install code has no %q", k)
		}
	}
	_, err := s.SAS.SeedCode(c)
	ts.Check(err)
}

func cmdEncoded(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	ts.Setenv(args[0], base64.StdEncoding.EncodeToString([]byte(ts.ReadFile(args[1]))))
}

func cmdHeartbeat(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	for _, id := range strings.Split(args[0], ",") {
		storyOf(ts).stage.Publish(simcloud.Event{
			Account: server.Sharer, Region: server.Home, Source: "acs.ecs", Type: "ecs:CloudAssistant:FirstHeartbeat",
			Data: fmt.Appendf(nil, `{"instanceId": %q}`, id),
		})
	}
}

func cmdCommand(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	for _, c := range storyOf(ts).stage.Server.ECS.Commands().([]ecs.CommandState) {
		if c.Name == args[1] && c.Tasks == nil {
			ts.Setenv(args[0], c.ID)
			return
		}
	}
	ts.Fatalf("there is no command %s", args[1])
}

// tasks are the ends of a command on instances, from all of its invocations: how often
// each came to each status.
func tasks(s *server.Server, command string) map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, c := range s.ECS.Commands().([]ecs.CommandState) {
		if c.Name != command {
			continue
		}
		for id, status := range c.Tasks {
			if out[id] == nil {
				out[id] = map[string]int{}
			}
			out[id][status]++
		}
	}
	return out
}

func cmdRan(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s := storyOf(ts).stage.Server
	ids := slices.DeleteFunc(strings.Split(args[1], ","), func(id string) bool { return id == "" })
	all := tasks(s, args[0])
	for _, id := range ids {
		n := 0
		for status, times := range all[id] {
			if len(args) == 3 || status == args[3] {
				n += times
			}
		}
		if n != number(ts, args[2]) {
			text, err := json.Marshal(all[id])
			ts.Check(err)
			ts.Fatalf("%s ran %d times on %s: %s", args[0], n, id, text)
		}
	}
}
