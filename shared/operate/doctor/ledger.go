package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
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

// deploy is the command that deploys a region.
func (x *examination) deploy(region fleet.Region) string {
	return fmt.Sprintf("make deploy REGION=%s HOME_REGION=%s", region, x.Home)
}

const (
	sweepsAt = 26 * time.Hour // a night, and two hours
	starts   = "starts/sweep-"
)

func lastSweep(ctx context.Context, x *examination) answer {
	if x.Ledger == nil {
		return answer{problems: one(Problem{Result: Unread, Says: "not asked: " + errNoLedger.Error(), Mend: "see ledger"})}
	}
	at, err := read(ctx, x, func(ctx context.Context) (time.Time, error) { return newestStart(ctx, x.Ledger, x.now()) })
	invoke := "aliyun fc POST /2023-03-30/functions/" + fleet.CloudName(fleet.FunctionSweep) + "/invocations --region " + string(x.Home) +
		` --body '{"triggerTime":"now","triggerName":"by-hand","payload":""}'; then see functions-exist, functions-enabled and triggers`
	if err != nil {
		return answer{problems: one(unread("when the last sweep began", x.Home, starts, err))}
	}
	r, deployed := x.newest(ctx)
	switch {
	case at.IsZero() && deployed && x.now().Sub(r.At) < sweepsAt:
		return answer{says: "none yet: the deployment is younger than a night"}
	case at.IsZero():
		return answer{problems: one(Problem{Result: Fail, Region: x.Home, ID: fleet.FunctionSweep, Says: "no sweep began within the last 8 days", Mend: invoke})}
	case x.now().Sub(at) > sweepsAt:
		return answer{problems: one(Problem{Result: Fail, Region: x.Home, ID: fleet.FunctionSweep, Says: fmt.Sprintf("the last sweep began %s, %s ago", at.Format(time.DateTime), x.now().Sub(at).Round(time.Hour)), Mend: invoke})}
	}
	return answer{says: "it began " + at.Format(time.DateTime)}
}

// newestStart is when the newest sweep of the last 8 days began. The names of the objects
// have the time, and sort by it.
func newestStart(ctx context.Context, l Ledger, now time.Time) (newest time.Time, err error) {
	for after := starts + now.Add(-8*24*time.Hour).UTC().Format(stamp); ; {
		names, more, err := l.List(ctx, starts, after)
		if err != nil {
			return newest, err
		}
		for _, name := range names {
			text, _, _ := strings.Cut(strings.TrimPrefix(name, starts), "-")
			if at, err := time.Parse(stamp, text); err == nil {
				newest = at
			}
		}
		if !more || len(names) == 0 {
			return newest, nil
		}
		after = names[len(names)-1]
	}
}

// stamp is the time in the ids of runs.
const stamp = "20060102T150405Z"
