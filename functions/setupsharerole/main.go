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
	roles := ram.New(call.Session)
	control := reconcile.Control[*fleet.ShareWorld]{
		Observe: shares(call, roles).Observe,
		Decide:  rules.ShareRole,
		Steps: []reconcile.Step{
			{Kind: fleet.EnsureShareRole, Act: sharerole.Ensure(roles)},
			{Kind: fleet.SetShareTrust, Act: sharerole.SetTrust(roles)},
			{Kind: fleet.MarkUnused, Act: sharerole.Mark(roles)},
			{Kind: fleet.SetKeyPolicy, Act: sharerole.SetKeys(roles)},
			{Kind: fleet.AttachKeyPolicy, Act: sharerole.Attach(roles)},
			{Kind: fleet.DetachKeyPolicy, Act: sharerole.Detach(roles)},
			{Kind: fleet.MarkRetried, Act: sharerole.MarkRetried(roles)},
			{Kind: fleet.RetryShare, Act: sharerole.Retry(ecs.New(call.Session))},
		},
	}
	source := events.Batches(events.Decode(call.Payload), events.Filter{
		Kinds:   []events.Kind{events.KindMessage, events.KindImageShare, events.KindResourceShare, events.KindShareStatus},
		Refs:    []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare},
		Own:     []string{fcrun.Role("setup-share-role")},
		Knows:   call.Options.Policy.Knows,
		Home:    call.Home.Account,
		PutBack: call.PutBack,
	})
	sum, _, err := reconcile.Run(ctx, reconcile.Same(control), source, call.Options)
	return sum, err
}

// shares reads what the policy's approvals need of the world.
func shares(call *fcrun.Call, roles *ram.Client) observe.Shares {
	approved := call.Options.Policy.ShareRole.Approved
	return observe.Shares{
		ECS: ecs.New(call.Session), Sharing: sharing.New(call.Session), Keys: kms.New(call.Session),
		Roles: roles, Directory: directory.New(call.Session), Trail: trail.New(call.Session),
		Home: call.Home.Region, Own: fcrun.Role("setup-share-role"),
		Folders:       folders(approved),
		AsksDirectory: approved.Directory != "" || len(approved.Folders) > 0,
		Named:         func(id fleet.AccountID) bool { _, ok := approved.Account(id); return ok },
		Now:           call.Session.Now,
	}
}

func folders(a policy.Approved) []string {
	ids := make([]string, len(a.Folders))
	for i, f := range a.Folders {
		ids[i] = f.ID
	}
	return ids
}
