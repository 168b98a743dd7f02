package rampolicy

import (
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// MaxPolicy is the largest custom policy, in bytes
// (https://www.alibabacloud.com/help/en/ram/product-overview/limits). No limit is published
// for trust documents.
const MaxPolicy = 6144

// KeyActions returns the KMS actions that the ECS of a sharee uses, as
// https://www.alibabacloud.com/help/en/ecs/user-guide/encryption-related-permissions grants
// them.
func KeyActions() []string {
	return []string{"kms:DescribeKey", "kms:TagResource", "kms:UntagResource", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"}
}

// DiskKeyActions returns the KMS actions that ECS needs at least for the keys of the
// account's own disks: it generates the data key of an encrypted disk once, and decrypts it
// at each attachment.
func DiskKeyActions() []string {
	return []string{"kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"}
}

// ListKeys is the action on all keys of a region.
const ListKeys = "kms:List*"

// Keys are names of keys in policies: acs:kms:<region>:<account>:key/<id>.
type Keys []string

// KeyResource returns the name of a key; false if a policy would match more than this key.
func KeyResource(k fleet.KMSKey) (string, bool) {
	ok := k.Account.Valid() && plainName(string(k.Region)) && plainName(k.ID)
	return KeysOf(k) + "/" + k.ID, ok
}

// RegionOfKey returns the region in the name of one key or of all keys; "" for any other
// name.
func RegionOfKey(name string) fleet.Region {
	if parts := strings.Split(name, ":"); len(parts) == 5 {
		return fleet.Region(parts[2])
	}
	return ""
}

// KeysOf returns the name of all keys in the region and account of a key.
func KeysOf(k fleet.KMSKey) string {
	return "acs:kms:" + string(k.Region) + ":" + string(k.Account) + ":key"
}

// plainName reports whether s has only letters, digits and dashes.
func plainName(s string) bool {
	return s != "" && strings.Trim(s, alphanumeric+"-") == ""
}

// alphanumeric are the letters and digits of ids.
const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// KeyPolicy returns the policy that grants the use of keys and nothing else.
func KeyPolicy(keys Keys) string {
	keys = sorted(keys)
	lists := make([]string, len(keys))
	for i, key := range keys {
		lists[i], _, _ = strings.Cut(key, "/")
	}
	return document([]string{
		`{"Action":"` + ListKeys + `","Effect":"Allow","Resource":` + array(sorted(lists)) + `}`,
		`{"Action":` + array(KeyActions()) + `,"Effect":"Allow","Resource":` + array(keys) + `}`,
	})
}

// array prints strings that need no quoting.
func array(list []string) string { return `["` + strings.Join(list, `","`) + `"]` }

// ParseKeyPolicy returns the keys that a policy grants, if its meaning is that of a policy
// of [KeyPolicy].
func ParseKeyPolicy(doc string) (Keys, bool) {
	d, err := Parse(doc)
	if err != nil {
		return nil, false
	}
	var keys Keys
	for _, s := range d.statements {
		for _, r := range s.resources {
			list, id, found := strings.Cut(r, ":key/")
			parts := strings.Split(list, ":")
			if !found {
				continue
			}
			if len(parts) != 4 || !plainName(parts[2]) || !fleet.AccountID(parts[3]).Valid() || !plainName(id) {
				return nil, false
			}
			keys = append(keys, r)
		}
	}
	if len(keys) == 0 {
		return nil, false
	}
	want, err := Parse(KeyPolicy(keys))
	return sorted(keys), err == nil && d.Equal(want)
}

// Fit adds keys to a policy while its document stays within [MaxPolicy], and returns the
// keys that do not fit.
func (k Keys) Fit(add Keys) (with, left Keys) {
	with = slices.Clone(k)
	for i, key := range add {
		if len(KeyPolicy(append(with, key))) > MaxPolicy {
			return with, add[i:]
		}
		with = append(with, key)
	}
	return with, nil
}
