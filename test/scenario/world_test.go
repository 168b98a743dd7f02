package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stage"

	"github.com/rogpeppe/go-internal/testscript"
)

func cmdStanding(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s, custom := storyOf(ts), map[string]string{}
	var system []string
	for _, p := range args[2:] {
		if name, file, ok := strings.Cut(p, "="); ok {
			custom[name] = ts.ReadFile(file)
		} else {
			system = append(system, p)
		}
	}
	ts.Check(s.stage.Server.RAM.AddRole(server.Sharer, args[0], ts.ReadFile(args[1]), custom))
	for _, name := range system {
		_, err := s.stage.Call(context.Background(), stage.Operator, "2015-05-01", "AttachPolicyToRole",
			map[string]string{"RoleName": args[0], "PolicyName": name, "PolicyType": "System"})
		ts.Check(err)
	}
}

func cmdSeed(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	var f ecs.FleetSpec
	ts.Check(json.Unmarshal(spec(ts, args[1:]), &f))
	f.Count = max(f.Count, 1)
	fleet, err := storyOf(ts).stage.Server.ECS.SeedFleet(f)
	ts.Check(err)
	name(ts, args[0], fleet.IDs)
}

func cmdTemplate(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	post(ts, "templates", string(spec(ts, args)))
}

// spec makes JSON of key=value; a value may be JSON itself, otherwise it is text.
func spec(ts *testscript.TestScript, args []string) []byte {
	out := map[string]any{}
	for k, v := range pairs(ts, args) {
		var value any
		if json.Unmarshal([]byte(v), &value) != nil {
			value = v
		}
		out[k] = value
	}
	body, err := json.Marshal(out)
	ts.Check(err)
	return body
}

func cmdKMS(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	storyOf(ts).stage.Server.KMS.SetStatus(server.Sharer, server.Home, args[0])
}

func cmdSettle(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	ctx, stop := soon()
	defer stop()
	ts.Check(storyOf(ts).stage.Settle(ctx))
}

func cmdAdvance(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ctx, stop := soon()
	defer stop()
	ts.Check(storyOf(ts).stage.Advance(ctx, d))
}

func cmdRunning(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	region := server.Home
	if len(args) > 1 {
		region = args[1]
	}
	for _, id := range strings.Split(args[0], ",") {
		post(ts, "events", fmt.Sprintf(`{"source": "acs.ecs", "type": "ecs:Instance:StateChange", "aliyunregionid": %q,
			"data": {"resourceId": %q, "resourceType": "ALIYUN::ECS::Instance", "state": "Running"}}`, region, id))
	}
}

func cmdEvent(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	times := 1
	if len(args) > 1 {
		times = number(ts, args[1])
	}
	for range times {
		post(ts, "events", ts.ReadFile(args[0]))
	}
}

func cmdSend(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-" + args[0]}
	_, err := storyOf(ts).stage.Server.MNS.Send(inbox, mns.Outgoing{Body: expand(ts, ts.ReadFile(args[1]))})
	ts.Check(err)
}

// post sends a control request; "$NAME" in its text stands for the script's variable.
func post(ts *testscript.TestScript, what, body string) {
	url := storyOf(ts).stage.Server.URL() + "/_sim/" + what
	resp, err := http.Post(url, "application/json", strings.NewReader(expand(ts, body)))
	ts.Check(err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("POST %s: %s", what, resp.Status)
	}
}

func expand(ts *testscript.TestScript, text string) string {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(variables(text)))) {
		text = strings.ReplaceAll(text, "$"+name, ts.Getenv(name))
	}
	return text
}

// variables are the names that text mentions as $NAME.
func variables(text string) map[string]bool {
	out := map[string]bool{}
	for _, part := range strings.Split(text, "$")[1:] {
		end := strings.IndexFunc(part, func(r rune) bool {
			return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		})
		if end < 0 {
			end = len(part)
		}
		out[part[:end]] = true
	}
	return out
}

func cmdInvoke(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	res, err := s.stage.Stack.Invoke(context.Background(), server.Home, args[0], []byte(expand(ts, ts.ReadFile(args[1]))))
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), string(res.Body))
	if (res.ErrorType != "") != neg {
		ts.Fatalf("the function ended with %q: %s", res.ErrorType, res.Body)
	}
}

func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	f := storyOf(ts).stage.Server.Faults
	if args[0] == "none" {
		ts.Check(f.Set(0, nil, simcloud.EventFaults{}))
		return
	}
	post(ts, "faults", ts.ReadFile(args[0]))
}

func cmdMeanwhile(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s := storyOf(ts).stage
	caller, action, params := "fleetwarden-"+args[0], args[1], pairs(ts, args[4:])
	before, once := s.Server.Witness(), sync.Once{}
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		drop := before(c, after)
		if !after && c.Caller.Name == caller && c.Action == action {
			once.Do(func() {
				if _, err := s.Call(context.Background(), stage.Operator, args[2], args[3], params); err != nil {
					fmt.Fprintln(ts.Stderr(), err)
				}
			})
		}
		return drop
	})
}

func cmdCrash(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	storyOf(ts).stage.Stack.Kill(args[0], number(ts, args[1]), fc.When(args[2] == "after"))
}
