package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

func ledgerSound(ctx context.Context, x *examination) answer {
	if x.Ledger == nil {
		return answer{problems: one(Problem{Result: Fail, Says: errNoLedger.Error(), Mend: "deploy, or: export FLEETWARDEN_LEDGER=oss://fleetwarden-" + string(x.account) + "/ledger?region=" + string(x.Home)})}
	}
	a := answer{says: x.Ledger.Address("")}
	state, err := read(ctx, x, x.Ledger.Versioning)
	switch {
	case err != nil:
		a.add(unread("the versioning of the ledger's bucket", x.Home, x.Ledger.Address(""), err))
	case state != "":
		a.add(Problem{Result: Fail, Region: x.Home, ID: x.Ledger.Address(""), Says: fmt.Sprintf("the bucket of %s has, or had, versioning (%s), and replaces objects that must not change", x.Ledger.Address(""), state),
			Mend: "copy what is to be kept into a bucket that never had versioning; delete this one, which needs: terraform -chdir=deploy/terraform state rm 'alicloud_oss_bucket.ledger[0]'; then make deploy"})
	}
	_, err = read(ctx, x, func(ctx context.Context) (struct{}, error) {
		_, _, err := x.Ledger.List(ctx, deployment.Folder, "")
		return struct{}{}, err
	})
	if err != nil {
		a.add(unread("the ledger", x.Home, x.Ledger.Address(""), err))
	}
	theirs, err := read(ctx, x, x.Ledger.OfFunctions)
	switch {
	case err != nil:
		a.add(unread("which ledger the functions have", x.Home, x.Ledger.Address(""), err))
	case theirs != "" && theirs != x.Ledger.Address(""):
		a.add(Problem{Result: Fail, Region: x.Home, ID: x.Ledger.Address(""), Says: fmt.Sprintf("the functions have their ledger in %s, and this is %s: what is compared with it below means nothing", theirs, x.Ledger.Address("")),
			Mend: "unset FLEETWARDEN_LEDGER # the functions' own is found without it"})
	}
	return a
}

func recorded(ctx context.Context, x *examination) answer {
	all, err := x.deployments(ctx)
	if err != nil {
		return answer{problems: one(unread("what was deployed", x.Home, deployment.Folder, err))}
	}
	a := answer{}
	if r, ok := x.newest(ctx); ok {
		a.says = fmt.Sprintf("the newest is of %s, build %s", r.At.UTC().Format(time.DateTime), orNone(r.Build))
	}
	regions, err := x.regions(ctx)
	a.add(x.unknown(err)...)
	for _, region := range regions {
		if _, ok := all[region]; !ok {
			a.add(Problem{Result: Warn, Region: region, ID: deployment.Folder, Says: fmt.Sprintf("the ledger has no record of a deployment of %s: what exists there is not compared with what was deployed", region), Mend: x.deploy(region)})
		}
	}
	return a
}

func orNone(s string) string {
	if s == "" {
		return "(not named)"
	}
	return s
}

// deploy is the command that deploys a region, with the policy file at hand.
func (x *examination) deploy(region fleet.Region) string {
	return policy.DeployCommand(x.Policy.Path, region, x.Home)
}

const (
	sweepsAt = 26 * time.Hour // a night, and two hours
	// sweepsFor is how long a sweep may run: after that another one is begun beside it.
	sweepsFor = 6 * time.Hour
	// sweepsBack is how far back the newest sweep is looked for.
	sweepsBack = 8 * 24 * time.Hour
)

func lastSweep(ctx context.Context, x *examination) answer {
	if x.Ledger == nil {
		return answer{problems: one(Problem{Result: Unread, Says: "not asked: " + errNoLedger.Error(), Mend: "see ledger"})}
	}
	store := readOnly{x.Ledger}
	begun, err := read(ctx, x, func(ctx context.Context) ([]sweep.Began, error) {
		return sweep.Begun(ctx, store, x.now().Add(-sweepsBack))
	})
	var last, dead sweep.Began
	if err == nil && len(begun) > 0 {
		last = begun[len(begun)-1]
		dead, err = unended(ctx, x, store, begun)
	}
	ago := x.now().Sub(last.At)
	if err != nil {
		return answer{problems: one(unread("when the last sweep began and ended", x.Home, fleet.FunctionSweep, err))}
	}
	p := Problem{Result: Fail, Region: x.Home, ID: fleet.FunctionSweep,
		Mend: "aliyun fc POST /2023-03-30/functions/" + fleet.CloudName(fleet.FunctionSweep) + "/invocations --region " + string(x.Home) +
			` --body '{"triggerTime":"now","triggerName":"by-hand","payload":""}' # then see functions-exist, functions-enabled and triggers`}
	r, deployed := x.newest(ctx)
	switch {
	case last.Run == "" && deployed && x.now().Sub(r.At) < sweepsAt:
		return answer{says: "none yet: the deployment is younger than a night"}
	case last.Run == "":
		p.Says = fmt.Sprintf("no sweep began within the last %d days", sweepsBack/(24*time.Hour))
	case ago > sweepsAt:
		p.Says = fmt.Sprintf("the last sweep began %s, %s ago", last.At.Format(time.DateTime), ago.Round(time.Hour))
	case dead.Run != "":
		p.Says = fmt.Sprintf("sweep %s began %s ago and has not ended", dead.Run, x.now().Sub(dead.At).Round(time.Hour))
		p.Mend = "see dead-letters, queues-drained and functions-enabled; then the log of function sweep"
	default:
		return answer{says: "it began " + last.At.Format(time.DateTime)}
	}
	return answer{problems: one(p)}
}

// unended returns the newest sweep that should have ended and has not; none where a newer one has.
// One that may still run says nothing of that before it.
func unended(ctx context.Context, x *examination, store ledger.Store, begun []sweep.Began) (sweep.Began, error) {
	for _, s := range slices.Backward(begun) {
		ended, err := read(ctx, x, func(ctx context.Context) (bool, error) { return sweep.Ended(ctx, store, s.Run) })
		switch {
		case err != nil || ended:
			return sweep.Began{}, err
		case x.now().Sub(s.At) > sweepsFor:
			return s, nil
		}
	}
	return sweep.Began{}, nil
}
