package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"

	"github.com/rogpeppe/go-internal/testscript"
)

func launching(do func(*stage.Stage, context.Context, stage.Launch) ([]string, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s := storyOf(ts)
		if len(args) == 0 {
			ts.Fatalf("name the launch")
		}
		ids, err := do(s.stage, context.Background(), launch(ts, args[1:]))
		if neg {
			if err == nil {
				ts.Fatalf("the launch succeeded: %v", ids)
			}
			fmt.Fprintln(ts.Stderr(), err)
			return
		}
		ts.Check(err)
		name(ts, args[0], ids)
	}
}

func cmdLaunches(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s, l := storyOf(ts), launch(ts, args[3:])
	every, err := time.ParseDuration(args[2])
	ts.Check(err)
	var all []string
	for range number(ts, args[1]) {
		ids, err := s.stage.Run(context.Background(), l)
		ts.Check(err)
		all = append(all, ids...)
		ctx, stop := soon()
		ts.Check(s.stage.Advance(ctx, every))
		stop()
	}
	name(ts, args[0], all)
}

func name(ts *testscript.TestScript, name string, ids []string) {
	ts.Setenv(name, ids[0])
	ts.Setenv(name+"_IDS", strings.Join(ids, ","))
}

// The launch that scripts vary: a g7t as the rules want it.
const (
	goodType  = "ecs.g7t.large"
	goodImage = "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
)

func launch(ts *testscript.TestScript, args []string) stage.Launch {
	l := stage.Launch{Region: server.Home, Type: goodType, Image: goodImage, Category: "cloud_essd", VSwitch: "vsw-local"}
	for k, v := range pairs(ts, args) {
		switch k {
		case "region":
			l.Region = v
		case "type":
			l.Type = v
		case "image":
			l.Image = v
		case "category":
			l.Category = v
		case "vswitch":
			l.VSwitch = v
		case "amount":
			l.Amount = number(ts, v)
		case "role":
			l.Role = v
		case "trusted":
			l.Trusted = v
		case "confidential":
			l.Confidential = v
		case "hardening":
			l.Hardening = v
		case "tokens":
			l.Tokens = v
		case "template":
			l.TemplateName = v
		case "userdata":
			l.UserData = v
		case "dryrun":
			l.DryRun = v == "true"
		case "console":
			l.Console, l.BuyPage = v == "true", v == "buy-page"
		default:
			tag, ok := strings.CutPrefix(k, "tag:")
			if !ok {
				ts.Fatalf("a launch has no %q", k)
			}
			if l.Tags == nil {
				l.Tags = map[string]string{}
			}
			l.Tags[tag] = v
		}
	}
	return l
}

func number(ts *testscript.TestScript, v string) int {
	n, err := strconv.Atoi(v)
	ts.Check(err)
	return n
}

func cmdCall(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	if len(args) < 4 || args[0] != "-as" {
		ts.Fatalf("call -as WHO VERSION ACTION key=value…")
	}
	var keys stage.Keys
	switch args[1] {
	case "operator":
		keys = stage.Operator
	case "sharee":
		keys = stage.Sharee
	case "member":
		keys = stage.Member
	default:
		var err error
		keys, err = s.stage.KeysOf(args[1])
		ts.Check(err)
	}
	answer, err := s.stage.Call(context.Background(), keys, args[2], args[3], pairs(ts, args[4:]))
	switch {
	case neg && err == nil:
		ts.Fatalf("the call succeeded: %v", answer)
	case neg:
		fmt.Fprintln(ts.Stderr(), err)
	default:
		ts.Check(err)
		text, err := json.Marshal(answer)
		ts.Check(err)
		fmt.Fprintln(ts.Stdout(), string(text))
	}
}
