// Package oss writes, reads and lists whole objects of one bucket. It knows names and
// bytes, not their meaning.
//
// Objects are only created, never replaced, so that a write whose answer was lost can be
// repeated. The first write detects a bucket without that guarantee.
package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	sdk "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// maxObject limits the bytes that are read of one object.
const maxObject = 16 << 20

// maxKeys is the largest page of a listing.
const maxKeys = 1000

// Place is a bucket and its region.
type Place struct {
	Bucket string
	Region fleet.Region
}

// Bucket is one bucket, for one pass.
type Bucket struct {
	session *aliyun.Session
	place   Place
	sdk     *sdk.Client
}

// Open returns a bucket; its calls count in session. Nothing is sent yet.
func Open(session *aliyun.Session, place Place) *Bucket {
	cloud := session.Cloud()
	cfg := sdk.NewConfig().
		WithRegion(string(place.Region)).
		WithEndpoint(cloud.Scheme() + "://oss-" + string(place.Region) + ".aliyuncs.com").
		WithHttpClient(cloud.HTTP()).
		WithRetryMaxAttempts(1). // Session.Retry tries again, and counts
		WithCredentialsProvider(credentials.CredentialsProviderFunc(func(context.Context) (credentials.Credentials, error) {
			return keys(cloud)
		}))
	return &Bucket{session, place, sdk.NewClient(cfg, func(o *sdk.Options) {
		// The SDK would correct its clock in a field that it guards by no lock.
		o.FeatureFlags &^= sdk.FeatureCorrectClockSkew
	})}
}

func keys(cloud *aliyun.Cloud) (credentials.Credentials, error) {
	m, err := cloud.Credential().GetCredential()
	if err != nil {
		return credentials.Credentials{}, fmt.Errorf("getting credentials: %w", err)
	}
	return credentials.Credentials{AccessKeyID: sdk.ToString(m.AccessKeyId), AccessKeySecret: sdk.ToString(m.AccessKeySecret), SecurityToken: sdk.ToString(m.SecurityToken)}, nil
}

// Put creates an object. An existing one of that name is left unchanged, and the error has
// class [fleet.Exists]. After a try without an answer, an object with the same bytes counts
// as written by Put, so writers that compete for a name have to write different bytes.
//
// OSS ignores x-oss-forbid-overwrite in a bucket that has, or ever had, versioning
// (PutObject). There it answers with x-oss-version-id, also while versioning is suspended:
// then the error has class [fleet.NotWriteOnce], and the object has been written, perhaps
// over another.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) error {
	const api = "oss:PutObject"
	sent := 0
	err := b.session.Call(ctx, api, func() error {
		sent++
		res, err := b.sdk.PutObject(ctx, &sdk.PutObjectRequest{
			Bucket: &b.place.Bucket, Key: &key, Body: bytes.NewReader(body), ForbidOverwrite: sdk.Ptr("true"), ContentType: sdk.Ptr("application/json"),
		})
		switch {
		case err != nil:
			return b.translate(ctx, api, err)
		case sdk.ToString(res.ETag) == "":
			return aliyun.NoAnswer(ctx, api, errNoETag, false)
		}
		b.session.SawDate(res.Headers.Get("Date"))
		if sdk.ToString(res.VersionId) != "" {
			return versioned(b.place.Bucket)
		}
		return nil
	})
	if sent > 1 && fleet.ClassOf(err) == fleet.Exists {
		// An earlier try took effect and its answer was lost, or another writer created it.
		there, readErr := b.Get(ctx, key)
		switch {
		case readErr != nil:
			err = readErr
		case bytes.Equal(there, body):
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	return nil
}

// versioned is the error of a bucket that may replace objects.
func versioned(bucket string) error {
	return fleet.WithClass(fleet.NotWriteOnce, fmt.Errorf("the bucket %s has, or had, versioning, and replaces objects that must not change: create one that never had it", bucket))
}

var (
	errNoETag = errors.New("the answer has no ETag")
	errNoName = errors.New("the answer is not a listing")
)

// Get reads an object. The error has class [fleet.NotFound] when there is none.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	const api = "oss:GetObject"
	var body []byte
	err := b.session.Call(ctx, api, func() error {
		res, err := b.sdk.GetObject(ctx, &sdk.GetObjectRequest{Bucket: &b.place.Bucket, Key: &key})
		if err != nil {
			return b.translate(ctx, api, err)
		}
		defer res.Body.Close()
		if sdk.ToString(res.ETag) == "" {
			return aliyun.NoAnswer(ctx, api, errNoETag, false)
		}
		b.session.SawDate(res.Headers.Get("Date"))
		if body, err = io.ReadAll(io.LimitReader(res.Body, maxObject+1)); err != nil {
			return aliyun.NoAnswer(ctx, api, fmt.Errorf("reading the object: %w", err), false)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", key, err)
	case len(body) > maxObject:
		return nil, &fleet.BadInput{Where: key, What: fmt.Sprintf("it is longer than %d bytes", maxObject)}
	}
	return body, nil
}

// Versioning returns the state of the bucket's versioning, Enabled or Suspended, with
// GetBucketVersioning; empty for a bucket that never had any.
func (b *Bucket) Versioning(ctx context.Context) (state string, err error) {
	const api = "oss:GetBucketVersioning"
	err = b.session.Call(ctx, api, func() error {
		res, err := b.sdk.GetBucketVersioning(ctx, &sdk.GetBucketVersioningRequest{Bucket: &b.place.Bucket})
		if err != nil {
			return b.translate(ctx, api, err)
		}
		b.session.SawDate(res.Headers.Get("Date"))
		state = sdk.ToString(res.VersionStatus)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("reading the versioning of bucket %s: %w", b.place.Bucket, err)
	}
	return state, nil
}

// List returns one page of the names that begin with prefix and come after another,
// in order of their bytes. more reports whether there are others after these.
func (b *Bucket) List(ctx context.Context, prefix, after string) (names []string, more bool, err error) {
	const api = "oss:ListObjects"
	req := &sdk.ListObjectsV2Request{Bucket: &b.place.Bucket, Prefix: &prefix, MaxKeys: maxKeys, StartAfter: aliyun.Optional(after)}
	err = b.session.Call(ctx, api, func() error {
		res, err := b.sdk.ListObjectsV2(ctx, req)
		switch {
		case err != nil:
			return b.translate(ctx, api, err)
		case sdk.ToString(res.Name) != b.place.Bucket:
			return aliyun.NoAnswer(ctx, api, errNoName, false)
		}
		b.session.SawDate(res.Headers.Get("Date"))
		for _, o := range res.Contents {
			names = append(names, sdk.ToString(o.Key))
		}
		more = res.IsTruncated
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("listing %s: %w", prefix, err)
	}
	return names, more, nil
}

// translate turns what the SDK returned into an [*aliyun.Error]. No call here is a
// write in the sense of one that must not be sent again.
func (b *Bucket) translate(ctx context.Context, api string, err error) error {
	var e *sdk.ServiceError
	if !errors.As(err, &e) {
		if u := new(url.Error); errors.As(err, &u) {
			err = u.Err // the address says nothing that the error does not, as elsewhere
		}
		return aliyun.NoAnswer(ctx, api, err, false)
	}
	b.session.SawDate(e.Headers.Get("Date"))
	if e.StatusCode < http.StatusBadRequest {
		return aliyun.NoAnswer(ctx, api, fmt.Errorf("HTTP %d is no answer of OSS", e.StatusCode), false)
	}
	return aliyun.NewError(api, e.StatusCode, e.Code, e.Message, e.RequestID, false)
}
