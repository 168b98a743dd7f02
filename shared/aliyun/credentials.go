package aliyun

import (
	"errors"
	"sync/atomic"

	"github.com/aliyun/credentials-go/credentials"
)

// Keys are a set of credentials. They print only their access key id.
type Keys struct {
	AccessKeyID, AccessKeySecret, SecurityToken string
}

// String keeps secrets out of logs and errors.
func (k Keys) String() string { return "keys of " + k.AccessKeyID }

// GoString is String.
func (k Keys) GoString() string { return k.String() }

// Renewable is a credential that Function Compute renews with every invocation:
// the keys in the environment are those of the instance's start, and expire.
// A session of another account renews its own when they are refused; see [Session.As].
type Renewable struct{ keys atomic.Pointer[Keys] }

var _ credentials.Credential = (*Renewable)(nil)

var errNoKeys = errors.New("no credentials yet: the platform gave none with the invocation")

// Renew replaces the keys for all requests from now on.
func (r *Renewable) Renew(k Keys) { r.keys.Store(&k) }

// GetCredential returns the newest keys, and with an error a model without any.
func (r *Renewable) GetCredential() (*credentials.CredentialModel, error) {
	k := r.keys.Load()
	if k == nil || k.AccessKeyID == "" {
		return &credentials.CredentialModel{}, errNoKeys
	}
	kind := "sts"
	if k.SecurityToken == "" {
		kind = "access_key"
	}
	return &credentials.CredentialModel{
		AccessKeyId: &k.AccessKeyID, AccessKeySecret: &k.AccessKeySecret, SecurityToken: &k.SecurityToken, Type: &kind,
	}, nil
}

// GetAccessKeyId is part of the SDK's interface; the SDK calls GetCredential.
func (r *Renewable) GetAccessKeyId() (*string, error) {
	m, err := r.GetCredential()
	return m.AccessKeyId, err
}

// GetAccessKeySecret is part of the SDK's interface; the SDK calls GetCredential.
func (r *Renewable) GetAccessKeySecret() (*string, error) {
	m, err := r.GetCredential()
	return m.AccessKeySecret, err
}

// GetSecurityToken is part of the SDK's interface; the SDK calls GetCredential.
func (r *Renewable) GetSecurityToken() (*string, error) {
	m, err := r.GetCredential()
	return m.SecurityToken, err
}

// GetBearerToken is part of the SDK's interface; we have none.
func (r *Renewable) GetBearerToken() *string { return new("") }

// GetType is part of the SDK's interface.
func (r *Renewable) GetType() *string { return new("sts") }
