// Command probe is a function that does what its event says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

type order struct {
	Do   string
	Name string // of a variable
	URLs []string
}

type answer struct {
	PID      int
	Count    int // elements of the event
	Text     string
	Deadline int64
	Context  *fccontext.FcContext
}

func handle(ctx context.Context, event []byte) (answer, error) {
	o, count, err := read(event)
	if err != nil {
		return answer{}, err
	}
	fmt.Fprintln(os.Stderr, "probe does", o.Do)
	a := answer{PID: os.Getpid(), Count: count}
	switch o.Do {
	case "context":
		a.Context, _ = fccontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		a.Deadline = deadline.UnixMilli()
	case "env":
		a.Text = os.Getenv(o.Name)
	case "fail":
		return a, errors.New("failed as asked")
	case "panic":
		panic("panicked as asked")
	case "exit":
		os.Exit(3)
	case "hang":
		<-make(chan int)
	case "identity":
		err = identity(ctx, &a)
		return a, err
	case "get":
		return a, get(ctx, o.URLs)
	}
	return a, nil
}

// identity asks the cloud three times who calls.
func identity(ctx context.Context, a *answer) error {
	c, _ := fccontext.FromContext(ctx)
	endpoint := strings.TrimPrefix(os.Getenv("ALIBABA_CLOUD_ENDPOINT_URL"), "http://")
	client, err := sts.NewClient(&openapi.Config{
		AccessKeyId: &c.Credentials.AccessKeyId, AccessKeySecret: &c.Credentials.AccessKeySecret,
		SecurityToken: &c.Credentials.SecurityToken, Endpoint: &endpoint, Protocol: tea.String("http"),
	})
	if err != nil {
		return err
	}
	for range 3 {
		r, err := client.GetCallerIdentity()
		if err != nil {
			return err
		}
		a.Text = tea.StringValue(r.Body.Arn)
	}
	return nil
}

type envelope struct {
	order
	Data struct {
		order
		MessageBody string
	}
}

// read finds the order in an event, in a CloudEvent's data, or in the first
// message of a window.
func read(event []byte) (order, int, error) {
	var window []envelope
	if err := json.Unmarshal(event, &window); err == nil && len(window) > 0 {
		var o order
		err := json.Unmarshal([]byte(window[0].Data.MessageBody), &o)
		return o, len(window), err
	}
	var e envelope
	err := json.Unmarshal(event, &e)
	if e.Do == "" {
		return e.Data.order, 1, err
	}
	return e.order, 1, err
}

// get calls each address as the invocation's caller.
func get(ctx context.Context, urls []string) error {
	c, _ := fccontext.FromContext(ctx)
	for _, u := range urls {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, u, nil)
		if err != nil {
			return err
		}
		r.Header.Set("X-Session", c.Credentials.AccessKeyId)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		resp.Body.Close()
	}
	return nil
}

func main() { fc.Start(handle) }
