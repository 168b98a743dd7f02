package scenario_test

import (
	"fmt"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/oss"

	"github.com/rogpeppe/go-internal/testscript"
)

// Commands that are about single objects of the ledger.

func cmdVanish(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	keys := kept(storyOf(ts).stage, expand(ts, args[0]))
	if len(keys) == 0 {
		ts.Fatalf("there is no object %s", args[0])
	}
	for _, key := range keys {
		storyOf(ts).stage.Server.OSS.Remove(stack.Bucket, key)
	}
}

// bucketAs is the ledger's bucket as a function reaches it, or the operator.
func bucketAs(ts *testscript.TestScript, function string) *oss.Bucket {
	s := storyOf(ts).stage
	k, err := stage.Operator, error(nil)
	if function != "operator" {
		k, err = s.KeysOf(function)
	}
	ts.Check(err)
	keys := &aliyun.Renewable{}
	keys.Renew(aliyun.Keys{AccessKeyID: k.ID, AccessKeySecret: k.Secret, SecurityToken: k.Token})
	cloud, err := aliyun.NewCloud(keys, s.Server.URL())
	ts.Check(err)
	return oss.Open(cloud.NewSession(0), oss.Place{Bucket: stack.Bucket, Region: server.Home})
}

func cmdDeposit(ts *testscript.TestScript, neg bool, args []string) {
	ctx, stop := soon()
	defer stop()
	outcomeOf(ts, neg, bucketAs(ts, args[0]).Put(ctx, "ledger/"+expand(ts, args[1]), []byte(args[2])))
}

func cmdFetch(ts *testscript.TestScript, neg bool, args []string) {
	ctx, stop := soon()
	defer stop()
	keys := kept(storyOf(ts).stage, expand(ts, args[1]))
	if len(keys) == 0 {
		ts.Fatalf("there is no object %s", args[1])
	}
	body, err := bucketAs(ts, args[0]).Get(ctx, keys[0])
	fmt.Fprint(ts.Stdout(), string(body))
	outcomeOf(ts, neg, err)
}

func outcomeOf(ts *testscript.TestScript, neg bool, err error) {
	if !neg {
		ts.Check(err)
		return
	}
	if err == nil {
		ts.Fatalf("it was carried out")
	}
	fmt.Fprintln(ts.Stderr(), err)
}
