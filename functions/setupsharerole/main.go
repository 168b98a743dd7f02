// Command setupsharerole is the function setup-share-role. It owns control share-role:
// the ECS of those with whom encrypted snapshots and images are shared may assume the
// two share roles and use the keys. It may change these two roles and the policies
// fleetwarden-share-*; deploy/ram/setup-share-role.json allows no more than that. RAM
// has no compare-and-set, so one instance serves one window at a time.
package main

import (
	"context"
	"os"
	"os/signal"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
	"fleetwarden/shared/sharerole"
	"fleetwarden/shared/terminal"
)

func main() {
	f := fcrun.Function{
		Name:       "setup-share-role",
		About:      "lets the ECS of approved sharees use encrypted snapshots and images that are shared with them",
		EventsOnly: true,
		Handle:     handle,
	}
	if fcrun.Inside() {
		fcrun.Start(f)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(terminal.Main(ctx, f, terminal.Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
	}))
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	source := events.Batches(events.Decode(call.Payload), events.Filter{
		Kinds:   []events.Kind{events.KindMessage, events.KindImageShare, events.KindResourceShare, events.KindShareStatus},
		Refs:    []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare},
		Own:     []string{fcrun.Role("setup-share-role")},
		Knows:   call.Options.Policy.Knows,
		Reaches: call.Reaches,
		RoleIn:  call.RoleIn,
		PutBack: call.PutBack,
	})
	sum, _, err := reconcile.Run(ctx, controls(call), source, call.Options)
	return sum, err
}

// controls gives the control of an account, with its own keys.
func controls(call *fcrun.Call) reconcile.Of[*fleet.ShareWorld] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[*fleet.ShareWorld], error) {
		session, err := call.In(ctx, account)
		if err != nil {
			return reconcile.Control[*fleet.ShareWorld]{}, err
		}
		roles := ram.New(session)
		return reconcile.Control[*fleet.ShareWorld]{
			Observe: shares(call, account, session).Observe,
			Decide:  rules.ShareRole,
			Steps: []reconcile.Step{
				{Kind: fleet.EnsureShareRole, Act: sharerole.Ensure(roles)},
				{Kind: fleet.SetShareTrust, Act: sharerole.SetTrust(roles)},
				{Kind: fleet.MarkUnused, Act: sharerole.Mark(roles)},
				{Kind: fleet.SetKeyPolicy, Act: sharerole.SetKeys(roles)},
				{Kind: fleet.AttachKeyPolicy, Act: sharerole.Attach(roles)},
				{Kind: fleet.DetachKeyPolicy, Act: sharerole.Detach(roles)},
				{Kind: fleet.MarkRetried, Act: sharerole.MarkRetried(roles)},
				{Kind: fleet.RetryShare, Act: sharerole.Retry(ecs.New(session))},
			},
		}, nil
	}
}

// shares reads what the policy's approvals need of the account's world. The resource
// directory is read with our own keys: a member is not told where the others are.
func shares(call *fcrun.Call, account fleet.AccountID, session *aliyun.Session) observe.Shares {
	approved := call.Options.Policy.ShareRole.Approved
	own := fcrun.Role("setup-share-role")
	if role, ok := call.RoleIn(account); ok {
		own = role // which trusts none but our functions
	}
	return observe.Shares{
		ECS: ecs.New(session), Sharing: sharing.New(session), Keys: kms.New(session),
		Roles: ram.New(session), Directory: directory.New(call.Session), Trail: trail.New(session),
		Home: call.Home.Region, Own: own,
		Folders:       folders(approved),
		AsksDirectory: approved.Directory != "" || len(approved.Folders) > 0,
		Named:         func(id fleet.AccountID) bool { _, ok := approved.Account(id); return ok },
		Now:           session.Now,
	}
}

func folders(a policy.Approved) []string {
	ids := make([]string, len(a.Folders))
	for i, f := range a.Folders {
		ids[i] = f.ID
	}
	return ids
}
