package access

import (
	"fmt"
	"slices"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
)

// Usable says whether an account can use an image or a snapshot of a region: it
// is its own or shared with it, and if it is encrypted, STS and KMS let the
// account's ECS use the key. why says what stands in the way, for people.
func Usable(w *simcloud.World, e *ecs.Service, a *Access, region, id, account string) (ok bool, why string) {
	w.Lock()
	defer w.Unlock()
	x, there := e.Find(region, id)
	if !there {
		return false, fmt.Sprintf("there is no image or snapshot %s in region %s", id, region)
	}
	if x.Owner == account {
		return a.own(x)
	}
	if !x.Community && !slices.Contains(x.Accounts, account) && !a.Shared(x.Resource, account) {
		return false, fmt.Sprintf("%s is not shared with account %s", id, account)
	}
	if x.Key == "" {
		return true, ""
	}
	if d := a.Deny(ecs.Grant{Kind: x.Kind, Owner: x.Owner, Region: region, Key: x.Key, Sharee: account}); d != nil {
		return false, d.Why
	}
	return true, ""
}

// own: an account's own resource needs its key to be enabled.
func (a *Access) own(x ecs.Found) (bool, string) {
	if x.Key == "" {
		return true, ""
	}
	key, ok := a.KMS.Find(x.Owner, x.Region, x.Key)
	if !ok || key.State != "Enabled" {
		return false, fmt.Sprintf("key %s is not enabled", x.Key)
	}
	return true, ""
}
