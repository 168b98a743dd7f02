package dm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/dm"
	"fleetwarden/shared/fleet"
)

func newBench(t *testing.T, k aliyun.Keys) (*server.Server, *dm.Client) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	return srv, dm.New(aliyuntest.Cloud(t, srv.URL(), k).NewSession(0), server.Home)
}

func sample() dm.Mail {
	return dm.Mail{From: server.Sender, Alias: "Fleetwarden", To: []string{"a@example.com", "b@example.com"}, Subject: "实例 & 镜像", Text: "一\n二", HTML: "<b>一</b>"}
}

func TestAMailIsSentAsItIs(t *testing.T) {
	srv, c := newBench(t, aliyuntest.Admin())
	if err := c.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	got := srv.Mail.Mails()
	if len(got) != 1 {
		t.Fatalf("%d mails were sent", len(got))
	}
	m := got[0]
	sent := dm.Mail{From: m.From, Alias: m.Alias, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML}
	if diff := cmp.Diff(sample(), sent); diff != "" || m.Account != server.Sharer {
		t.Errorf("of account %s: %s", m.Account, diff)
	}
}

func TestAMailAtItsLimitsIsSentAndNoOther(t *testing.T) {
	for name, x := range map[string]struct {
		change func(m *dm.Mail, more int)
		class  fleet.Class
	}{
		"subject":   {func(m *dm.Mail, more int) { m.Subject = strings.Repeat("字", 100+more) }, fleet.Invalid},
		"receivers": {func(m *dm.Mail, more int) { m.To = many(100 + more) }, fleet.Invalid},
		"alias":     {func(m *dm.Mail, more int) { m.Alias = strings.Repeat("名", 14+more) }, fleet.Invalid},
		"text":      {func(m *dm.Mail, more int) { m.Text = strings.Repeat("x", 80<<10+more) }, fleet.Invalid},
		"HTML":      {func(m *dm.Mail, more int) { m.HTML = strings.Repeat("x", 80<<10+more) }, fleet.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			srv, c := newBench(t, aliyuntest.Admin())
			m := sample()
			x.change(&m, 0)
			if err := c.Send(t.Context(), m); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			x.change(&m, 1)
			if err := c.Send(t.Context(), m); fleet.ClassOf(err) != x.class {
				t.Errorf("beyond it: %v", err)
			}
			if n := len(srv.Mail.Mails()); n != 1 {
				t.Errorf("%d mails were sent", n)
			}
		})
	}
}

func many(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("a%d@example.com", i))
	}
	return out
}

func TestAMailThatIsRefusedIsAnErrorOfItsClass(t *testing.T) {
	with := func(change func(*dm.Mail)) dm.Mail { m := sample(); change(&m); return m }
	for name, x := range map[string]struct {
		mail  dm.Mail
		key   aliyun.Keys
		fault simcloud.FaultKind
		sent  int
		class fleet.Class
	}{
		"unknown sender":      {mail: with(func(m *dm.Mail) { m.From = "x@example.com" }), class: fleet.NotFound},
		"frozen sender":       {mail: with(func(m *dm.Mail) { m.From = "frozen@mail.example.com" }), class: fleet.Denied},
		"malformed receiver":  {mail: with(func(m *dm.Mail) { m.To[1] = "no address" }), class: fleet.Invalid},
		"no receiver":         {mail: with(func(m *dm.Mail) { m.To = nil }), class: fleet.Invalid},
		"no subject":          {mail: with(func(m *dm.Mail) { m.Subject = "" }), class: fleet.Invalid},
		"no body":             {mail: with(func(m *dm.Mail) { m.Text, m.HTML = "", "" }), class: fleet.Invalid},
		"without permission":  {mail: sample(), key: aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"}, class: fleet.Denied},
		"throttled":           {mail: sample(), fault: simcloud.Throttle, class: fleet.Throttled},
		"service fails":       {mail: sample(), fault: simcloud.InternalError, class: fleet.Lost},
		"answer lost":         {mail: sample(), fault: simcloud.TimeoutAfter, class: fleet.Lost, sent: 1},
		"answer without body": {mail: sample(), fault: simcloud.Empty, class: fleet.Lost, sent: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if x.key == (aliyun.Keys{}) {
				x.key = aliyuntest.Admin()
			}
			srv, c := newBench(t, x.key)
			srv.Mail.AddSender(server.Sharer, server.Home, "frozen@mail.example.com", true)
			if x.fault != simcloud.NoFault {
				if err := srv.Faults.Set(1, []simcloud.Fault{{Product: "dm", Kind: x.fault}}, simcloud.EventFaults{}); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Send(t.Context(), x.mail); fleet.ClassOf(err) != x.class {
				t.Errorf("got %v, want %s", err, x.class)
			}
			if n := len(srv.Mail.Mails()); n != x.sent {
				t.Errorf("%d mails were sent, want %d: a write is never repeated", n, x.sent)
			}
		})
	}
}
