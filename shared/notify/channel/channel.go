package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// Sink sends documents to one channel.
type Sink interface {
	// Send posts a document and classifies the answer. It neither waits nor retries, but for
	// two answers: a card whose shape is refused is followed by its plain text, and one whose
	// timestamp is refused is signed again with the channel's clock, once each. The error is
	// an [*Error].
	Send(ctx context.Context, d notify.Document) (Answer, error)
	// Payload returns the body that Send would post, without signature and without a secret,
	// for a preview.
	Payload(d notify.Document) []byte
}

// Answer is how a channel took a document.
type Answer struct {
	Status int // of HTTP; 0 for mail
	// Says is the text of the answer, up to 200 characters, without secrets. Of a document
	// that was sent as plain text it is the answer that refused the card.
	Says string
	// Accepted says that the document was queued, and nothing will report its delivery: Teams
	// and mail.
	Accepted bool
	// Plain says that the card was refused for its shape, and that its text was sent.
	Plain bool
}

// form is how one type of channel is written to.
type form struct {
	// hosts are the only ones that it has; none: any that is not private.
	hosts []string
	// path is how the path of its addresses begins, token the parameter that is the secret.
	path, token string
	// anyPort allows ports besides 443.
	anyPort bool
	key     keyUse
	// card returns the message of a document, and whether it is within the channel's limits.
	card func(d notify.Document) (message any, fits bool)
	// plain returns the message of a document as text; nil if the channel has none.
	plain func(d notify.Document) any
	// sign adds a signature to a post, and returns it.
	sign func(p *post, key string, at time.Time) string
	// judge returns nil for an answer that took the message.
	judge func(a answer) *Error
	// queued is [Answer.Accepted].
	queued bool
}

// keyUse says whether a form has a key to sign with.
type keyUse int

const (
	keyNone keyUse = iota
	keyMay
	keyMust
)

// post is a request that is being made.
type post struct {
	url    url.URL
	header http.Header
	body   []byte
}

func formOf(kind string) (form, bool) {
	switch kind {
	case policy.ChannelDingTalk:
		return dingtalk(), true
	case policy.ChannelFeishu:
		return feishu(), true
	case policy.ChannelWeCom:
		return wecom(), true
	case policy.ChannelSlack:
		return slack(), true
	case policy.ChannelTeams:
		return teams(), true
	case policy.ChannelWebhook:
		return webhook(), true
	}
	return form{}, false
}

// New returns the sink of a channel. Secret is the text of its secret: a URL, or
// {"url":"https://…","sign":"…"} with the key of the signature. Client is that of [Client], now
// the clock that signatures have. The error is a [*fleet.BadInput] that quotes nothing of the
// secret. For mail see [NewMail].
func New(c policy.Channel, secret string, client *http.Client, now func() time.Time) (Sink, error) {
	f, ok := formOf(c.Type)
	if !ok {
		return nil, &fleet.BadInput{Where: "channel " + c.Name, What: fmt.Sprintf("there is no channel of type %q with an address", c.Type)}
	}
	networks, err := prefixes(c.Networks)
	if err != nil {
		return nil, err
	}
	a, fault := parseAddress(secret, f, networks)
	if fault != "" {
		return nil, &fleet.BadInput{Where: "the secret of channel " + c.Name, What: fault}
	}
	return &sender{form: f, kind: c.Type, lang: c.Lang, address: a, client: client, now: now}, nil
}

// encode returns the JSON of a message. It cannot fail: messages have texts, lists and objects.
func encode(message any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // six bytes for each < would be lost of the limits
	_ = e.Encode(message)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// object is a JSON object.
type object = map[string]any

// within reports whether a message has at most that many bytes.
func within(message any, limit int) bool { return len(encode(message)) <= limit }

// Preview returns the body that a channel would get, without its secret; see [Sink].
func Preview(c policy.Channel, d notify.Document) ([]byte, error) {
	if c.Type == policy.ChannelMail {
		return NewMail(c, nil).Payload(d), nil
	}
	f, ok := formOf(c.Type)
	if !ok {
		return nil, &fleet.BadInput{Where: "channel " + c.Name, What: fmt.Sprintf("there is no channel of type %q", c.Type)}
	}
	return (&sender{form: f, kind: c.Type, lang: c.Lang}).Payload(d), nil
}
