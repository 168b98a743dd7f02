// Package access answers, for simcloud's ECS and Resource Sharing, whether one
// account may use another's encrypted image or snapshot: as STS would, when the
// sharee's ECS assumes the sharer's role, and then as KMS would, when that role
// asks for the key.
//
// It keeps no state. It is asked with the World's mutex held; RAM, KMS and the
// directory have mutexes of their own, taken last.
package access

import (
	"fmt"
	"slices"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/kms"
	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
)

// roles are what a sharer must have, by kind of resource: the seed document's
// names, which are the vendor's.
var roles = map[string]string{
	ecs.ImageKind:    "AliyunECSShareEncryptImageDefaultRole",
	ecs.SnapshotKind: "AliyunECSShareEncryptSnapshotDefaultRole",
}

// Of the vendor's sample policy: what the role must be allowed to do with the
// key, and what it must be allowed to list.
var (
	uses = []string{"kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"}
	tags = []string{"kms:TagResource", "kms:UntagResource"}
)

// Shares is what Resource Sharing shares. The world's mutex is held.
type Shares interface {
	Shared(r ecs.Resource, account string) bool
	SharedAtAll(r ecs.Resource) bool
}

// Access implements ecs.Access.
type Access struct {
	RAM       *ram.RAM
	KMS       *kms.KMS
	Directory *resourcemanager.Directory
	Shares
}

// KeyID implements ecs.Access.
func (a *Access) KeyID(account, region, name string) (id string, service bool) {
	key, ok := a.KMS.Find(account, region, name)
	if !ok {
		return "", false
	}
	return key.ID, key.Service
}

// Principal is whose ECS asks: an account, and where it is in a directory; or,
// without an account, whoever may come to be at a path.
type Principal struct {
	Account, Directory, Path string
}

// noAccount stands for an account that is not in a folder yet.
const noAccount = "0000000000000000"

// Of is an account as a principal.
func (a *Access) Of(account string) Principal {
	rd, path, ok := a.Directory.Of(account)
	if !ok {
		return Principal{Account: account}
	}
	return Principal{account, rd, path}
}

func (p Principal) service() string {
	if p.Account == "" {
		return noAccount + "@ecs.aliyuncs.com"
	}
	return p.Account + "@ecs.aliyuncs.com"
}

// keys are the condition keys of the seed document's scenarios 2 and 3. That an
// account outside any directory has neither, and that the path ends with the
// account's id, as ListAccounts shows it, is assumed.
func (p Principal) keys() map[string]string {
	if p.Directory == "" {
		return nil
	}
	return map[string]string{"sts:ServiceOwnerRDId": p.Directory, "sts:ServiceOwnerRDPath": p.Path}
}

// Deny implements ecs.Access.
func (a *Access) Deny(g ecs.Grant) *ecs.Denial { return a.DenyPrincipal(g, a.Of(g.Sharee)) }

// DenyPrincipal is Deny for a principal, whatever g.Sharee is.
func (a *Access) DenyPrincipal(g ecs.Grant, who Principal) *ecs.Denial {
	key, ok := a.KMS.Find(g.Owner, g.Region, g.Key)
	role := roles[g.Kind]
	switch {
	case !ok:
		return denied(ecs.KeyUnusable, "key %s does not exist in account %s, region %s", g.Key, g.Owner, g.Region)
	case key.Service:
		return denied(ecs.KeyOfService, "key %s is ECS's service key, which no other account can use", key.ID)
	case key.State != "Enabled":
		return denied(ecs.KeyUnusable, "key %s is %s", key.ID, key.State)
	}
	if there, _ := a.RAM.RoleVisible(g.Owner, role); !there {
		return denied(ecs.NoRole, "account %s has no role %s", g.Owner, role)
	}
	if !a.RAM.Trusts(g.Owner, role, who.service(), who.keys()) {
		return denied(ecs.NotTrusted, "the trust policy of role %s of account %s does not let %s in", role, g.Owner, who.service())
	}
	return a.denyKey(g, role, key)
}

// denyKey asks for what the vendor's sample policy allows: kms:List* on all keys
// of account and region, written ":key", and the rest on the one key.
func (a *Access) denyKey(g ecs.Grant, role string, key kms.Key) *ecs.Denial {
	all := "acs:kms:" + g.Region + ":" + g.Owner + ":key"
	if !a.RAM.RoleAllows(g.Owner, role, "kms:ListKeys", all) {
		return denied(ecs.NotAllowed, "the policies of role %s do not allow kms:List* on %s", role, all)
	}
	for _, action := range slices.Concat(uses, tags) {
		if a.RAM.RoleAllows(g.Owner, role, action, key.ARN) {
			continue
		}
		cause := ecs.NotAllowed
		if slices.Contains(tags, action) {
			cause = ecs.NoTags
		}
		return denied(cause, "the policies of role %s do not allow %s on %s", role, action, key.ARN)
	}
	return nil
}

func denied(cause ecs.Cause, format string, args ...any) *ecs.Denial {
	return &ecs.Denial{Cause: cause, Why: fmt.Sprintf(format, args...)}
}
