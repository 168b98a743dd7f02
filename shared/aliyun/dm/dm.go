// Package dm sends single mails by DirectMail (2015-11-23), with the credentials of the
// session: no password is needed. Facts: its page of SingleSendMail, 2025-10.
package dm

import (
	"context"
	"strings"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Mail is a mail. DirectMail refuses one that is beyond a limit, with [fleet.Invalid].
type Mail struct {
	// From is a sender address that was set up in the region's DirectMail console, Alias the
	// name that is shown with it: empty, or up to 14 characters.
	From, Alias string
	To          []string // 1 to 100 addresses
	Subject     string   // 1 to 100 characters
	// Text and HTML are the body, up to 80 KiB each. One of them may be empty.
	Text, HTML string
}

// Client sends mails for one pass.
type Client struct {
	session *aliyun.Session
	region  fleet.Region
}

// New returns a Client that counts its calls in session. A region without DirectMail is
// served by that of its part of the world, which must have the sender address.
func New(session *aliyun.Session, region fleet.Region) *Client { return &Client{session, region} }

type request struct {
	AccountName    *string `json:"AccountName,omitempty" xml:"AccountName,omitempty"`
	AddressType    *int32  `json:"AddressType,omitempty" xml:"AddressType,omitempty"`
	ReplyToAddress *string `json:"ReplyToAddress,omitempty" xml:"ReplyToAddress,omitempty"` // a text, not a boolean
	ToAddress      *string `json:"ToAddress,omitempty" xml:"ToAddress,omitempty"`
	FromAlias      *string `json:"FromAlias,omitempty" xml:"FromAlias,omitempty"`
	Subject        *string `json:"Subject,omitempty" xml:"Subject,omitempty"`
	TextBody       *string `json:"TextBody,omitempty" xml:"TextBody,omitempty"`
	HtmlBody       *string `json:"HtmlBody,omitempty" xml:"HtmlBody,omitempty"`
}

type response struct {
	RequestID string `json:"RequestId"`
}

// Send sends a mail, with SingleSendMail. That it was accepted does not say that it arrives.
// An answer that never came is [fleet.Lost]: the mail may have been sent.
func (c *Client) Send(ctx context.Context, m Mail) error {
	_, err := aliyun.Do[request, response](ctx, c.session,
		aliyun.API{Product: aliyun.DirectMail, Action: "SingleSendMail", Region: c.region, Write: true},
		&request{
			AccountName: &m.From, AddressType: new(int32(1)), ReplyToAddress: new("false"), ToAddress: new(strings.Join(m.To, ",")),
			FromAlias: aliyun.Optional(m.Alias), Subject: &m.Subject, TextBody: aliyun.Optional(m.Text), HtmlBody: aliyun.Optional(m.HTML),
		})
	return err
}
