// Command barehandler is the least that can be started: a handler that imports the SDKs of
// attach-role and calls nothing of them, so that the linker leaves out all but what they do
// when a program begins.
package main

import (
	"context"

	_ "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	_ "github.com/alibabacloud-go/ecs-20140526/v4/client"
	_ "github.com/alibabacloud-go/ram-20150501/v2/client"
	_ "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	_ "github.com/aliyun/aliyun-mns-go-sdk"
	_ "github.com/aliyun/credentials-go/credentials"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

func main() {
	fc.Start(func(context.Context, []byte) error { return nil })
}
