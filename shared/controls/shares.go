package controls

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
)

// Shares returns, for each account, the control of its shares. Switched off, it reads
// nothing.
func Shares(call *fcrun.Call) reconcile.Of[*fleet.ShareWorld] {
	return fcrun.PerAccount(call, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.ShareWorld], error) {
		c := reconcile.Control[*fleet.ShareWorld]{Observe: ShareWorld(call, account, session).Observe, Decide: rules.ShareRole, InPlace: rules.ShareInPlace}
		if call.Options.Policy.ShareRole.Mode == policy.Off {
			c.Observe = func(context.Context, fleet.Batch) (*fleet.ShareWorld, error) {
				return &fleet.ShareWorld{Account: account, At: session.Now()}, nil
			}
		}
		return c, nil
	})
}

// ShareWorld reads the part of the account's world that the policy's approvals need. The
// resource directory is read with our own keys: a member may not read the folders of
// others.
func ShareWorld(call *fcrun.Call, account fleet.AccountID, session *aliyun.Session) observe.Shares {
	approved := call.Options.Policy.ShareRole.Approved
	return observe.Shares{
		ECS: ecs.New(session), Sharing: sharing.New(session), Keys: kms.New(session),
		Roles: ram.New(session), Directory: directory.New(call.Session),
		Home:          call.Home.Region,
		Folders:       folders(approved),
		AsksDirectory: approved.Directory != "" || len(approved.Folders) > 0,
		Named:         func(id fleet.AccountID) bool { _, ok := approved.Account(id); return ok },
		Guards: func(region fleet.Region) bool {
			return call.Options.Policy.Guards(fleet.Scope{Account: account, Region: region})
		},
		Now: session.Now,
	}
}

func folders(a policy.Approved) []string {
	ids := make([]string, len(a.Folders))
	for i, f := range a.Folders {
		ids[i] = f.ID
	}
	return ids
}
