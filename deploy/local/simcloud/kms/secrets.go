package kms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// secret is a generic secret of Secrets Manager.
type secret struct {
	name, arn string
	// key is the customer's key that the text is encrypted with; empty for a key of KMS.
	key      string
	created  time.Time
	made     int       // versions so far
	versions []version // the newest last
}

// version is a text of a secret with its stages.
type version struct {
	id, text string
	created  time.Time
}

// The stages that KMS itself gives to the two newest versions.
const (
	current  = "ACSCurrent"
	previous = "ACSPrevious"
)

// stages of the nth version, of which there may be several without any.
func (s *secret) stages(n int) []string {
	switch len(s.versions) - n {
	case 1:
		return []string{current}
	case 2:
		return []string{previous}
	}
	return []string{}
}

// maxVersions is how many versions a generic secret keeps (page of PutSecretValue, 2025-07).
const maxVersions = 10

// SetSecret makes a generic secret of one version, or adds a version to the one of that name.
// key is the id, ARN or alias of the customer's key that encrypts it, as it was made; empty
// for a key of KMS. It makes no API call and no trail record.
func (k *KMS) SetSecret(account, region, name, text, key string) error {
	if !slices.Contains(k.world.Accounts, account) || !slices.Contains(k.world.Regions, region) || name == "" || text == "" {
		return fmt.Errorf("setting a secret: no account %s or no region %s in this world, or no name or no text", account, region)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := place{account, region}
	s := k.secret(p, name)
	if s == nil {
		s = &secret{name: name, arn: "acs:kms:" + region + ":" + account + ":secret/" + name, created: k.world.Clock.Now()}
		if key != "" {
			found := k.find(p, key)
			if found == nil || found.Service {
				return fmt.Errorf("setting a secret: no customer's key %s in account %s, region %s", key, account, region)
			}
			s.key = found.ID
		}
		k.secrets[p] = append(k.secrets[p], s)
	}
	s.made++
	s.versions = append(s.versions, version{fmt.Sprintf("%032x", s.made), text, k.world.Clock.Now()})
	s.versions = s.versions[max(0, len(s.versions)-maxVersions):]
	return nil
}

// RemoveSecret removes a secret with all its versions, as DeleteSecret without recovery does.
func (k *KMS) RemoveSecret(account, region, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := place{account, region}
	k.secrets[p] = slices.DeleteFunc(k.secrets[p], func(s *secret) bool { return s.name == name })
}

// secret finds a secret by name or ARN.
func (k *KMS) secret(p place, name string) *secret {
	for _, s := range k.secrets[p] {
		if s.name == name || s.arn == name {
			return s
		}
	}
	return nil
}

// allowedSecret asks RAM about a secret, whether it is there or not, and finds it.
func (k *KMS) allowedSecret(c *wire.Call, action, name string) (secret, error) {
	target := name
	if !strings.HasPrefix(name, "acs:kms:") {
		target = resource(c, "secret/"+name)
	}
	if err := c.Allow(action, target); err != nil {
		return secret{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.secret(place{c.Caller.Account, c.Region}, name)
	if s == nil {
		return secret{}, errNoSecret()
	}
	out := *s
	out.versions = slices.Clone(s.versions)
	return out, nil
}

// errNoSecret: error table of CreateSecret (2021-07), and the codes that the vendor's
// Terraform provider and SDKs of Secrets Manager know.
func errNoSecret() error {
	return wire.Errorf(404, "Forbidden.ResourceNotFound", "The resource is not found.")
}

// SecretRequest names a secret by name or ARN, and, for its text, the version.
type SecretRequest struct{ SecretName, VersionStage, VersionId string }

// Stages are the stages of a version.
type Stages struct{ VersionStage []string }

// SecretValue is the response of GetSecretValue for a generic secret.
type SecretValue struct {
	SecretName, SecretType, SecretData, SecretDataType, VersionId, CreateTime string
	VersionStages                                                             Stages
}

// GetSecretValue answers the text of a version, the current one unless another is asked for.
// If a customer's key encrypts it, the caller must be allowed to decrypt with that
// (page of GetSecretValue, 2025-07).
func (k *KMS) GetSecretValue(c *wire.Call, in *SecretRequest) (*SecretValue, error) {
	s, err := k.allowedSecret(c, "kms:GetSecretValue", in.SecretName)
	if err != nil {
		return nil, err
	}
	if err := k.decrypts(c, s); err != nil {
		return nil, err
	}
	stage := in.VersionStage
	if in.VersionId == "" {
		stage = cmp.Or(stage, current)
	}
	for n, v := range s.versions {
		has := s.stages(n)
		if (in.VersionId != "" && in.VersionId != v.id) || (stage != "" && !slices.Contains(has, stage)) {
			continue
		}
		return &SecretValue{
			SecretName: s.name, SecretType: "Generic", SecretData: v.text, SecretDataType: "text",
			VersionId: v.id, CreateTime: stamp(v.created), VersionStages: Stages{has},
		}, nil
	}
	return nil, errNoSecret()
}

// decrypts asks whether the caller may use the customer's key of a secret, and whether that
// can be used at all (error table of Decrypt, 2021-07).
func (k *KMS) decrypts(c *wire.Call, s secret) error {
	if s.key == "" {
		return nil
	}
	key, err := k.allowed(c, "kms:Decrypt", s.key)
	if err != nil {
		return err
	}
	if key.State != "Enabled" {
		return wire.Errorf(409, "Rejected.Disabled", "The request was rejected because the key state is %s.", key.State)
	}
	return nil
}

// DescribeSecretRequest names a secret by name or ARN. No secret has tags here.
type DescribeSecretRequest struct{ SecretName, FetchTags string }

// SecretMetadata is the response of DescribeSecret for a generic secret.
type SecretMetadata struct {
	SecretName, SecretType, Arn, EncryptionKeyId, CreateTime, UpdateTime string
}

// DescribeSecret answers all but the text.
func (k *KMS) DescribeSecret(c *wire.Call, in *DescribeSecretRequest) (*SecretMetadata, error) {
	s, err := k.allowedSecret(c, "kms:DescribeSecret", in.SecretName)
	if err != nil {
		return nil, err
	}
	return &SecretMetadata{
		SecretName: s.name, SecretType: "Generic", Arn: s.arn, EncryptionKeyId: s.key,
		CreateTime: stamp(s.created), UpdateTime: stamp(s.versions[len(s.versions)-1].created),
	}, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
