package kms

import "fleetwarden/deploy/local/simcloud/wire"

// Empty is a request without parameters.
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

// KeyRequest names a key by id, ARN or alias.
type KeyRequest struct{ KeyId string }

// KeyMetadata is a key as DescribeKey shows it.
type KeyMetadata struct {
	KeyId, Arn, Creator, KeyState, KeySpec, KeyUsage, Origin, ProtectionLevel, CreationDate string
}

// KeyResponse is the response of DescribeKey.
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
		ProtectionLevel: "SOFTWARE", CreationDate: stamp(key.Created),
	}
}
