package policy

import (
	"time"

	"fleetwarden/shared/fleet"
)

// Notify is who is notified of what. Without channels the function notify has nothing to do.
type Notify struct {
	// Zone is the time zone of days and of quiet hours.
	Zone *time.Location
	// Channels are sorted by name.
	Channels []Channel
}

// The types of channels.
const (
	ChannelDingTalk = "dingtalk"
	ChannelFeishu   = "feishu"
	ChannelWeCom    = "wecom"
	ChannelSlack    = "slack"
	ChannelTeams    = "teams"
	ChannelWebhook  = "webhook"
	ChannelMail     = "mail"
)

// The languages of cards.
const (
	LangEnglish  = "en"
	LangChinese  = "zh"
	LangJapanese = "ja"
)

// Channel is one robot, webhook or list of mail addresses.
type Channel struct {
	Name string
	Type string
	// Secret names a secret of KMS Secrets Manager in the home region or, as env:NAME, an
	// environment variable of the function notify. It is empty for mail, which needs none.
	Secret string
	// From is the sender of mail, an address of DirectMail; To are the receivers.
	From string
	To   []string
	// Least is the least severity of a card.
	Least fleet.Severity
	// Accounts and Controls bound what is reported; empty means all.
	Accounts []fleet.AccountID
	Controls []string
	// Digest asks for the digest after each sweep, Changes for cards of changes made.
	Digest, Changes bool
	// Quiet are the hours in which only critical cards are sent; the others follow.
	Quiet Quiet
	Lang  string
	// Networks are private networks, such as 10.1.0.0/16, that a webhook may be in.
	Networks []string
}

// Quiet are hours of the day, as minutes since midnight: from From to To, past midnight where
// To is not after From. Equal ones are none.
type Quiet struct{ From, To int }
