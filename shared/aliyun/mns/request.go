package mns

import (
	"context"
	"encoding/xml"
	"fmt"

	sdk "github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/valyala/fasthttp"

	"fleetwarden/shared/aliyun"
)

// request is one request of the REST protocol.
type request struct {
	api      string // product:Action, as calls are counted
	method   sdk.Method
	body     any // nil for none
	resource string
}

func messagesOf(queue string) string { return "queues/" + queue + "/messages" }

// exchange sends a request and lets read handle the answer, which is not kept.
func (c *Client) exchange(ctx context.Context, r request, read func(*fasthttp.Response) error) error {
	resp, err := c.queues.client().Send(r.method, nil, r.body, r.resource)
	if err != nil {
		return aliyun.NoAnswer(ctx, r.api, err, false)
	}
	defer fasthttp.ReleaseResponse(resp)
	c.session.SawDate(string(resp.Header.Peek("Date")))
	return read(resp)
}

// refused is the error of an unexpected answer.
func refused(ctx context.Context, api string, resp *fasthttp.Response) error {
	var e sdk.ErrorResponse
	err := xml.Unmarshal(resp.Body(), &e)
	switch {
	case err != nil && resp.StatusCode() < fasthttp.StatusBadRequest:
		return aliyun.NoAnswer(ctx, api, fmt.Errorf("HTTP %d has no result for the messages", resp.StatusCode()), false)
	case err != nil:
		return aliyun.NewError(api, resp.StatusCode(), "", "the answer is not an error document", "", false)
	}
	return aliyun.NewError(api, resp.StatusCode(), e.Code, e.Message, e.RequestId, false)
}
