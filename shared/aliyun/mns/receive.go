package mns

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/valyala/fasthttp"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

const (
	peekAPI    = "mns:BatchPeekMessage"
	receiveAPI = "mns:BatchReceiveMessage"
	deleteAPI  = "mns:BatchDeleteMessage"
)

// Received is one message as its queue holds it.
type Received struct {
	// ID is the queue's name for the message; the same for each delivery.
	ID   string
	Body string
	// Handle deletes the message, until NextVisible. A message that was only peeked at
	// has neither.
	Handle      string
	NextVisible time.Time
	Enqueued    time.Time
	// Deliveries counts how often it was received, this time included.
	Deliveries int
}

// Peek shows up to n of a queue's visible messages, at most [MaxBatch], and leaves them
// as they are. There is no way to peek at what comes after those. An empty queue is no
// error.
func (c *Client) Peek(ctx context.Context, queue string, n int) ([]Received, error) {
	return c.read(ctx, peekAPI, "peeking at", queue, fmt.Sprintf("?numOfMessages=%d&peekonly=true", clamp(n)))
}

// Receive takes up to n of a queue's visible messages, at most [MaxBatch], and does not
// wait for any. The queue hides them for its visibility timeout; messages not deleted by
// then come again. An empty queue is no error. When an answer is lost, the next try gets
// other messages, and those of the first come again, too.
func (c *Client) Receive(ctx context.Context, queue string, n int) ([]Received, error) {
	return c.read(ctx, receiveAPI, "receiving from", queue, fmt.Sprintf("?numOfMessages=%d&waitseconds=0", clamp(n)))
}

func clamp(n int) int { return min(max(n, 1), MaxBatch) }

// noMessage is the code for an empty queue, with HTTP 404.
const noMessage = "MessageNotExist"

func (c *Client) read(ctx context.Context, api, doing, queue, query string) (got []Received, err error) {
	r := request{api, sdk.GET, nil, messagesOf(queue) + query}
	err = c.session.Call(ctx, api, func() error {
		err := c.exchange(ctx, r, func(resp *fasthttp.Response) (err error) {
			got, err = received(ctx, api, resp)
			return err
		})
		if fleet.CodeOf(err) == noMessage {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s queue %s: %w", doing, queue, err)
	}
	return got, nil
}

func received(ctx context.Context, api string, resp *fasthttp.Response) ([]Received, error) {
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, refused(ctx, api, resp)
	}
	var answer sdk.BatchMessageReceiveResponse
	if err := xml.Unmarshal(resp.Body(), &answer); err != nil || len(answer.Messages) == 0 {
		return nil, aliyun.NoAnswer(ctx, api, errors.New("the answer holds no messages"), false)
	}
	out := make([]Received, len(answer.Messages))
	for i, m := range answer.Messages {
		if m.MessageId == "" {
			return nil, aliyun.NoAnswer(ctx, api, errors.New("the answer holds a message without an id"), false)
		}
		out[i] = Received{ID: m.MessageId, Body: m.MessageBody, Handle: m.ReceiptHandle, NextVisible: millis(m.NextVisibleTime),
			Enqueued: millis(m.EnqueueTime), Deliveries: int(m.DequeueCount)}
	}
	return out, nil
}

// millis is a time of a message; zero for none.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Delete deletes messages by their handles, 16 a call. It returns an error for each handle
// in order, nil for a deleted message. One of class [fleet.NotFound] means that the handle
// has expired or was used before: the message may be gone, or may come again.
func (c *Client) Delete(ctx context.Context, queue string, handles []string) []error {
	out := make([]error, 0, len(handles))
	for part := range slices.Chunk(handles, MaxBatch) {
		out = append(out, c.deleteBatch(ctx, queue, part)...)
	}
	return out
}

func (c *Client) deleteBatch(ctx context.Context, queue string, handles []string) []error {
	var failed map[string]error
	r := request{deleteAPI, sdk.DELETE, sdk.ReceiptHandles{ReceiptHandles: handles}, messagesOf(queue)}
	err := c.session.Call(ctx, deleteAPI, func() error {
		return c.exchange(ctx, r, func(resp *fasthttp.Response) (err error) {
			failed, err = deleted(ctx, resp, handles)
			return err
		})
	})
	out := make([]error, len(handles))
	for i, h := range handles {
		if e := cmp.Or(err, failed[h]); e != nil {
			out[i] = fmt.Errorf("deleting from queue %s: %w", queue, e)
		}
	}
	return out
}

// deleted reads an answer: 204 when all are gone, or 404 with the handles that failed.
func deleted(ctx context.Context, resp *fasthttp.Response, handles []string) (failed map[string]error, err error) {
	if resp.StatusCode() == fasthttp.StatusNoContent {
		return nil, nil
	}
	var some sdk.BatchMessageDeleteErrorResponse
	if xml.Unmarshal(resp.Body(), &some) != nil || len(some.FailedMessages) == 0 {
		return nil, refused(ctx, deleteAPI, resp)
	}
	failed = map[string]error{}
	for _, m := range some.FailedMessages {
		if !slices.Contains(handles, m.ReceiptHandle) {
			return nil, aliyun.NoAnswer(ctx, deleteAPI, errors.New("the answer is about other messages"), false)
		}
		failed[m.ReceiptHandle] = aliyun.NewError(deleteAPI, resp.StatusCode(), m.ErrorCode, m.ErrorMessage, "", false)
	}
	return failed, nil
}
