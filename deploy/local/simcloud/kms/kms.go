// Package kms is simcloud's Key Management Service, API version 2016-01-20, as
// far as ECS and its guards ask it: the account's status, keys and aliases, and the
// secrets of Secrets Manager. Nothing is encrypted here.
package kms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// ServiceAlias is the alias of ECS's service key: one key per account and region.
const ServiceAlias = "alias/acs/ecs"

// KMS is the product.
type KMS struct {
	world *simcloud.World

	mu      sync.Mutex
	status  map[place]string
	keys    map[place][]*Key
	secrets map[place][]*secret
	ids     int
}

type place struct{ account, region string }

// Key is a key and its aliases.
type Key struct {
	ID      string
	ARN     string
	Creator string // the account, or ECS for a service key: assumed
	Service bool
	State   string
	Created time.Time
	Aliases []string
}

// New returns KMS, Enabled everywhere, with ECS's service key in every account
// and region.
func New(w *simcloud.World) *KMS {
	k := &KMS{world: w, status: map[place]string{}, keys: map[place][]*Key{}, secrets: map[place][]*secret{}}
	for _, account := range w.Accounts {
		for _, region := range w.Regions {
			k.add(place{account, region}, true).Aliases = []string{ServiceAlias}
		}
	}
	return k
}

func (k *KMS) add(p place, service bool) *Key {
	k.ids++
	key := &Key{ID: fmt.Sprintf("51c10000-0000-4000-8000-%012x", k.ids), Creator: p.account, Service: service, State: "Enabled"}
	if service {
		key.Creator = "ECS"
	}
	key.ARN = "acs:kms:" + p.region + ":" + p.account + ":key/" + key.ID
	key.Created = k.world.Clock.Now()
	k.keys[p] = append(k.keys[p], key)
	return key
}

// SetStatus sets what DescribeAccountKmsStatus answers: Enabled, NotEnabled,
// InDebt or Suspended.
func (k *KMS) SetStatus(account, region, status string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status[place{account, region}] = status
}

// Status returns the account's status in a region; Enabled unless set.
func (k *KMS) Status(account, region string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return cmp.Or(k.status[place{account, region}], "Enabled")
}

// Find returns a key by id, ARN or alias.
func (k *KMS) Find(account, region, name string) (Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := k.find(place{account, region}, name)
	if key == nil {
		return Key{}, false
	}
	return key.copy(), true
}

func (k *KMS) find(p place, name string) *Key {
	for _, key := range k.keys[p] {
		if key.ID == name || key.ARN == name || slices.Contains(key.Aliases, name) {
			return key
		}
	}
	return nil
}

// State is all keys, statuses and secrets in a fixed order, without the texts of secrets.
func (k *KMS) State() any {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for p, keys := range k.keys {
		for _, key := range keys {
			out = append(out, strings.Join([]string{key.ARN, key.State, strings.Join(key.Aliases, ",")}, " "))
		}
		out = append(out, p.account+" "+p.region+" "+cmp.Or(k.status[p], "Enabled"))
	}
	for _, secrets := range k.secrets {
		for _, s := range secrets {
			out = append(out, s.arn+" "+s.versions[len(s.versions)-1].id)
		}
	}
	slices.Sort(out)
	return out
}
