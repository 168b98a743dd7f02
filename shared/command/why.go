package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/aliyun/sls"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/operate/why"
	"fleetwarden/shared/pause"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// Why explains one resource.
func Why() Command {
	return Command{Name: "why", Args: "ID", Most: 1, About: "explain one resource: why it is as it is, and what to do", Long: `
Its first three lines name the cause: the state and what keeps it so; since when, and when it
is checked again; the one thing to do. Below them stands what they rest on: the verdict of each
rule, the policy that applies, the resource as it is, its launch in ActionTrail, what functions
recorded in the ledger, and all that could not be read, each missing right with its RAM action.

ID is that of an instance; or of an image or a snapshot that is shared; or image-share or
snapshot-share, for all that an account shares. An instance is looked for in all regions.
It only reads. Messages in inboxes are not looked at.

  fleetwarden why i-bp67acfmxazb4ph
  fleetwarden why --account 1000000000000003 image-share

Exit status 1 means that something could not be read, or that the resource was not found.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		var q why.Question
		set.StringVar((*string)(&q.Account), "account", "", "the `ID` of the account (default where it is found, first that of the credentials)")
		set.StringVar((*string)(&q.Region), "region", "", "the `ID` of the region to look in first (default that of the profile)")
		set.Var(several(&q.Only), "control", "only this `CONTROL` (may be given again, or with commas)")
		since := set.String("since", "336h", "search the ledger, and for a lost instance ActionTrail, since this `TIME`, such as 36h for so long ago")
		set.IntVar(&q.Most, "most", 2000, "read at most so many `BATCHES` of the ledger, the newest")
		set.DurationVar(&q.Within, "within", 10*time.Second, "read for at most this `TIME`; what did not answer by then is named")
		return func(ctx context.Context, ids []string) error {
			if len(ids) == 0 {
				return Wrong("give the id of a resource; see %s why --help", Tool)
			}
			var err error
			switch q.Subject, err = why.Parse(ids[0]); {
			case err != nil:
				return Wrong("%q is no id that can be explained: %w", ids[0], err)
			case q.Most < 1:
				return Wrong("--most must be at least 1")
			case q.Within <= 0:
				return Wrong("--within must be more than 0s")
			}
			if err := known(q.Only, given(q.Account), given(q.Region), q.Controls()); err != nil {
				return err
			}
			return c.why(ctx, q, *since)
		}
	}}
}

// Explained is a page.
type Explained struct{ why.Page }

var errUnread = errors.New("not all could be read: see the end of the page")

func (c *Call) why(ctx context.Context, q why.Question, since string) error {
	var err error
	if q.Back, err = time.ParseDuration(since); err != nil || q.Back < 0 {
		if q.Since, err = moment("--since", since, time.Time{}); err != nil {
			return err
		}
	}
	inv, err := c.Open(ctx)
	if err != nil {
		return err
	}
	if q.Region == "" {
		q.Region = c.Region
	}
	if err := c.owners(ctx); errors.As(err, new(Elsewhere)) { // it has nothing of what they do
		inv.Store, c.NoLedger = nil, err
	}
	bar := c.Progress("reading", 0)
	page := why.Explain(c.sources(inv).Gather(ctx, q))
	bar.End()
	if ctx.Err() != nil {
		return errors.New("stopped while reading; run it again")
	}
	if err := c.Show(Explained{page}); err != nil {
		return err
	}
	switch {
	case page.Cause.ID == "not-found", page.Cause.ID == "released":
		return fmt.Errorf("there is no instance %s", q.ID)
	case !page.Complete():
		return errUnread
	}
	return nil
}

// sources are the readers with the clients of an invocation.
func (c *Call) sources(inv *invocation.Invocation) *why.Sources {
	build := built()
	s := &why.Sources{
		Home: inv.Home, Build: why.Build{Version: build.Version, Revision: build.Revision}, Policy: inv.Options.Policy, File: c.PolicyFile, Store: inv.Store, NoLedger: c.NoLedger, Past: memory.Reader{Store: inv.Store, Now: inv.Session.Now},
		In: func(ctx context.Context, account fleet.AccountID) (why.Account, error) {
			session, err := inv.In(ctx, account)
			if err != nil {
				return why.Account{}, err
			}
			a := why.Account{Instances: ecs.New(session), Agents: sas.New(session)}
			if account == inv.Home.Account { // elsewhere our role reads no trail: see invocation.SessionPolicy
				a.Trail = trail.New(session)
			}
			return a, nil
		},
		Judge: func(ctx context.Context, ref fleet.Ref, resource string) (why.Judged, error) {
			return judged(ctx, inv, ref, resource)
		},
		Claims: claims,
		Pauses: func(ctx context.Context, account fleet.AccountID) (map[string]why.Pause, error) {
			return paused(ctx, inv, account)
		},
		Sweep: func(ctx context.Context, at fleet.Scope) (why.Sweep, error) { return newestSweep(ctx, inv, at) },
		Deployed: func(ctx context.Context, region fleet.Region) (why.Deployed, error) {
			return newestDeployment(ctx, inv.Store, region)
		},
		Passes: func(ctx context.Context, region fleet.Region, function string, of fleet.Ref, id string, since time.Time) ([]why.Record, bool, error) {
			place := sls.Place{Region: region, Project: fleet.LogProject(fleet.Scope{Account: inv.Home.Account, Region: region}), Name: fleet.LogStore}
			return passes(ctx, sls.New(inv.Session, place), function, of, id, since, inv.Session.Now())
		},
		Calls: inv.Session.Calls, Now: inv.Session.Now,
	}
	for _, a := range inv.Options.Policy.Accounts {
		s.Named = append(s.Named, a.ID)
	}
	return s
}

// judged has all controls judge a ref, as check does.
func judged(ctx context.Context, inv *invocation.Invocation, ref fleet.Ref, resource string) (why.Judged, error) {
	o := inv.Options
	o.DryRun, o.Ledger = true, nil
	b := fleet.Batch{Scope: ref.Scope, Refs: []fleet.Ref{ref}}
	if ref.Kind == fleet.KindInstance {
		past := memory.Reader{Store: inv.Store, Now: inv.Session.Now}
		got, err := judge(ctx, reconcile.NewJudge(all.Few(inv, past), o), b)
		return why.Judged{Verdicts: got}, err
	}
	got, err := reconcile.NewJudge(all.Shares(inv), o).Batch(ctx, b)
	if err != nil {
		return why.Judged{}, err
	}
	return why.Judged{Verdicts: got.Verdicts, Shared: isShared(got.World, resource)}, nil
}

// isShared reports whether a resource is among those that an account shares. It is unknown where
// a list was not read to its end.
func isShared(w *fleet.ShareWorld, resource string) fleet.Fact[bool] {
	why := ""
	for _, side := range w.Sides {
		if !side.Regions.Seen() {
			why = side.Regions.Why
		}
		for _, r := range side.Regions.V {
			if slices.ContainsFunc(r.Resources, func(s fleet.SharedResource) bool { return s.ID == resource }) {
				return fleet.See(true)
			}
			if r.Unread != "" {
				why = r.Unread
			}
		}
	}
	if why != "" {
		return fleet.Unknown[bool](why)
	}
	return fleet.See(false)
}

// claims decodes a trail record of an account.
func claims(record []byte, account fleet.AccountID) (ids []string, call *fleet.Call) {
	for ev, err := range events.DecodeTrail(record, account) {
		if err != nil {
			continue
		}
		for _, ref := range ev.Refs {
			ids, call = append(ids, ref.ID), ref.Call
		}
	}
	return ids, call
}

// paused are the controls whose changes in an account are paused.
func paused(ctx context.Context, inv *invocation.Invocation, account fleet.AccountID) (map[string]why.Pause, error) {
	orders, err := pause.Read(ctx, inv.Store, inv.Session.Now())
	if err != nil {
		return nil, err
	}
	out := map[string]why.Pause{}
	for _, control := range policy.Controls() {
		if o, on := orders.On(control, account, inv.Session.Now()); on {
			o = pause.Fill(ctx, inv.Store, o)
			out[control] = why.Pause{Until: o.Until, Reason: o.Reason, By: o.By}
		}
	}
	return out, nil
}
