package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/test/simcloud"
	"fleetwarden/test/simcloud/ecs"
	"fleetwarden/test/simcloud/server"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what a script may say beside testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	// cloud [-policy FILE] [-grant OPTIONAL] [-without FUNCTION ACTION] [-role NAME FILE]
	// starts the local cloud and deploys the functions. It comes first.
	"cloud": cmdCloud,
	// run NAME key=value… launches by RunInstances; $NAME is the first id, $NAME_IDS all,
	// separated by commas. Keys: type image category vswitch amount role trusted
	// confidential template userdata dryrun console region tag:KEY.
	"run": launching((*stage.Stage).Run),
	// create NAME key=value… launches by CreateInstance.
	"create": launching((*stage.Stage).Create),
	// seed NAME key=value… puts instances into the world without a launch or event;
	// keys are those of POST /_sim/fleet.
	"seed": cmdSeed,
	// settle lets time pass until nothing is on its way; advance DURATION that long.
	"settle":  cmdSettle,
	"advance": cmdAdvance,
	// role IDS [ROLE] checks the RAM role of instances; without ROLE: none.
	"role": cmdRole,
	// record [-count=N] key=value… checks that functions wrote such a record. A value
	// TEXT* is a beginning, *TEXT a part. "! record" checks that none did.
	"record": cmdRecord,
	// calls FUNCTION PRODUCT:ACTION N checks how many such calls reached the cloud.
	"calls": cmdCalls,
	// call -as WHO VERSION ACTION key=value… calls an API as a function, or as
	// "operator" or "sharee", and prints the answer. "! call" prints the error.
	"call": cmdCall,
	// event FILE publishes a CloudEvent as if from a service; times N sends it N times.
	"event": cmdEvent,
	// invoke FUNCTION FILE runs a function once; "! invoke" expects its failure.
	"invoke": cmdInvoke,
	// fault FILE sets the faults that FILE holds as JSON; "fault none" ends them.
	"fault": cmdFault,
	// kill FUNCTION N before|after kills its process at its Nth call from now.
	"kill": cmdKill,
	// digest NAME notes the world's digest; same NAME checks that nothing changed.
	"digest": cmdDigest,
	"same":   cmdSame,
	// silent TEXT checks that no function wrote TEXT anywhere.
	"silent": cmdSilent,
	// dump prints all records, to write a story by.
	"dump": cmdDump,
	// terminal sets the environment so that "exec" runs a function as the operator.
	"terminal": cmdTerminal,
}

type storyKey struct{}

// story is one script's world.
type story struct {
	top, bin, work string
	stage          *stage.Stage
	digests        map[string]string
}

func (s *story) close() {
	if s.stage != nil {
		_ = s.stage.Close() // the story is told
	}
}

func told(ts *testscript.TestScript) *story {
	s := ts.Value(storyKey{}).(*story)
	if s.stage == nil {
		ts.Fatalf(`the script has to begin with "cloud"`)
	}
	return s
}

func positive(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf(`"!" has no meaning here`)
	}
}

func cmdCloud(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	s := ts.Value(storyKey{}).(*story)
	o := stage.Options{Root: s.top, BinDir: s.bin, LogDir: filepath.Join(s.work, "log")}
	without := map[string]string{}
	for len(args) > 0 {
		switch {
		case args[0] == "-policy" && len(args) > 1:
			o.Policy, args = ts.MkAbs(args[1]), args[2:]
		case args[0] == "-grant" && len(args) > 1:
			o.Optional, args = append(o.Optional, args[1]), args[2:]
		case args[0] == "-without" && len(args) > 2:
			without[args[1]], args = args[2], args[3:]
		default:
			ts.Fatalf("cloud: what is %q?", args)
		}
	}
	o.Document = func(function, document string) (string, error) {
		return withoutAction(document, without[function])
	}
	var err error
	s.stage, err = stage.Open(context.Background(), o)
	ts.Check(err)
}

// withoutAction takes one action out of a RAM policy.
func withoutAction(document, action string) (string, error) {
	if action == "" {
		return document, nil
	}
	taken := strings.NewReplacer(`"`+action+`", `, "", `, "`+action+`"`, "", `"`+action+`"`, `"none:None"`).Replace(document)
	if taken == document {
		return "", fmt.Errorf("the policy does not name %s", action)
	}
	return taken, nil
}

func launching(do func(*stage.Stage, context.Context, stage.Launch) ([]string, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s := told(ts)
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
		case "template":
			l.TemplateName = v
		case "userdata":
			l.UserData = v
		case "dryrun":
			l.DryRun = v == "true"
		case "console":
			l.Console = v == "true"
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

func pairs(ts *testscript.TestScript, args []string) map[string]string {
	out := map[string]string{}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			ts.Fatalf("%q is not key=value", a)
		}
		out[k] = v
	}
	return out
}

func number(ts *testscript.TestScript, v string) int {
	n, err := strconv.Atoi(v)
	ts.Check(err)
	return n
}

func cmdSeed(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	spec := map[string]any{}
	for k, v := range pairs(ts, args[1:]) {
		var value any
		if json.Unmarshal([]byte(v), &value) != nil {
			value = v
		}
		spec[k] = value
	}
	body, err := json.Marshal(spec)
	ts.Check(err)
	var f ecs.FleetSpec
	ts.Check(json.Unmarshal(body, &f))
	fleet, err := told(ts).stage.Server.ECS.SeedFleet(f)
	ts.Check(err)
	name(ts, args[0], fleet.IDs)
}

func cmdSettle(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	ts.Check(told(ts).stage.Settle(ctx))
}

func cmdAdvance(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	ts.Check(told(ts).stage.Advance(ctx, d))
}

func cmdRole(ts *testscript.TestScript, neg bool, args []string) {
	s := told(ts)
	want := ""
	if len(args) > 1 {
		want = args[1]
	}
	for _, id := range strings.Split(args[0], ",") {
		got, err := s.stage.RoleOf(context.Background(), server.Home, id)
		ts.Check(err)
		if (got == want) == neg {
			ts.Fatalf("instance %s has the role %q", id, got)
		}
	}
}

func cmdRecord(ts *testscript.TestScript, neg bool, args []string) {
	count := -1
	if len(args) > 0 && strings.HasPrefix(args[0], "-count=") {
		count = number(ts, strings.TrimPrefix(args[0], "-count="))
		args = args[1:]
	}
	want := pairs(ts, args)
	records, err := told(ts).stage.Records()
	ts.Check(err)
	found := 0
	for _, r := range records {
		if r.Match(want) {
			found++
			ts.Logf("%s", show(r))
		}
	}
	switch {
	case neg && found > 0:
		ts.Fatalf("%d such records", found)
	case !neg && count >= 0 && found != count:
		ts.Fatalf("%d such records, not %d; all:\n%s", found, count, showAll(records))
	case !neg && found == 0:
		ts.Fatalf("no such record; all:\n%s", showAll(records))
	}
}

// show prints what tells records apart.
func show(r stage.Record) string {
	var b strings.Builder
	for _, k := range []string{"type", "function", "control", "rule", "outcome", "kind", "id", "state", "before", "after", "reason", "why", "remedy", "calls"} {
		if r[k] != "" {
			fmt.Fprintf(&b, "%s=%q ", k, r[k])
		}
	}
	return b.String()
}

func showAll(records []stage.Record) string {
	lines := make([]string, len(records))
	for i, r := range records {
		lines[i] = show(r)
	}
	return strings.Join(lines, "\n")
}

func cmdDump(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	records, err := told(ts).stage.Records()
	ts.Check(err)
	ts.Logf("%s", showAll(records))
}

func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	calls := told(ts).stage.Calls("fleetwarden-" + args[0])
	if got := calls[args[1]]; got != number(ts, args[2]) {
		ts.Fatalf("%s called %s %d times, not %s; all: %v", args[0], args[1], got, args[2], calls)
	}
}

func cmdCall(ts *testscript.TestScript, neg bool, args []string) {
	s := told(ts)
	if len(args) < 4 || args[0] != "-as" {
		ts.Fatalf("call -as WHO VERSION ACTION key=value…")
	}
	var keys stage.Keys
	switch args[1] {
	case "operator":
		keys = stage.Operator
	case "sharee":
		keys = stage.Sharee
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

func cmdEvent(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	post(ts, "events", ts.ReadFile(args[0]))
}

// post sends a control request; "$NAME" in its text stands for the script's variable.
func post(ts *testscript.TestScript, what, body string) {
	url := told(ts).stage.Server.URL() + "/_sim/" + what
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
	s := told(ts)
	res, err := s.stage.Stack.Invoke(context.Background(), server.Home, args[0], []byte(expand(ts, ts.ReadFile(args[1]))))
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), string(res.Body))
	if (res.ErrorType != "") != neg {
		ts.Fatalf("the function ended with %q: %s", res.ErrorType, res.Body)
	}
}

func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	f := told(ts).stage.Server.Faults
	if args[0] == "none" {
		ts.Check(f.Set(0, nil, simcloud.EventFaults{}))
		return
	}
	post(ts, "faults", ts.ReadFile(args[0]))
}

func cmdKill(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	told(ts).stage.Stack.Kill(args[0], number(ts, args[1]), fc.When(args[2] == "after"))
}

func digest(ts *testscript.TestScript) string {
	resp, err := http.Get(told(ts).stage.Server.URL() + "/_sim/world?digest=1")
	ts.Check(err)
	defer resp.Body.Close()
	var d struct{ Products map[string]string }
	ts.Check(json.NewDecoder(resp.Body).Decode(&d))
	// Queues hold what waits; the world is what changes are made to.
	delete(d.Products, "mns")
	text, err := json.Marshal(d.Products)
	ts.Check(err)
	return string(text)
}

func cmdDigest(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	told(ts).digests[args[0]] = digest(ts)
}

func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	before, ok := told(ts).digests[args[0]]
	if !ok {
		ts.Fatalf("no digest %s was noted", args[0])
	}
	if now := digest(ts); (now == before) == neg {
		ts.Fatalf("the world's digest was %s and is %s", before, now)
	}
}

func cmdSilent(ts *testscript.TestScript, neg bool, args []string) {
	logs, err := told(ts).stage.Logs()
	ts.Check(err)
	if strings.Contains(logs, args[0]) != neg {
		ts.Fatalf("the functions' output speaks of %q: %t", args[0], !neg)
	}
}

func cmdTerminal(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	s := told(ts)
	ts.Setenv("ALIBABA_CLOUD_ENDPOINT_URL", s.stage.Server.URL())
	ts.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", stage.Operator.ID)
	ts.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", stage.Operator.Secret)
	ts.Setenv("BIN", s.bin)
}
