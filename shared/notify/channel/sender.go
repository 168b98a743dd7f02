package channel

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// maxAnswer bounds how much of an answer is read, in bytes. A vendor's has less than 1 KiB.
const maxAnswer = 64 << 10

// sender is the sink of a form.
type sender struct {
	form
	kind, lang string
	address    address
	client     *http.Client
	now        func() time.Time
}

// Format hides the secret in whatever prints the sender.
func (s *sender) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "channel of type "+s.kind) }

func (s *sender) Payload(d notify.Document) []byte {
	message, _ := s.card(fit(d, s.lang, func(d notify.Document) bool {
		_, fits := s.card(d)
		return fits
	}))
	return encode(message)
}

// plainBytes is how long a document is as plain text: WeCom takes 2048 bytes.
const plainBytes = 2000

func (s *sender) Send(ctx context.Context, d notify.Document) (Answer, error) {
	answer, fault := s.try(ctx, s.Payload(d))
	if fault != nil && fault.class == fleet.Invalid && s.plain != nil {
		refused := fault
		d = fit(d, s.lang, func(d notify.Document) bool { return within(s.plain(d), plainBytes) })
		answer, fault = s.try(ctx, encode(s.plain(d)))
		answer.Plain, answer.Says = true, refused.Says
	}
	if fault != nil {
		return Answer{}, fault
	}
	return answer, nil
}

// try posts a body, and once more with the time of the answer if that refused the timestamp.
func (s *sender) try(ctx context.Context, body []byte) (Answer, *Error) {
	answer, fault := s.post(ctx, body, s.now())
	if fault != nil && !fault.signAt.IsZero() {
		return s.post(ctx, body, fault.signAt)
	}
	return answer, fault
}

// post posts a body once.
func (s *sender) post(ctx context.Context, body []byte, at time.Time) (Answer, *Error) {
	p := &post{*s.address.url, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body}
	hidden := []string{s.address.sign}
	if s.address.sign != "" {
		hidden = append(hidden, s.sign(p, s.address.sign, at))
	}
	clean := cleaner(&p.url, hidden)

	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, p.url.String(), bytes.NewReader(p.body))
	if err != nil {
		return Answer{}, &Error{Channel: s.kind, Says: clean(err.Error()), class: fleet.Invalid}
	}
	req.Header = p.header
	resp, err := s.client.Do(req)
	if err != nil {
		return Answer{}, &Error{Channel: s.kind, Says: clean(reason(err)), class: unanswered(ctx, err, sent.Load())}
	}
	defer resp.Body.Close()
	// An answer that breaks off is judged by the part that came: a status may suffice.
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	fault := s.judge(answer{resp.StatusCode, resp.Header, text, s.now()})
	if fault != nil {
		fault.Channel, fault.Status, fault.Says = s.kind, resp.StatusCode, clean(string(text))
		return Answer{}, fault
	}
	return Answer{Status: resp.StatusCode, Says: clean(string(text)), Accepted: s.queued}, nil
}
