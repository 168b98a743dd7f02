package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// Notify is who is notified of what. Without channels the function notify has nothing to do.
type Notify struct {
	// Zone is the time zone of days and of quiet hours. It is never nil in a policy that was
	// loaded.
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

// ChannelTypes returns the types of channels.
func ChannelTypes() []string {
	return []string{ChannelDingTalk, ChannelFeishu, ChannelWeCom, ChannelSlack, ChannelTeams, ChannelWebhook, ChannelMail}
}

// The languages of cards.
const (
	LangEnglish  = "en"
	LangChinese  = "zh"
	LangJapanese = "ja"
)

// ControlDeployment stands where a channel names controls for what is about the deployment:
// findings of the doctor have it as their control, and those of a pass or a sweep as a whole
// have none.
const ControlDeployment = "deployment"

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
	// Accounts and Controls bound what is reported; empty means all. A control may be
	// [ControlDeployment].
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

// Day is the date of a time in the zone, as 2006-01-02.
func (n Notify) Day(t time.Time) string { return t.In(n.Zone).Format(time.DateOnly) }

// WantsAny reports whether any channel wants a finding: see [Channel.Wants].
func (n Notify) WantsAny(control string, account fleet.AccountID, severity fleet.Severity) bool {
	return slices.ContainsFunc(n.Channels, func(c Channel) bool { return c.Wants(control, account, severity) })
}

// Wants reports whether a channel is for findings of a control, which may be empty, in an
// account with a severity. One without a severity is for no channel.
func (c Channel) Wants(control string, account fleet.AccountID, severity fleet.Severity) bool {
	return severity.Rank() >= max(c.Least.Rank(), 1) &&
		(len(c.Accounts) == 0 || slices.Contains(c.Accounts, account)) &&
		(len(c.Controls) == 0 || slices.Contains(c.Controls, cmp.Or(control, ControlDeployment)))
}

// Until reports whether t is in the quiet hours of a zone, and when they end: at the first
// whole minute whose wall-clock time is outside of them. A clock that is put forward over the
// end thus ends them, and one that is put back behind it has them twice. Outside of quiet
// hours the end is t.
func (q Quiet) Until(t time.Time, zone *time.Location) (end time.Time, quiet bool) {
	for end = t; q.at(end.In(zone)); end = end.Truncate(time.Minute).Add(time.Minute) {
		quiet = true
	}
	return end, quiet
}

// at reports whether the wall-clock time of t is in the quiet hours.
func (q Quiet) at(t time.Time) bool {
	minute := t.Hour()*60 + t.Minute()
	if q.From <= q.To {
		return q.From <= minute && minute < q.To
	}
	return minute >= q.From || minute < q.To
}

// String returns the hours as the file has them, such as 22:00-07:00.
func (q Quiet) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", q.From/60, q.From%60, q.To/60, q.To%60)
}

// WantsChange reports whether any channel wants the changes of a control in an account.
func (n Notify) WantsChange(control string, account fleet.AccountID) bool {
	return slices.ContainsFunc(n.Channels, func(c Channel) bool { return c.WantsChange(control, account) })
}

// WantsChange reports whether a channel is for the changes of a control in an account.
func (c Channel) WantsChange(control string, account fleet.AccountID) bool {
	return c.Changes && c.Wants(control, account, fleet.Critical)
}

// WantsDigest reports whether any channel wants digests.
func (n Notify) WantsDigest() bool {
	return slices.ContainsFunc(n.Channels, func(c Channel) bool { return c.Digest })
}

// Covers is [Channel.Wants] for a digest: an empty control, account or severity stands for all.
func (c Channel) Covers(control string, account fleet.AccountID, severity fleet.Severity) bool {
	return (severity == "" || severity.Rank() >= c.Least.Rank()) &&
		(account == "" || len(c.Accounts) == 0 || slices.Contains(c.Accounts, account)) &&
		(control == "" || len(c.Controls) == 0 || slices.Contains(c.Controls, control))
}
