package kms

import (
	"encoding/json"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Error codes: Forbidden.KeyNotFound is documented; Forbidden.AliasNotFound,
// InvalidParameter, Rejected.LimitExceeded for a taken alias are assumed.

// Empty is a request without parameters, or a response with the request id only.
type Empty struct{}

// AccountStatus is the response of DescribeAccountKmsStatus.
type AccountStatus struct{ AccountStatus string }

// DescribeAccountKmsStatus says whether KMS is switched on.
func (k *KMS) DescribeAccountKmsStatus(c *wire.Call, _ *Empty) (*AccountStatus, error) {
	if err := c.Allow("kms:DescribeAccountKmsStatus", resource(c, "*")); err != nil {
		return nil, err
	}
	return &AccountStatus{k.Status(c.Caller.Account, c.Region)}, nil
}

func resource(c *wire.Call, tail string) string {
	return "acs:kms:" + c.Region + ":" + c.Caller.Account + ":" + tail
}

func here(c *wire.Call) place { return place{c.Caller.Account, c.Region} }

// KeyRequest names a key by id, ARN or alias.
type KeyRequest struct{ KeyId string }

// KeyMetadata is a key as DescribeKey shows it.
type KeyMetadata struct {
	KeyId, Arn, Creator, KeyState, KeySpec, KeyUsage, Origin, ProtectionLevel, CreationDate string
}

// KeyResponse is the response of DescribeKey and CreateKey.
type KeyResponse struct{ KeyMetadata KeyMetadata }

// DescribeKey describes one key.
func (k *KMS) DescribeKey(c *wire.Call, in *KeyRequest) (*KeyResponse, error) {
	key, err := k.allowed(c, "kms:DescribeKey", in.KeyId)
	if err != nil {
		return nil, err
	}
	return &KeyResponse{metadata(key)}, nil
}

// allowed finds a key and asks RAM about it; about all keys when there is none,
// so that who may not ask does not learn what exists.
func (k *KMS) allowed(c *wire.Call, action, name string) (Key, error) {
	key, ok := k.Find(c.Caller.Account, c.Region, name)
	target := resource(c, "key")
	if ok {
		target = resource(c, "key/"+key.ID)
	}
	if err := c.Allow(action, target); err != nil {
		return Key{}, err
	}
	if !ok {
		return Key{}, wire.Errorf(404, "Forbidden.KeyNotFound", "The specified Key is not found.")
	}
	return key, nil
}

func metadata(key Key) KeyMetadata {
	return KeyMetadata{
		KeyId: key.ID, Arn: key.ARN, Creator: key.Creator, KeyState: key.State,
		KeySpec: "Aliyun_AES_256", KeyUsage: "ENCRYPT/DECRYPT", Origin: "Aliyun_KMS",
		ProtectionLevel: "SOFTWARE", CreationDate: key.Created.UTC().Format("2006-01-02T15:04:05Z"),
	}
}

// CreateKeyRequest are the parameters of CreateKey that are kept.
type CreateKeyRequest struct{ Description string }

// CreateKey makes a customer master key.
func (k *KMS) CreateKey(c *wire.Call, _ *CreateKeyRequest) (*KeyResponse, error) {
	if err := c.Allow("kms:CreateKey", resource(c, "key")); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return &KeyResponse{metadata(*k.add(here(c), false))}, nil
}

// CreateAliasRequest are the parameters of CreateAlias.
type CreateAliasRequest struct{ AliasName, KeyId string }

// CreateAlias gives a key a name.
func (k *KMS) CreateAlias(c *wire.Call, in *CreateAliasRequest) (*Empty, error) {
	if !strings.HasPrefix(in.AliasName, "alias/") || strings.HasPrefix(in.AliasName, "alias/acs/") {
		return nil, wire.Errorf(400, "InvalidParameter", "AliasName must begin with alias/ and not with alias/acs/.")
	}
	found, err := k.allowed(c, "kms:CreateAlias", in.KeyId)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.find(here(c), in.AliasName) != nil {
		return nil, wire.Errorf(400, "Rejected.AlreadyExists", "The alias is taken.") // assumed
	}
	key := k.find(here(c), found.ID)
	key.Aliases = append(key.Aliases, in.AliasName)
	return &Empty{}, nil
}

// PageRequest asks for a page.
type PageRequest struct{ PageNumber, PageSize int }

// cut returns the bounds of the page in a list of n; 10 a page by default.
func (p PageRequest) cut(n int) (from, to, number, size int, err error) {
	number, size = max(p.PageNumber, 1), p.PageSize
	if size == 0 {
		size = 10
	}
	if p.PageNumber < 0 || size < 1 || size > 100 || number > 1_000_000 {
		return 0, 0, 0, 0, wire.Errorf(400, "InvalidParameter", "PageNumber or PageSize is not valid.")
	}
	from = min((number-1)*size, n)
	return from, min(from+size, n), number, size, nil
}

// ListKeysRequest are the parameters of ListKeys. Filters is a JSON array of
// {"Key","Values"}; the key CreatorType is served, with the values User and
// Service.
type ListKeysRequest struct {
	PageRequest
	Filters string
}

// ListKeysResponse is a page of keys.
type ListKeysResponse struct {
	Keys struct{ Key []KeyEntry }
	PageInfo
}

// PageInfo is the paging part of a list's response.
type PageInfo struct{ PageNumber, PageSize, TotalCount int }

// KeyEntry is a key in a list.
type KeyEntry struct{ KeyId, KeyArn string }

// ListKeys lists the keys of the account in the call's region.
func (k *KMS) ListKeys(c *wire.Call, in *ListKeysRequest) (*ListKeysResponse, error) {
	if err := c.Allow("kms:ListKeys", resource(c, "key")); err != nil {
		return nil, err
	}
	kinds, err := creators(in.Filters)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := []KeyEntry{}
	for _, key := range k.keys[here(c)] {
		kind := "User"
		if key.Service {
			kind = "Service"
		}
		if len(kinds) == 0 || slices.Contains(kinds, kind) {
			keys = append(keys, KeyEntry{key.ID, key.ARN})
		}
	}
	from, to, number, size, err := in.cut(len(keys))
	out := &ListKeysResponse{PageInfo: PageInfo{number, size, len(keys)}}
	out.Keys.Key = keys[from:to]
	return out, err
}

func creators(filters string) ([]string, error) {
	if filters == "" {
		return nil, nil
	}
	var list []struct {
		Key    string
		Values []string
	}
	err := json.Unmarshal([]byte(filters), &list)
	if err != nil || len(list) != 1 || list[0].Key != "CreatorType" {
		return nil, wire.Errorf(400, "InvalidParameter", "simcloud serves the filter CreatorType alone.")
	}
	return list[0].Values, nil
}

// ListAliasesByKeyIdRequest are the parameters of ListAliasesByKeyId.
type ListAliasesByKeyIdRequest struct {
	PageRequest
	KeyId string
}

// ListAliasesResponse is a page of aliases.
type ListAliasesResponse struct {
	Aliases struct{ Alias []AliasEntry }
	PageInfo
}

// AliasEntry is an alias in a list.
type AliasEntry struct{ AliasName, AliasArn, KeyId string }

// ListAliasesByKeyId lists the aliases of one key.
func (k *KMS) ListAliasesByKeyId(c *wire.Call, in *ListAliasesByKeyIdRequest) (*ListAliasesResponse, error) {
	key, err := k.allowed(c, "kms:ListAliasesByKeyId", in.KeyId)
	if err != nil {
		return nil, err
	}
	return aliasPage(c, in.PageRequest, []*Key{&key})
}

// ListAliases lists the aliases of all keys.
func (k *KMS) ListAliases(c *wire.Call, in *PageRequest) (*ListAliasesResponse, error) {
	if err := c.Allow("kms:ListAliases", resource(c, "alias")); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return aliasPage(c, *in, k.keys[here(c)])
}

func aliasPage(c *wire.Call, in PageRequest, keys []*Key) (*ListAliasesResponse, error) {
	all := []AliasEntry{}
	for _, key := range keys {
		for _, a := range key.Aliases {
			all = append(all, AliasEntry{a, resource(c, a), key.ID})
		}
	}
	from, to, number, size, err := in.cut(len(all))
	if err != nil {
		return nil, err
	}
	out := &ListAliasesResponse{PageInfo: PageInfo{number, size, len(all)}}
	out.Aliases.Alias = all[from:to]
	return out, nil
}
