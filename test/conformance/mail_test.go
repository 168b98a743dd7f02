package conformance_test

import (
	"strings"
	"testing"

	v1dm "github.com/aliyun/alibaba-cloud-sdk-go/services/dm"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/dm"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
)

const mailAPI = "2015-11-23"

func mail(with map[string]any) map[string]any {
	out := map[string]any{
		"AccountName": server.Sender, "AddressType": "1", "ReplyToAddress": "false", "ToAddress": "a@example.com", "Subject": "s", "TextBody": "t",
	}
	for k, v := range with {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

func TestAMailIsKeptAsTheOlderSDKSendsIt(t *testing.T) {
	c := newCloud(t, server.Options{})
	api, err := v1dm.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	c.ok(err)
	q := v1dm.CreateSingleSendMailRequest()
	q.Domain, q.AccountName, q.AddressType, q.ReplyToAddress = c.host(), server.Sender, "1", "false"
	q.ToAddress, q.Subject, q.HtmlBody, q.FromAlias = "a@example.com,b@example.com", "实例", "<b>x</b>", "Guard"
	got, err := api.SingleSendMail(q)
	c.ok(err)
	want := []dm.Mail{{
		Time: c.World.Clock.Now(), Account: server.Sharer, From: server.Sender, Alias: "Guard", To: []string{"a@example.com", "b@example.com"},
		Subject: "实例", HTML: "<b>x</b>", EnvID: got.EnvId,
	}}
	if diff := cmp.Diff(want, c.Mail.Mails()); diff != "" || got.EnvId == "" {
		t.Errorf("EnvId %q: %s", got.EnvId, diff)
	}
}

func TestAMailBeyondALimitIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.Mail.AddSender(server.Sharer, server.Home, "frozen@mail.example.com", true)
	p := plane{c, sharerAdmin, mailAPI}
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, x := range []struct {
		with   map[string]any
		status int
		code   string
	}{
		{map[string]any{"AccountName": "x@example.com"}, 404, "InvalidMailAddress.NotFound"},
		{map[string]any{"AccountName": "frozen@mail.example.com"}, 400, "InvalidMailAddressStatus.Malformed"},
		{map[string]any{"AddressType": "2"}, 400, "InvalidParameter"}, {map[string]any{"AddressType": nil}, 400, "MissingParameter"},
		{map[string]any{"ReplyToAddress": "true"}, 400, "InvalidReplyAddress.Malformed"}, {map[string]any{"ReplyToAddress": nil}, 400, "MissingParameter"},
		{map[string]any{"ToAddress": "a@example.com,"}, 400, "InvalidToAddress"}, {map[string]any{"ToAddress": "a@localhost"}, 400, "InvalidToAddress"},
		{map[string]any{"ToAddress": "a@example.com" + strings.Repeat(",a@example.com", 100)}, 400, "InvalidToAddress"},
		{map[string]any{"Subject": long(101)}, 400, "InvalidSubject.Malformed"}, {map[string]any{"FromAlias": long(15)}, 400, "InvalidFromAlias.Malformed"},
		{map[string]any{"TextBody": nil}, 400, "InvalidBody"}, {map[string]any{"TextBody": long(80<<10 + 1)}, 400, "InvalidBody"},
	} {
		p.refused("SingleSendMail", mail(x.with), x.status, x.code)
	}
	if n := len(c.Mail.Mails()); n != 0 {
		t.Errorf("%d mails were accepted", n)
	}
	p.must("SingleSendMail", mail(map[string]any{"ToAddress": "a+b@example.com" + strings.Repeat(",a@example.com", 99), "Subject": long(100), "FromAlias": long(14), "TextBody": long(80 << 10)}), `"EnvId":"6`)
}

// A sender address is set up in one account and region.
func TestASenderIsOfItsAccountAndRegion(t *testing.T) {
	c := newCloud(t, server.Options{})
	plane{c, shareeAdmin, mailAPI}.refused("SingleSendMail", mail(nil), 404, "InvalidMailAddress.NotFound")
	plane{c, sharerAdmin, mailAPI}.refused("SingleSendMail", mail(map[string]any{"RegionId": server.Another}), 404, "InvalidMailAddress.NotFound")
}

func TestMailNeedsItsRight(t *testing.T) {
	needsRights(t, mailAPI, func(*cloud) {}, "*", map[string]map[string]any{"dm:SingleSendMail": mail(nil)}, "")
}

func TestAHundredMailsASecondAreThePublishedQuota(t *testing.T) {
	c := newCloud(t, server.Options{Quotas: wire.PublishedQuotas()})
	p := plane{c, sharerAdmin, mailAPI}
	for range 100 {
		p.must("SingleSendMail", mail(nil))
	}
	p.refused("SingleSendMail", mail(nil), 400, "Throttling.User")
}
