package kms

import (
	"fmt"
	"slices"
	"strings"
)

// States are the documented values of KeyState that a key may be set to.
func States() []string {
	return []string{"Enabled", "Disabled", "PendingDeletion", "PendingImport"}
}

// AddKey makes a customer master key with aliases that was there before the
// story begins. It makes no API call and no trail record.
func (k *KMS) AddKey(account, region string, aliases ...string) (Key, error) {
	if !slices.Contains(k.world.Accounts, account) || !slices.Contains(k.world.Regions, region) {
		return Key{}, fmt.Errorf("adding a key: no account %s or no region %s in this world", account, region)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := place{account, region}
	for _, a := range aliases {
		if !strings.HasPrefix(a, "alias/") || strings.HasPrefix(a, "alias/acs/") || k.find(p, a) != nil {
			return Key{}, fmt.Errorf("adding a key: alias %q is taken, or no alias of a customer's key", a)
		}
	}
	key := k.add(p, false)
	key.Aliases = slices.Clone(aliases)
	return key.copy(), nil
}

// SetState sets the state of a key, named by id, ARN or alias, to one of
// [States]. The APIs that do so are not part of this cloud.
func (k *KMS) SetState(account, region, name, state string) error {
	if !slices.Contains(States(), state) {
		return fmt.Errorf("setting the state of key %s: no state %q, there are %q", name, state, States())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key := k.find(place{account, region}, name)
	if key == nil {
		return fmt.Errorf("setting the state of key %s: there is none in account %s, region %s", name, account, region)
	}
	key.State = state
	return nil
}

func (k *Key) copy() Key {
	out := *k
	out.Aliases = slices.Clone(k.Aliases)
	return out
}
