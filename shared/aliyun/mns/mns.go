// Package mns sends to the queues of Simple Message Queue (MNS, 2015-06-06), and reads and
// empties them for an operator; functions get their messages from the platform. It knows
// queues, bodies and delays, not the meaning of bodies.
//
// The official SDK is used for its client: signature, headers, XML shapes and connections.
// Its queue type is not, because it hides the HTTP status, returns through channels and
// converts answers into its own errors. The SDK takes no context: a request that has begun
// runs to its own time-out.
package mns

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	sdk "github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/valyala/fasthttp"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// The documented limits of the batch calls and of one message.
const (
	// MaxBatch is the largest number of messages in one call, of every kind.
	MaxBatch = 16
	// MaxBytes is the largest size of one body, and of all bodies of one call.
	MaxBytes = 64 << 10
	// MaxDelay is the longest delay of a message here. The service allows 604800 s, for which our
	// queues keep messages as well: half of it leaves time for one to be received. (The SDK
	// refuses more than 60480 s in methods that are not used here.)
	MaxDelay = 302400 * time.Second
)

// timeoutSeconds bounds one request; the SDK's own default is 35.
const timeoutSeconds = 10

// normalPriority is MNS's default. The SDK would send 0, which is out of range.
const normalPriority = 8

// Message is one message to send.
type Message struct {
	Body string
	// Delay is rounded up to whole seconds and cut at [MaxDelay].
	Delay time.Duration
}

// Queues are the queues of one account in one region. They keep connections open
// from pass to pass; the SDK's client is made at the first request.
type Queues struct {
	cloud *aliyun.Cloud
	scope fleet.Scope
	once  sync.Once
	sdk   sdk.MNSClient
}

// Connect returns the queues in scope. Nothing is sent yet.
func Connect(cloud *aliyun.Cloud, scope fleet.Scope) (*Queues, error) {
	if !scope.Account.Valid() || !scope.Region.Valid() {
		// The SDK panics on an endpoint it cannot take apart.
		return nil, fmt.Errorf("connecting to MNS: %q is not an account and a region", scope)
	}
	return &Queues{cloud: cloud, scope: scope}, nil
}

// Client returns a Client that counts its calls in session.
func (q *Queues) Client(session *aliyun.Session) *Client { return &Client{session, q} }

func (q *Queues) client() sdk.MNSClient {
	q.once.Do(func() { q.sdk = q.dial() })
	return q.sdk
}

func (q *Queues) dial() sdk.MNSClient {
	scheme := "https"
	local := q.cloud.Local()
	if local != "" {
		scheme = "http"
	}
	client := sdk.NewAliMNSClientWithConfig(sdk.AliMNSClientConfig{
		EndPoint:      fmt.Sprintf("%s://%s.mns.%s.aliyuncs.com", scheme, q.scope.Account, q.scope.Region),
		Credential:    q.cloud.Credential(),
		TimeoutSecond: timeoutSeconds,
	})
	if local == "" {
		client.SetTransport(once{})
		return client
	}
	client.SetTransport(once{&fasthttp.HostClient{
		Addr: local, MaxIdemponentCallAttempts: 1,
		Dial: func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, timeoutSeconds*time.Second) },
	}})
	return client
}

// Client calls queues for one pass.
type Client struct {
	session *aliyun.Session
	queues  *Queues
}

// once sends each request once: fasthttp repeats a request after the server hung up,
// uncounted. With a local client it keeps the request's Host and sends it to that client's
// address.
type once struct{ local *fasthttp.HostClient }

// RoundTrip implements fasthttp.RoundTripper.
func (t once) RoundTrip(hc *fasthttp.HostClient, req *fasthttp.Request, resp *fasthttp.Response) (bool, error) {
	if t.local != nil {
		return false, t.local.Do(req, resp)
	}
	_, err := fasthttp.DefaultTransport.RoundTrip(hc, req, resp)
	return false, err
}

const sendAPI = "mns:BatchSendMessage"

// Send sends all messages to a queue, 16 a call and 64 KB a call. A message that is too
// long, or that the queue refuses, is skipped: the others are sent. A failure of the call
// itself ends it. It returns the number of stored messages; the error has the reason for
// the others. A message that may have been stored is sent again: duplicates do no harm,
// since messages carry no commands.
func (c *Client) Send(ctx context.Context, queue string, messages []Message) (stored int, err error) {
	var refused []error
	for len(messages) > 0 {
		n := fits(messages)
		if n == 0 {
			refused = append(refused, fmt.Errorf("a message of %d bytes is over the limit of %d", len(messages[0].Body), MaxBytes))
			messages = messages[1:]
			continue
		}
		s := &sending{left: messages[:n]}
		err := c.session.Call(ctx, sendAPI, func() error { return c.send(ctx, queue, s) })
		stored += s.stored
		refused = append(refused, s.refused...)
		if err != nil {
			refused = append(refused, err)
			break
		}
		messages = messages[n:]
	}
	if err := errors.Join(refused...); err != nil {
		return stored, fmt.Errorf("sending to queue %s: %w", queue, err)
	}
	return stored, nil
}

// sending are the messages of one call, and their results.
type sending struct {
	left    []Message // still to be sent
	stored  int
	refused []error
}

// fits returns how many messages from the start go into one call.
func fits(messages []Message) int {
	size := 0
	for i, m := range messages {
		size += len(m.Body)
		if i == MaxBatch || size > MaxBytes {
			return i
		}
	}
	return len(messages)
}

func (c *Client) send(ctx context.Context, queue string, s *sending) error {
	var batch sdk.BatchMessageSendRequest
	for _, m := range s.left {
		delay := int64((min(max(m.Delay, 0), MaxDelay) + time.Second - 1) / time.Second)
		batch.Messages = append(batch.Messages, sdk.MessageSendRequest{MessageBody: m.Body, DelaySeconds: delay, Priority: normalPriority})
	}
	return c.exchange(ctx, request{sendAPI, sdk.POST, batch, messagesOf(queue)}, func(resp *fasthttp.Response) error {
		return s.check(ctx, resp)
	})
}

// check reads an answer: 201 with an entry for each message, in order, some of which may be
// errors; or an error document. Its error is transient, or concerns the whole call: the
// rest may be sent again.
func (s *sending) check(ctx context.Context, resp *fasthttp.Response) error {
	if resp.StatusCode() != fasthttp.StatusCreated {
		return refused(ctx, sendAPI, resp)
	}
	var entries sdk.BatchMessageSendResponse
	if err := xml.Unmarshal(resp.Body(), &entries); err != nil || len(entries.Messages) != len(s.left) {
		return aliyun.NoAnswer(ctx, sendAPI, fmt.Errorf("the answer is about %d messages instead of %d", len(entries.Messages), len(s.left)), false)
	}
	var again []Message
	var passing error
	for i, m := range entries.Messages {
		if m.ErrorCode == "" {
			s.stored++
			continue
		}
		err := aliyun.NewError(sendAPI, resp.StatusCode(), m.ErrorCode, m.ErrorMessage, "", false)
		if fleet.ClassOf(err).Passing() {
			again, passing = append(again, s.left[i]), err
		} else {
			s.refused = append(s.refused, err)
		}
	}
	s.left = again
	return passing
}
