package scenario_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"fleetwarden/deploy/local/stage"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what a script may say beside testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	// cloud [-policy FILE] [-grant OPTIONAL] [-without FUNCTION ACTION] [-regions A,B]
	// [-world A,B] starts the local cloud, with the regions of -world, and deploys the
	// functions, in the regions of -regions. It comes first.
	"cloud": cmdCloud,

	// standing ROLE TRUST [POLICY[=FILE] …] puts a RAM role into the world that stood
	// there before. TRUST and FILE are documents; a POLICY without one is Alibaba
	// Cloud's own.
	"standing": cmdStanding,
	// seed NAME key=value… puts instances into the world without a launch or event;
	// keys are those of POST /_sim/fleet.
	"seed": cmdSeed,
	// template key=value… makes a launch template; keys are those of
	// POST /_sim/templates.
	"template": cmdTemplate,
	// command NAME COMMAND sets $NAME to the id of a Cloud Assistant command.
	"command": cmdCommand,
	// encoded NAME FILE sets $NAME to the Base64 of a file.
	"encoded": cmdEncoded,
	// key NAME ALIAS [REGION [ACCOUNT]] sets $NAME to the id of a new customer master key.
	"key": cmdKey,
	// snapshot and image NAME key=value… put snapshots, or images of the account, into
	// the world; keys are those of POST /_sim/snapshots and /_sim/images.
	"snapshot": cmdSnapshot,
	"image":    cmdImage,
	// unlist PRODUCT [REGION …] has the product's DescribeRegions leave regions out; without
	// any, it lists all again.
	"unlist": cmdUnlist,
	// kms STATUS switches the account's KMS, such as Enabled or NotEnabled.
	"kms": cmdKMS,

	// run NAME key=value… launches by RunInstances; $NAME is the first id, $NAME_IDS all,
	// separated by commas. Keys: type image category vswitch amount role trusted
	// confidential hardening tokens template userdata dryrun console region tag:KEY; key= leaves the
	// usual value out.
	"run": launching((*stage.Stage).Run),
	// launches NAME N EVERY key=value… is "run" N times, with a time EVERY after each.
	"launches": cmdLaunches,
	// create NAME key=value… launches by CreateInstance.
	"create": launching((*stage.Stage).Create),
	// call -as WHO VERSION ACTION key=value… calls an API as a function, or as
	// "operator", "sharee" or "member", and prints the answer. "! call" prints the error.
	"call": cmdCall,

	// guest IDS [assistant=running|silent|absent] [version=V] [commands=OUTCOME] changes
	// how Cloud Assistant behaves on instances; what is left out is as on a sound one.
	"guest": cmdGuest,
	// become IDS STATE puts Security Center's agents into a state of ecs.Agents.
	"become": cmdBecome,
	// lag known=D refresh=D boot=D install=D changes how long Security Center takes.
	"lag": cmdLag,
	// code [code=TEXT] [os=OS] [expires=D] [onlyImage=true] adds an install code.
	"code": cmdCode,

	// settle lets time pass until nothing is on its way; advance DURATION that long.
	"settle":  cmdSettle,
	"advance": cmdAdvance,
	// running IDS [REGION] says, as ECS does, that instances are Running now.
	"running": cmdRunning,
	// heartbeat IDS says, as ECS does, that Cloud Assistant sent its first heartbeat.
	"heartbeat": cmdHeartbeat,
	// event FILE [N] publishes a CloudEvent as if from a service, N times.
	"event": cmdEvent,
	// send FUNCTION FILE puts a message into a function's inbox.
	"send": cmdSend,
	// invoke FUNCTION FILE runs a function once; "! invoke" expects its failure.
	"invoke": cmdInvoke,
	// fault FILE sets the faults that FILE holds as JSON; "fault none" ends them.
	"fault": cmdFault,
	// meanwhile FUNCTION ACTION VERSION ACTION key=value… calls the second API as the
	// operator, once, right before the function's next call of the first is carried out.
	"meanwhile": cmdMeanwhile,
	// crash FUNCTION N before|after kills its process at its Nth call from now.
	"crash": cmdCrash,
	// die FUNCTION ACTION before|after kills its process at its next call of ACTION.
	"die": cmdDie,
	// night has the sweep's timer go off; $SWEEP is the newest sweep. "! night" prints why
	// none was begun.
	"night": cmdNight,
	// report puts the report of $SWEEP into the folder report; "! report": it has none.
	"report": cmdReport,
	// shard ACCOUNT/REGION key=value… checks what the summary of $SWEEP says of a shard:
	// seen, fault, held, RULE/OUTCOME and KIND/STATE, with values as for "record".
	"shard": cmdShard,
	// corrupt PREFIX TEXT puts a text over the last of the ledger's objects that begin so.
	"corrupt": cmdCorrupt,
	// vanish PREFIX takes the ledger's objects that begin so away.
	"vanish": cmdVanish,
	// deposit FUNCTION NAME TEXT makes an object of the ledger as a function, or as "operator";
	// "! deposit" prints why it was refused. fetch FUNCTION NAME reads one.
	"deposit": cmdDeposit,
	"fetch":   cmdFetch,
	// ledger FUNCTION KIND STATE N checks how many changes of that kind the ledger says
	// ended so; the state of an open intent is "open".
	"ledger": cmdLedger,

	// role [-region=R] IDS [ROLE] checks the RAM role of instances; without ROLE: none.
	"role": cmdRole,
	// agent IDS STATUS/SUB checks what Security Center knows of agents; "unknown" for
	// an instance that it does not know.
	"agent": cmdAgent,
	// usable ACCOUNT ID [REGION] checks that the account's ECS can use an image or a snapshot of
	// the sharer: its share, the role, the trust and the key's policy. "! usable": not.
	"usable": cmdUsable,
	// ran COMMAND IDS N [STATUS] checks how often Cloud Assistant was asked to run a
	// command on each of the instances, and how often that came to a status.
	"ran": cmdRan,
	// record [-count=N] key=value… checks that functions wrote such a record. A value
	// TEXT* is a beginning, *TEXT a part. "! record" checks that none did.
	"record": cmdRecord,
	// calls [-done] FUNCTION PRODUCT:ACTION N checks how many such calls reached the
	// cloud; with -done, how many were, or may have been, carried out. "*" stands for
	// all, "<=N" for at most N.
	"calls": cmdCalls,
	// denied FUNCTION [ACTION] checks that RAM denied the function something; FUNCTION
	// may be "member", for the role that functions assume in the member account.
	"denied": cmdDenied,
	// refused FUNCTION TEXT checks that the platform could not do something in the function's
	// name, and said so; "! refused" that all was possible.
	"refused": cmdRefused,
	// letters N checks how many dead letters there are.
	"letters": cmdLetters,
	// posts ROBOT N [TEXT] checks how many posts with that text a robot, or "mail", accepted.
	"posts": cmdPosts,
	// digest NAME notes the world's digest; same NAME checks that nothing changed.
	"digest": cmdDigest,
	"same":   cmdSame,
	// silent TEXT checks that no function wrote TEXT anywhere.
	"silent": cmdSilent,
	// tape keeps the messages that are in any queue after each send from now on.
	"tape": cmdTape,
	// kept logs|ledger|messages|anywhere TEXT checks that TEXT is in what functions wrote:
	// their logs, with all records; the ledger; the messages that "tape" kept.
	"kept": cmdKept,
	// dump prints all records, to write a story by.
	"dump": cmdDump,
}

type storyKey struct{}

// story is one script's world.
type story struct {
	top, bin, work string
	stage          *stage.Stage
	digests        map[string]string
	tape           *tape
}

func (s *story) close() {
	if s.stage != nil {
		_ = s.stage.Close() // the story is over
	}
}

func storyOf(ts *testscript.TestScript) *story {
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
	for len(args) > 0 {
		switch {
		case args[0] == "-policy" && len(args) > 1:
			o.Policy, args = ts.MkAbs(args[1]), args[2:]
		case args[0] == "-grant" && len(args) > 1:
			o.Optional, args = append(o.Optional, args[1]), args[2:]
		case args[0] == "-regions" && len(args) > 1:
			o.Regions, args = strings.Split(args[1], ","), args[2:]
		case args[0] == "-world" && len(args) > 1:
			o.World, args = strings.Split(args[1], ","), args[2:]
		case args[0] == "-without" && len(args) > 2:
			o.Document, args = without(args[1], args[2]), args[3:]
		default:
			ts.Fatalf("cloud: what is %q?", args)
		}
	}
	var err error
	s.stage, err = stage.Open(context.Background(), o)
	ts.Check(err)
}

// without takes one action out of a function's RAM policy.
func without(function, action string) func(function, document string) (string, error) {
	return func(f, document string) (string, error) {
		if f != function {
			return document, nil
		}
		taken := strings.NewReplacer(`"`+action+`", `, "", `, "`+action+`"`, "", `"`+action+`"`, `"none:None"`).Replace(document)
		if taken == document {
			return "", fmt.Errorf("the policy does not name %s", action)
		}
		return taken, nil
	}
}

func cmdUnlist(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	if len(args) == 0 {
		ts.Fatalf("unlist: which product?")
	}
	storyOf(ts).stage.Server.World.Unlist(args[0], args[1:]...)
}

// patience is how long one command may take, in real time.
const patience = 3 * time.Minute

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
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
