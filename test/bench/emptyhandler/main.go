// Command emptyhandler is what the cold and warm start of a function is measured against: it
// links the calls of SDKs that attach-role makes, and does nothing.
package main

import (
	"context"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ecs "github.com/alibabacloud-go/ecs-20140526/v4/client"
	ram "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	mns "github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

func main() {
	fc.Start(func(ctx context.Context, payload []byte) error {
		if len(payload) > 0 { // as each has
			return nil
		}
		return calls(ctx)
	})
}

// calls is never called, which no linker can know.
func calls(ctx context.Context) error {
	keys, err := credentials.NewCredential(nil)
	if err != nil {
		return err
	}
	client, err := openapi.NewClient(&openapiutil.Config{Credential: keys})
	if err != nil {
		return err
	}
	for _, body := range []any{&ecs.DescribeInstancesRequest{}, &ecs.AttachInstanceRamRoleRequest{}, &ram.GetRoleRequest{}} {
		request := &openapiutil.OpenApiRequest{Body: dara.ToMap(body)}
		if _, err := client.CallApiWithCtx(ctx, &openapiutil.Params{}, request, &dara.RuntimeOptions{}); err != nil {
			return err
		}
	}
	queues := mns.NewAliMNSClientWithConfig(mns.AliMNSClientConfig{Credential: keys})
	if _, err := queues.Send(mns.POST, nil, mns.BatchMessageSendRequest{}, ""); err != nil {
		return err
	}
	bucket := oss.NewClient(oss.NewConfig())
	if _, err := bucket.PutObject(ctx, &oss.PutObjectRequest{}); err != nil {
		return err
	}
	if _, err := bucket.GetObject(ctx, &oss.GetObjectRequest{}); err != nil {
		return err
	}
	if _, err := bucket.GetBucketVersioning(ctx, &oss.GetBucketVersioningRequest{}); err != nil {
		return err
	}
	_, err = bucket.ListObjectsV2(ctx, &oss.ListObjectsV2Request{})
	return err
}
