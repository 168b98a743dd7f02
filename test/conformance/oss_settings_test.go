package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"

	"fleetwarden/deploy/local/simcloud/server"
)

// wantOSS checks status and code of an error of the OSS SDK.
func wantOSS(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *oss.ServiceError
	got := "no error"
	if errors.As(err, &e) {
		got = fmt.Sprint(e.StatusCode, " ", e.Code)
	} else if err != nil {
		got = err.Error()
	}
	if want := fmt.Sprint(status, " ", code); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func withBucket(t *testing.T) (*cloud, *oss.Client) {
	c := newCloud(t, server.Options{})
	c.ok(c.OSS.CreateBucket(server.Sharer, server.Home, "ledger"))
	return c, c.oss(sharerAdmin)
}

var ledger = oss.Ptr("ledger")

func TestABucketsSettingsAreWrittenShownAndDeleted(t *testing.T) {
	c, api := withBucket(t)
	ctx := t.Context()
	_, err := api.GetBucketLifecycle(ctx, &oss.GetBucketLifecycleRequest{Bucket: ledger})
	wantOSS(t, err, 404, "NoSuchLifecycle")
	_, err = api.GetBucketEncryption(ctx, &oss.GetBucketEncryptionRequest{Bucket: ledger})
	wantOSS(t, err, 404, "NoSuchServerSideEncryptionRule")
	_, err = api.GetBucketPublicAccessBlock(ctx, &oss.GetBucketPublicAccessBlockRequest{Bucket: ledger})
	wantOSS(t, err, 404, "NoSuchPublicAccessBlockConfiguration")
	c.ok(settings(ctx, api))
	life, err := api.GetBucketLifecycle(ctx, &oss.GetBucketLifecycleRequest{Bucket: ledger})
	if c.ok(err); *life.LifecycleConfiguration.Rules[0].ID != "old" || *life.LifecycleConfiguration.Rules[0].Expiration.Days != 400 {
		t.Errorf("lifecycle %+v", life.LifecycleConfiguration)
	}
	enc, err := api.GetBucketEncryption(ctx, &oss.GetBucketEncryptionRequest{Bucket: ledger})
	if c.ok(err); *enc.ServerSideEncryptionRule.ApplyServerSideEncryptionByDefault.SSEAlgorithm != "AES256" {
		t.Errorf("encryption %+v", enc.ServerSideEncryptionRule)
	}
	block, err := api.GetBucketPublicAccessBlock(ctx, &oss.GetBucketPublicAccessBlockRequest{Bucket: ledger})
	if c.ok(err); !*block.PublicAccessBlockConfiguration.BlockPublicAccess {
		t.Errorf("block %+v", block.PublicAccessBlockConfiguration)
	}
	tags, err := api.GetBucketTags(ctx, &oss.GetBucketTagsRequest{Bucket: ledger})
	if c.ok(err); *tags.Tagging.TagSet.Tags[0].Key != "fleetwarden:deployment" {
		t.Errorf("tags %+v", tags.Tagging)
	}
	info, err := api.GetBucketInfo(ctx, &oss.GetBucketInfoRequest{Bucket: ledger})
	c.ok(err)
	b := info.BucketInfo
	got := fmt.Sprintln(*b.Name, *b.Location, *b.ACL, *b.SseRule.SSEAlgorithm, *b.BlockPublicAccess, *b.Owner.ID)
	if got != "ledger oss-cn-hangzhou private AES256 true 1000000000000001\n" {
		t.Errorf("info %s", got)
	}
	_, err = api.DeleteBucketEncryption(ctx, &oss.DeleteBucketEncryptionRequest{Bucket: ledger})
	c.ok(err)
	_, err = api.GetBucketEncryption(ctx, &oss.GetBucketEncryptionRequest{Bucket: ledger})
	wantOSS(t, err, 404, "NoSuchServerSideEncryptionRule")
}

// settings are those of a ledger's bucket.
func settings(ctx context.Context, api *oss.Client) error {
	_, a := api.PutBucketLifecycle(ctx, &oss.PutBucketLifecycleRequest{Bucket: ledger, LifecycleConfiguration: &oss.LifecycleConfiguration{
		Rules: []oss.LifecycleRule{{ID: oss.Ptr("old"), Prefix: oss.Ptr("runs/"), Status: oss.Ptr("Enabled"), Expiration: &oss.LifecycleRuleExpiration{Days: oss.Ptr(int32(400))}}}}})
	_, b := api.PutBucketEncryption(ctx, &oss.PutBucketEncryptionRequest{Bucket: ledger, ServerSideEncryptionRule: &oss.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &oss.ApplyServerSideEncryptionByDefault{SSEAlgorithm: oss.Ptr("AES256")}}})
	_, c := api.PutBucketPublicAccessBlock(ctx, &oss.PutBucketPublicAccessBlockRequest{Bucket: ledger,
		PublicAccessBlockConfiguration: &oss.PublicAccessBlockConfiguration{BlockPublicAccess: oss.Ptr(true)}})
	_, d := api.PutBucketTags(ctx, &oss.PutBucketTagsRequest{Bucket: ledger, Tagging: &oss.Tagging{TagSet: &oss.TagSet{
		Tags: []oss.Tag{{Key: oss.Ptr("fleetwarden:deployment"), Value: oss.Ptr("one")}}}}})
	return errors.Join(a, b, c, d)
}

func TestABucketStaysPrivateWherePublicAccessIsBlocked(t *testing.T) {
	c, api := withBucket(t)
	ctx := t.Context()
	acl := func(to oss.BucketACLType) error {
		_, err := api.PutBucketAcl(ctx, &oss.PutBucketAclRequest{Bucket: ledger, Acl: to})
		return err
	}
	c.ok(acl(oss.BucketACLPublicRead))
	got, err := api.GetBucketAcl(ctx, &oss.GetBucketAclRequest{Bucket: ledger})
	if c.ok(err); *got.ACL != "public-read" {
		t.Errorf("acl %s", *got.ACL)
	}
	c.ok(acl(oss.BucketACLPrivate))
	c.ok(settings(ctx, api))
	wantOSS(t, acl(oss.BucketACLPublicRead), 403, "AccessDenied")
	wantOSS(t, acl("moon"), 400, "InvalidArgument")
}

// TestABucketIsMadeWithItsACL: what PutBucket says of the new bucket counts, and another one
// sets it again (PutBucket's page: later calls modify the bucket's metadata).
func TestABucketIsMadeWithItsACL(t *testing.T) {
	c := newCloud(t, server.Options{})
	api, ctx := c.oss(sharerAdmin), t.Context()
	for _, tt := range []struct {
		put, want oss.BucketACLType
	}{{"public-read", "public-read"}, {"", "public-read"}, {"private", "private"}} {
		q := &oss.PutBucketRequest{Bucket: ledger, Acl: tt.put, CreateBucketConfiguration: &oss.CreateBucketConfiguration{
			StorageClass: oss.StorageClassStandard, DataRedundancyType: oss.DataRedundancyLRS}}
		_, err := api.PutBucket(ctx, q)
		c.ok(err)
		got, err := api.GetBucketAcl(ctx, &oss.GetBucketAclRequest{Bucket: ledger})
		if c.ok(err); *got.ACL != string(tt.want) {
			t.Errorf("PutBucket with ACL %q: got %s, want %s", tt.put, *got.ACL, tt.want)
		}
	}
	other := oss.Ptr("other")
	_, err := api.PutBucket(ctx, &oss.PutBucketRequest{Bucket: other, Acl: "moon"})
	wantOSS(t, err, 400, "InvalidArgument")
	_, err = api.PutBucket(ctx, &oss.PutBucketRequest{Bucket: other, CreateBucketConfiguration: &oss.CreateBucketConfiguration{DataRedundancyType: oss.DataRedundancyZRS}})
	wantOSS(t, err, 501, "NotImplemented")
	_, err = api.GetBucketAcl(ctx, &oss.GetBucketAclRequest{Bucket: other})
	wantOSS(t, err, 404, "NoSuchBucket")
}

// TestWhatABucketWasNeverGivenIsShownAsMissing: each API's page has the answer for a bucket
// without the setting. Terraform asks for all of them.
func TestWhatABucketWasNeverGivenIsShownAsMissing(t *testing.T) {
	c, api := withBucket(t)
	ctx := t.Context()
	for code, read := range map[string]func() error{
		"NoSuchCORSConfiguration": func() error {
			_, err := api.GetBucketCors(ctx, &oss.GetBucketCorsRequest{Bucket: ledger})
			return err
		},
		"NoSuchWebsiteConfiguration": func() error {
			_, err := api.GetBucketWebsite(ctx, &oss.GetBucketWebsiteRequest{Bucket: ledger})
			return err
		},
		"NoSuchBucketPolicy": func() error {
			_, err := api.GetBucketPolicy(ctx, &oss.GetBucketPolicyRequest{Bucket: ledger})
			return err
		},
		"NoSuchTransferAccelerationConfiguration": func() error {
			_, err := api.GetBucketTransferAcceleration(ctx, &oss.GetBucketTransferAccelerationRequest{Bucket: ledger})
			return err
		},
	} {
		wantOSS(t, read(), 404, code)
	}
	logging, err := api.GetBucketLogging(ctx, &oss.GetBucketLoggingRequest{Bucket: ledger})
	if c.ok(err); logging.BucketLoggingStatus.LoggingEnabled != nil {
		t.Errorf("logging %+v", logging.BucketLoggingStatus)
	}
	referer, err := api.GetBucketReferer(ctx, &oss.GetBucketRefererRequest{Bucket: ledger})
	if c.ok(err); !*referer.RefererConfiguration.AllowEmptyReferer {
		t.Errorf("referers %+v", referer.RefererConfiguration)
	}
	group, err := api.GetBucketResourceGroup(ctx, &oss.GetBucketResourceGroupRequest{Bucket: ledger})
	if c.ok(err); *group.BucketResourceGroupConfiguration.ResourceGroupId == "" {
		t.Error("no resource group")
	}
}

func TestSettingsThatAreNoneAreRefused(t *testing.T) {
	_, api := withBucket(t)
	ctx := t.Context()
	_, err := api.PutBucketEncryption(ctx, &oss.PutBucketEncryptionRequest{Bucket: ledger, ServerSideEncryptionRule: &oss.ServerSideEncryptionRule{}})
	wantOSS(t, err, 400, "MalformedXML")
	_, err = api.PutBucketLifecycle(ctx, &oss.PutBucketLifecycleRequest{Bucket: ledger, LifecycleConfiguration: &oss.LifecycleConfiguration{}})
	wantOSS(t, err, 400, "MalformedXML")
	_, err = api.GetBucketInfo(ctx, &oss.GetBucketInfoRequest{Bucket: oss.Ptr("none")})
	wantOSS(t, err, 404, "NoSuchBucket")
}

func TestSettingsNeedTheirRights(t *testing.T) {
	ctx := t.Context()
	calls := map[string]func(*oss.Client) error{
		"GetBucketInfo": func(x *oss.Client) error {
			_, err := x.GetBucketInfo(ctx, &oss.GetBucketInfoRequest{Bucket: ledger})
			return err
		},
		"GetBucketAcl": func(x *oss.Client) error {
			_, err := x.GetBucketAcl(ctx, &oss.GetBucketAclRequest{Bucket: ledger})
			return err
		},
		"PutBucketAcl": func(x *oss.Client) error {
			_, err := x.PutBucketAcl(ctx, &oss.PutBucketAclRequest{Bucket: ledger, Acl: "private"})
			return err
		},
		"GetBucketLifecycle": func(x *oss.Client) error {
			_, err := x.GetBucketLifecycle(ctx, &oss.GetBucketLifecycleRequest{Bucket: ledger})
			return err
		},
		"GetBucketEncryption": func(x *oss.Client) error {
			_, err := x.GetBucketEncryption(ctx, &oss.GetBucketEncryptionRequest{Bucket: ledger})
			return err
		},
		"GetBucketTagging": func(x *oss.Client) error {
			_, err := x.GetBucketTags(ctx, &oss.GetBucketTagsRequest{Bucket: ledger})
			return err
		},
		"GetBucketCors": func(x *oss.Client) error {
			_, err := x.GetBucketCors(ctx, &oss.GetBucketCorsRequest{Bucket: ledger})
			if ossCode(err) == "404 NoSuchCORSConfiguration" {
				return nil
			}
			return err
		},
		"GetBucketReferer": func(x *oss.Client) error {
			_, err := x.GetBucketReferer(ctx, &oss.GetBucketRefererRequest{Bucket: ledger})
			return err
		},
		"GetBucketPublicAccessBlock": func(x *oss.Client) error {
			_, err := x.GetBucketPublicAccessBlock(ctx, &oss.GetBucketPublicAccessBlockRequest{Bucket: ledger})
			return err
		},
	}
	for action, call := range calls {
		c, admin := withBucket(t)
		c.ok(settings(ctx, admin))
		alone := c.acting("alone", `{"Effect":"Allow","Action":"oss:`+action+`","Resource":"acs:oss:*:*:ledger"}`)
		others := c.acting("all-else", `{"Effect":"Allow","Action":"oss:*","Resource":"*"},{"Effect":"Deny","Action":"oss:`+action+`","Resource":"*"}`)
		wantOSS(t, call(c.oss(others)), 403, "AccessDenied")
		if err := call(c.oss(alone)); err != nil {
			t.Errorf("%s alone: %v", action, err)
		}
	}
	c, admin := withBucket(t)
	c.ok(settings(ctx, admin))
	if err := settings(ctx, c.oss(c.acting("reader", `{"Effect":"Allow","Action":"oss:Get*","Resource":"*"}`))); err == nil || strings.Count(err.Error(), "AccessDenied") < 4 {
		t.Errorf("a reader wrote: %v", err)
	}
}
