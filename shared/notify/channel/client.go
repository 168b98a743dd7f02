package channel

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Client returns the client that posts to a channel. A post takes 10 s at most, on a connection
// of its own: a function sleeps between its calls, and a post on a connection that has died
// meanwhile would look as if it had been delivered. Redirects are not followed: they would take
// the document to any address. There is no proxy: it would resolve names itself, so that the
// address which is checked would be the proxy's.
//
// A channel whose host is the policy's or the secret's to choose is refused any address that is
// not public, unless it is in c.Networks; the address is checked as it is dialed, after the
// name was resolved. The hosts of the other types are fixed, and prove themselves by their
// certificates.
//
// Local, if not empty, is host and port of the local cloud: every request goes there, over
// plain HTTP, with its Host header.
func Client(c policy.Channel, local string) (*http.Client, error) {
	networks, err := prefixes(c.Networks)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if f, ok := formOf(c.Type); !ok || f.hosts == nil {
		dialer.Control = guard(networks)
	}
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxAnswer,
		},
	}
	if local != "" {
		client.Transport = toLocal{local, &http.Transport{DisableKeepAlives: true}}
	}
	return client, nil
}

// toLocal sends each request to one address, with the Host header of its own.
type toLocal struct {
	address string
	next    http.RoundTripper
}

func (l toLocal) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = "http", l.address
	return l.next.RoundTrip(r)
}

// errPrivate is how a dial to an address ends that is not the channel's to reach.
var errPrivate = errors.New("the host has an address in no public network, and in none of the channel's networks")

// guard refuses to dial what admits does not.
func guard(networks []netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !admits(at.Addr(), networks) {
			return errPrivate
		}
		return nil
	}
}

// prefixes parses networks.
func prefixes(networks []string) (out []netip.Prefix, err error) {
	for _, n := range networks {
		p, err := netip.ParsePrefix(n)
		if err != nil || !p.Addr().IsPrivate() {
			return nil, &fleet.BadInput{Where: "networks of a channel", What: fmt.Sprintf("%q is not a private network", n)}
		}
		out = append(out, p)
	}
	return out, nil
}

// admits reports whether a channel may post to an address: one that anyone on the Internet
// could post to, or one of its networks. Which are public: the special-purpose registries of
// IANA. Of IPv6 that is 2000::/3 without what embeds an IPv4 address or is reserved in it;
// NAT64 and IPv4-mapped addresses are outside. 100.64.0.0/10 has Alibaba Cloud's metadata
// service, 100.100.100.200.
func admits(ip netip.Addr, networks []netip.Prefix) bool {
	if ip.IsPrivate() { // RFC 1918 and RFC 4193
		return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	in := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return netip.MustParsePrefix(p).Contains(ip) })
	}
	if ip.Is4() {
		return !in("0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
			"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")
	}
	return in("2000::/3") && !in("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
}
