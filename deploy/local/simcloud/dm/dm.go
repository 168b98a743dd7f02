// Package dm is DirectMail, API version 2015-11-23, as far as single mails are sent. Nothing
// is delivered: what was accepted is kept, the newest [Kept] mails, and can be read.
//
// Facts: the pages of SingleSendMail (2025-10 and 2025-12), of the API's endpoints (2025-10)
// and of its RAM actions (2026-06), and the error table of SingleSendMail as it is cited by
// developer.aliyun.com/ask/278330.
package dm

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Kept is how many mails are kept.
const Kept = 1000

// The limits of one mail. The page counts a body's 80 K in no unit: bytes are assumed.
const (
	maxTo      = 100
	maxSubject = 100 // characters
	maxBody    = 80 << 10
	maxAlias   = 14 // characters: shorter than 15
)

// Mail is a mail that was accepted.
type Mail struct {
	Time    time.Time `json:"time"` // virtual
	Account string    `json:"account"`
	From    string    `json:"from"`
	Alias   string    `json:"alias,omitempty"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text,omitempty"`
	HTML    string    `json:"html,omitempty"`
	EnvID   string    `json:"envId"`
}

// Service is the product. Register it at a wire.Router as dm.
type Service struct {
	world *simcloud.World

	mu      sync.Mutex
	senders map[sender]bool // whether it is frozen
	mails   []Mail
}

// sender is a sender address. It belongs to a region, as its domain does.
type sender struct{ account, region, address string }

// New returns DirectMail without sender addresses.
func New(w *simcloud.World) *Service { return &Service{world: w, senders: map[sender]bool{}} }

// AddSender makes a sender address of an account in a region, or changes the one there is:
// from a frozen one nothing is sent.
func (s *Service) AddSender(account, region, address string, frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.senders[sender{account, region, address}] = frozen
}

// Mails are those that were accepted, oldest first.
func (s *Service) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// SendRequest are the parameters of SingleSendMail that are served.
type SendRequest struct {
	AccountName, ReplyToAddress, ToAddress, FromAlias, Subject, HtmlBody, TextBody string
	AddressType                                                                    int
}

// SendResponse is the response of SingleSendMail.
type SendResponse struct{ EnvId string }

// SingleSendMail accepts a mail.
func (s *Service) SingleSendMail(c *wire.Call, in *SendRequest) (*SendResponse, error) {
	if err := c.Allow("dm:SingleSendMail", "*"); err != nil {
		return nil, err
	}
	to := strings.Split(in.ToAddress, ",")
	if err := in.check(to); err != nil {
		return nil, err
	}
	s.world.Lock()
	id := s.world.NewID("6")
	s.world.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	frozen, known := s.senders[sender{c.Caller.Account, c.Region, in.AccountName}]
	switch {
	case !known:
		return nil, wire.Errorf(404, "InvalidMailAddress.NotFound", "The specified mailAddress does not exist.")
	case frozen:
		return nil, wire.Errorf(400, "InvalidMailAddressStatus.Malformed", "The specified mailAddress status is wrongly formed.")
	}
	s.mails = append(s.mails, Mail{
		Time: c.Now, Account: c.Caller.Account, From: in.AccountName, Alias: in.FromAlias, To: to,
		Subject: in.Subject, Text: in.TextBody, HTML: in.HtmlBody, EnvID: id,
	})
	s.mails = s.mails[max(0, len(s.mails)-Kept):]
	return &SendResponse{id}, nil
}

// receiver is a receiver's address: letters, digits, underscores, hyphens and periods on both
// sides, and plus signs in the name (error tables).
var receiver = regexp.MustCompile(`^[A-Za-z0-9_.+-]+@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$`)

func (in *SendRequest) check(to []string) error {
	malformed := func(at string) bool { return !receiver.MatchString(at) }
	switch {
	case in.AddressType != 0 && in.AddressType != 1:
		return wire.Errorf(400, "InvalidParameter", "AddressType is 0 or 1.")
	case in.ReplyToAddress != "false":
		return wire.Errorf(400, "InvalidReplyAddress.Malformed", "simcloud: no reply-to address is verified here; ReplyToAddress is the text false.")
	case len(to) > maxTo, slices.ContainsFunc(to, malformed):
		return wire.Errorf(400, "InvalidToAddress", "The specified toAddress is wrongly formed.")
	case utf8.RuneCountInString(in.Subject) > maxSubject:
		return wire.Errorf(400, "InvalidSubject.Malformed", "The specified subject is wrongly formed.")
	case utf8.RuneCountInString(in.FromAlias) > maxAlias:
		return wire.Errorf(400, "InvalidFromAlias.Malformed", "The specified fromAlias is wrongly formed.")
	case in.TextBody == "" && in.HtmlBody == "", len(in.TextBody) > maxBody, len(in.HtmlBody) > maxBody:
		return wire.Errorf(400, "InvalidBody", "The specified textBody or htmlBody is wrongly formed.")
	}
	return nil
}
