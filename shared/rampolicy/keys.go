package rampolicy

import (
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// MaxPolicy is how long a custom policy may be, in bytes
// (https://www.alibabacloud.com/help/en/ram/product-overview/limits). How long a trust
// document may be is not published; this is the only length that is.
const MaxPolicy = 6144

// KeyActions returns what the ECS of a sharee does with a key, as
// https://www.alibabacloud.com/help/en/ecs/user-guide/encryption-related-permissions
// grants it.
func KeyActions() []string {
	return []string{"kms:DescribeKey", "kms:TagResource", "kms:UntagResource", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"}
}

// DiskKeyActions returns what ECS needs at least of the keys of its own account's disks:
// the data key of an encrypted disk is made once, and decrypted at each attachment.
func DiskKeyActions() []string {
	return []string{"kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"}
}

// ListKeys is what it does with the keys of a region as a whole.
const ListKeys = "kms:List*"

// Keys are keys as policies name them: acs:kms:<region>:<account>:key/<id>.
type Keys []string

// KeyResource returns the name of a key; false if a policy would read it as more than
// that one.
func KeyResource(k fleet.KMSKey) (string, bool) {
	ok := k.Account.Valid() && plainName(string(k.Region)) && plainName(k.ID)
	return KeysOf(k) + "/" + k.ID, ok
}

// RegionOfKey returns the region in the name of a key or of all keys; "" for no such name.
func RegionOfKey(name string) fleet.Region {
	if parts := strings.Split(name, ":"); len(parts) == 5 {
		return fleet.Region(parts[2])
	}
	return ""
}

// KeysOf returns the name of all keys in the region and account of one.
func KeysOf(k fleet.KMSKey) string {
	return "acs:kms:" + string(k.Region) + ":" + string(k.Account) + ":key"
}

// plainName: letters, digits and dashes.
func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != ""
}

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

// ParseKeyPolicy returns the keys that a policy grants, if it means what [KeyPolicy]
// prints for them.
func ParseKeyPolicy(doc string) (Keys, bool) {
	d, err := Parse(doc)
	if err != nil {
		return nil, false
	}
	var keys Keys
	for i := range d.statements {
		for _, r := range d.statements[i].resources {
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

// Fit adds keys to those of a policy for as long as its document stays within
// [MaxPolicy], and returns those that found no room.
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
