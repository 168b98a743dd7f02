package terminal_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// commands are what a script may say beside testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	// typed STATUS ARG… types a command of fleetwarden, which ends with that status.
	"typed": cmdTyped,
	// seed NAME JSON puts instances into the world, as POST /_sim/fleet, and their
	// ids into $NAME, separated by spaces.
	"seed": cmdSeed,
	// standing ROLE adds a RAM role without permissions that ECS may assume.
	"standing": cmdStanding,
	// user NAME [POLICY …] adds a RAM user with system policies; its keys are NAME-ak
	// and NAME-sk.
	"user": cmdUser,
	// fault JSON makes calls go wrong, as one of POST /_sim/faults.
	"fault": cmdFault,
	// remember, and later unchanged: the digest of the whole world.
	"remember":  cmdRemember,
	"unchanged": cmdUnchanged,
	// asked [ACTION …] checks which APIs were called so far, in alphabetical order.
	"asked": cmdAsked,
	// lines FILE TYPE … checks that each line is a record, and the types in order.
	"lines": cmdLines,
	// plain FILE checks that nothing in it steers a terminal.
	"plain": cmdPlain,
	// hostile NAME TEXT seeds an instance named TEXT, with \e for an escape character,
	// \n for a line feed and \b for the C1 control CSI, and its id into $NAME.
	"hostile": cmdHostile,
}

type (
	cloudKey struct{}
)

func cloudOf(ts *testscript.TestScript) *server.Server {
	return ts.Value(cloudKey{}).(*server.Server)
}

func cmdTyped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: typed STATUS ARG…")
	}
	status, exit := 0, (*exec.ExitError)(nil)
	err := ts.Exec("fleetwarden", args[1:]...)
	if errors.As(err, &exit) {
		status, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("it ended with %d, want %s", status, args[0])
	}
}

func cmdSeed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: seed NAME JSON")
	}
	var spec ecs.FleetSpec
	ts.Check(json.Unmarshal([]byte(args[1]), &spec))
	fleet, err := cloudOf(ts).ECS.SeedFleet(spec)
	ts.Check(err)
	ts.Setenv(args[0], strings.Join(fleet.IDs, " "))
}

const ecsTrust = `{"Version":"1","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`

func cmdStanding(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(cloudOf(ts).RAM.AddRole(server.Sharer, args[0], ecsTrust, nil))
}

func cmdUser(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(cloudOf(ts).RAM.AddUser(server.Sharer, args[0], args[0]+"-ak", args[0]+"-sk", args[1:]...))
}

func cmdFault(ts *testscript.TestScript, _ bool, args []string) {
	var fault simcloud.Fault
	ts.Check(json.Unmarshal([]byte(args[0]), &fault))
	ts.Check(cloudOf(ts).Faults.Set(1, []simcloud.Fault{fault}, simcloud.EventFaults{}))
}

func digest(ts *testscript.TestScript) string {
	resp, err := http.Get(cloudOf(ts).URL() + "/_sim/world?digest=1")
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return string(body)
}

func cmdRemember(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("REMEMBERED", digest(ts))
}

func cmdUnchanged(ts *testscript.TestScript, neg bool, _ []string) {
	if got := digest(ts); (got == ts.Getenv("REMEMBERED")) == neg {
		ts.Fatalf("the world is %s, was %s", got, ts.Getenv("REMEMBERED"))
	}
}

func cmdAsked(ts *testscript.TestScript, _ bool, args []string) {
	got := []string{}
	for _, total := range cloudOf(ts).Log.Totals() {
		got = append(got, total.Action)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, args) {
		ts.Fatalf("asked were %q, want %q", got, args)
	}
}

func cmdLines(ts *testscript.TestScript, _ bool, args []string) {
	var types []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var r struct {
			V    int    `json:"v"`
			Type string `json:"type"`
			Time string `json:"time"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.V != 1 || r.Time == "" {
			ts.Fatalf("no record: %v in %q", err, line)
		}
		types = append(types, r.Type)
	}
	if !slices.Equal(types, args[1:]) {
		ts.Fatalf("got records %q, want %q", types, args[1:])
	}
}

func cmdPlain(ts *testscript.TestScript, _ bool, args []string) {
	for _, r := range ts.ReadFile(args[0]) {
		if r != '\n' && (r < ' ' || (r >= 0x7f && r < 0xa0)) {
			ts.Fatalf("%s holds the control character %q", args[0], r)
		}
	}
}

func cmdHostile(ts *testscript.TestScript, _ bool, args []string) {
	spec := ecs.FleetSpec{Count: 1, Role: "-", Name: strings.NewReplacer(`\e`, "\x1b", `\n`, "\n", `\b`, "\u009b").Replace(args[1])}
	fleet, err := cloudOf(ts).ECS.SeedFleet(spec)
	ts.Check(err)
	ts.Setenv(args[0], fleet.IDs[0])
}
