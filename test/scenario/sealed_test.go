package scenario_test

import (
	"encoding/json"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdKey makes a customer master key with an alias.
func cmdKey(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	account := server.Sharer
	if len(args) > 3 {
		account = args[3]
	}
	key, err := storyOf(ts).stage.Server.KMS.AddKey(account, regionAt(args, 2), args[1])
	ts.Check(err)
	ts.Setenv(args[0], key.ID)
}

// cmdSnapshot puts snapshots into the world.
func cmdSnapshot(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	var f ecs.SnapshotSpec
	ts.Check(json.Unmarshal(spec(ts, args[1:]), &f))
	ids, err := storyOf(ts).stage.Server.ECS.SeedSnapshots(f)
	ts.Check(err)
	name(ts, args[0], ids)
}

// cmdImage puts images of the account into the world.
func cmdImage(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	var f ecs.ImageSpec
	ts.Check(json.Unmarshal(spec(ts, args[1:]), &f))
	made, err := storyOf(ts).stage.Server.ECS.SeedImages(f)
	ts.Check(err)
	ids := make([]string, len(made))
	for i, m := range made {
		ids[i] = m.ID
	}
	name(ts, args[0], ids)
}

// cmdUsable checks whether an account's ECS can really use an image or a snapshot.
func cmdUsable(ts *testscript.TestScript, neg bool, args []string) {
	ok, why := storyOf(ts).stage.Server.Usable(args[0], regionAt(args, 2), args[1])
	if ok == neg {
		ts.Fatalf("%s can use %s: %t; %s", args[0], args[1], ok, why)
	}
}

// regionAt is the argument that may name a region, or the home region.
func regionAt(args []string, n int) string {
	if len(args) > n {
		return args[n]
	}
	return server.Home
}
