package kms

import (
	"context"
	"fmt"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type secretRequest struct {
	SecretName *string `json:"SecretName,omitempty" xml:"SecretName,omitempty"`
}

type secretValue struct {
	SecretData     string `json:"SecretData"`
	SecretDataType string `json:"SecretDataType"`
}

// Secret returns the text of the current version of a generic secret of Secrets Manager, with
// GetSecretValue. No error holds the text. It is an error of class [fleet.NotFound] that
// there is no such secret, of [fleet.Absent], without a call, that KMS is not served in the
// region, and of [fleet.Invalid] that the secret is binary or empty.
//
// A secret that a customer's key encrypts needs kms:Decrypt on that key besides
// kms:GetSecretValue.
func (c *Client) Secret(ctx context.Context, region fleet.Region, name string) (string, error) {
	if aliyun.KMS.Absent(region) {
		return "", fleet.WithClass(fleet.Absent, fmt.Errorf("reading secret %s: KMS is not served in %s", name, region))
	}
	got, err := aliyun.Do[secretRequest, secretValue](ctx, c.session,
		aliyun.API{Product: aliyun.KMS, Action: "GetSecretValue", Region: region}, &secretRequest{SecretName: &name})
	switch {
	case err != nil:
		return "", fmt.Errorf("reading secret %s: %w", name, err)
	case got.SecretDataType != "text", got.SecretData == "":
		return "", fleet.WithClass(fleet.Invalid, fmt.Errorf("reading secret %s: it is not a text, or empty", name))
	}
	return got.SecretData, nil
}

type secretMetadata struct {
	SecretName string `json:"SecretName"`
}

// HasSecret reports whether there is a secret of a name, with DescribeSecret: its text is
// not read. Where KMS is not served there is none.
func (c *Client) HasSecret(ctx context.Context, region fleet.Region, name string) (bool, error) {
	if aliyun.KMS.Absent(region) {
		return false, nil
	}
	_, err := aliyun.Do[secretRequest, secretMetadata](ctx, c.session,
		aliyun.API{Product: aliyun.KMS, Action: "DescribeSecret", Region: region}, &secretRequest{SecretName: &name})
	switch {
	case fleet.ClassOf(err) == fleet.NotFound:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for secret %s: %w", name, err)
	}
	return true, nil
}
