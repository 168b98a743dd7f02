package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func TestAllRequestsGoToTheLocalCloudWithTheirHosts(t *testing.T) {
	hosts := map[string]string{
		policy.ChannelDingTalk: "oapi.dingtalk.com", policy.ChannelFeishu: "open.feishu.cn", policy.ChannelWeCom: "qyapi.weixin.qq.com",
		policy.ChannelSlack: "hooks.slack.com", policy.ChannelTeams: "prod-1.westeurope.logic.azure.com", policy.ChannelWebhook: "hooks.example.com:8443",
	}
	for _, kind := range kinds() {
		rec := receive(t, func(int, http.ResponseWriter, *http.Request) {})
		_, _ = sinkOf(t, kind, rec).Send(t.Context(), sample())
		if got := rec.requests(); len(got) != 1 || got[0].Host != hosts[kind] || !strings.Contains(got[0].URI, "canary") ||
			got[0].Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// remote returns a sink over TLS to a server: the client is the real one, with the address of the
// server for every name.
func remote(t *testing.T, kind string, serv *httptest.Server, roots *x509.CertPool) Sink {
	t.Helper()
	c := policy.Channel{Name: "ops", Type: kind}
	client, err := Client(c, "")
	if err != nil {
		t.Fatal(err)
	}
	transport := client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, serv.Listener.Addr().String())
	}
	transport.TLSClientConfig.RootCAs = roots
	sink, err := New(c, secrets()[kind], client, noon)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

func quiet(t *testing.T, err error) {
	t.Helper()
	if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "https://") {
		t.Errorf("got %v", err)
	}
}

func TestACertificateOfAnotherHostIsNotTrusted(t *testing.T) {
	called := false
	serv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	serv.Config.ErrorLog = log.New(io.Discard, "", 0)
	serv.StartTLS()
	defer serv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(serv.Certificate()) // of example.com
	for _, trusted := range []*x509.CertPool{nil, roots} {
		for _, kind := range kinds() {
			_, err := remote(t, kind, serv, trusted).Send(t.Context(), sample())
			match := kind == policy.ChannelWebhook && trusted != nil // hooks.example.com
			if match != called || !match && fleet.ClassOf(err) != fleet.Unavailable {
				t.Errorf("%s: called %t, %v", kind, called, err)
			}
			if called = false; err != nil {
				quiet(t, err)
			}
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	serv := httptest.NewUnstartedServer(http.NotFoundHandler())
	serv.Config.ErrorLog = log.New(io.Discard, "", 0)
	serv.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	serv.StartTLS()
	defer serv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(serv.Certificate())
	_, err := remote(t, policy.ChannelWebhook, serv, roots).Send(t.Context(), sample())
	if fleet.ClassOf(err) != fleet.Unavailable || !strings.Contains(err.Error(), "version") {
		t.Errorf("got %v", err)
	}
}

func TestAPostWithoutAnswerMayHaveBeenDelivered(t *testing.T) {
	for _, kind := range kinds() {
		ctx, cancel := context.WithCancel(t.Context())
		rec := receive(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
			cancel() // as a timeout does
			<-r.Context().Done()
		})
		_, err := sinkOf(t, kind, rec).Send(ctx, sample())
		if fleet.ClassOf(err) != fleet.Lost || !strings.Contains(err.Error(), "perhaps delivered") || len(rec.requests()) != 1 {
			t.Errorf("%s: %v", kind, err)
		}
		quiet(t, err)
	}
}

func TestAPostHasTenSeconds(t *testing.T) {
	for _, local := range []string{"", "127.0.0.1:4571"} {
		client, err := Client(policy.Channel{Type: policy.ChannelTeams}, local)
		if err != nil || client.Timeout != 10*time.Second {
			t.Errorf("%q: %v, %v", local, client, err)
		}
	}
}

func TestAConnectionThatBreaksMayHaveDelivered(t *testing.T) {
	rec := receive(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})
	_, err := sinkOf(t, policy.ChannelDingTalk, rec).Send(t.Context(), sample())
	if fleet.ClassOf(err) != fleet.Lost || len(rec.requests()) != 1 {
		t.Errorf("%v after %d posts", err, len(rec.requests()))
	}
	quiet(t, err)
}

func TestAHostThatIsDownGotNothing(t *testing.T) {
	rec := receive(t, func(int, http.ResponseWriter, *http.Request) {})
	rec.serv.Close()
	_, err := sinkOf(t, policy.ChannelTeams, rec).Send(t.Context(), sample())
	if fleet.ClassOf(err) != fleet.Unavailable {
		t.Errorf("got %v", err)
	}
	quiet(t, err)
}

// The name resolves to a private address when it is dialed, whatever it was before.
func TestANameWithAPrivateAddressIsNotDialed(t *testing.T) {
	called := false
	serv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer serv.Close()
	_, port, err := net.SplitHostPort(serv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := policy.Channel{Name: "ops", Type: policy.ChannelWebhook, Networks: []string{"10.0.0.0/8"}}
	client, err := Client(c, "")
	if err != nil {
		t.Fatal(err)
	}
	sink, err := New(c, `{"url":"https://localhost:`+port+`/canary-path","sign":"canary-key"}`, client, noon)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sink.Send(t.Context(), sample())
	if fleet.ClassOf(err) != fleet.Denied || called {
		t.Errorf("called %t, %v", called, err)
	}
	quiet(t, err)
}

func TestOnlyPublicAddressesAndTheChannelsNetworksAreDialed(t *testing.T) {
	networks, err := prefixes([]string{"10.1.0.0/16", "fd00:1::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"47.88.1.2": true, "8.8.8.8": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.0.1": true, "172.32.0.1": true, "2400:3200::1": true, "2606:4700::1": true,
		"10.1.2.3": true, "fd00:1::7": true,
		"10.2.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "127.0.0.1": false, "0.0.0.0": false, "169.254.169.254": false, "100.100.100.200": false, "100.64.0.1": false,
		"224.0.0.1": false, "239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.0.8": false, "203.0.113.9": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fd00:2::1": false, "fc00::1": false, "ff02::1": false, "2001:db8::1": false,
		"::ffff:10.1.2.3": false, "::ffff:127.0.0.1": false, "::ffff:8.8.8.8": false, "64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "2001:0:1::1": false, "::127.0.0.1": false, "fd00:1::7%eth0": false,
	} {
		if got := admits(netip.MustParseAddr(address), networks); got != want {
			t.Errorf("%s: %t", address, got)
		}
		err := guard(networks)("tcp", net.JoinHostPort(address, "443"), nil)
		if (err == nil) != want || err != nil && !errors.Is(err, errPrivate) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOnlyPrivateNetworksMayBeAdded(t *testing.T) {
	for _, bad := range []string{"", "x", "10.0.0.0", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "8.0.0.0/8", "0.0.0.0/0", "::/0", "fe80::/10"} {
		c := policy.Channel{Name: "ops", Type: policy.ChannelWebhook, Networks: []string{bad}}
		if _, err := Client(c, ""); !errors.As(err, new(*fleet.BadInput)) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := New(c, secrets()[policy.ChannelWebhook], nil, noon); !errors.As(err, new(*fleet.BadInput)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
