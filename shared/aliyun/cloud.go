package aliyun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/aliyun/credentials-go/credentials"
)

// EndpointVariable is the environment variable that sends every client to one
// address instead of Alibaba Cloud: a URL of scheme http or https, such as
// http://127.0.0.1:4571. Requests keep the Host header of the real endpoint.
const EndpointVariable = "ALIBABA_CLOUD_ENDPOINT_URL"

// Cloud is what a process needs to reach Alibaba Cloud. It is safe for
// concurrent use and keeps connections open between passes.
type Cloud struct {
	// Sleep waits between two tries of a call; nil means real time. Set it before
	// the first session.
	Sleep func(ctx context.Context, d time.Duration) error

	credential credentials.Credential
	local      *url.URL // nil: the real cloud
	http       *http.Client
}

// NewCloud returns a Cloud that signs with credential. endpoint is the value of
// [EndpointVariable]; empty means Alibaba Cloud itself.
func NewCloud(credential credentials.Credential, endpoint string) (*Cloud, error) {
	c := &Cloud{credential: credential}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	dial := dialer.DialContext
	if endpoint != "" {
		local, err := parseEndpoint(endpoint)
		if err != nil {
			return nil, err
		}
		c.local = local
		dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, local.Host)
		}
	}
	c.http = &http.Client{CheckRedirect: noRedirect, Transport: &http.Transport{
		Proxy:                 proxyFor(c.local),
		DialContext:           dial,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ForceAttemptHTTP2:     c.local == nil,
	}}
	return c, nil
}

// noRedirect returns a redirect as the answer: no API redirects, and following one would
// send parameters and security token to any host it names.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func proxyFor(local *url.URL) func(*http.Request) (*url.URL, error) {
	if local != nil {
		return nil
	}
	return http.ProxyFromEnvironment
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", EndpointVariable, err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Port() == "" {
		return nil, fmt.Errorf("reading %s: %q is not of the form http://host:port", EndpointVariable, endpoint)
	}
	return u, nil
}

// Local returns host and port of the address that stands in for Alibaba Cloud,
// or "" for Alibaba Cloud itself.
func (c *Cloud) Local() string {
	if c.local == nil {
		return ""
	}
	return c.local.Host
}

// Scheme is that of all addresses: https, or that of the local address.
func (c *Cloud) Scheme() string {
	if c.local == nil {
		return "https"
	}
	return c.local.Scheme
}

// HTTP is the connections that all clients share. With a local address all requests go
// there, whatever host they name.
func (c *Cloud) HTTP() *http.Client { return c.http }

// Credential is what requests are signed with.
func (c *Cloud) Credential() credentials.Credential { return c.credential }

// as returns a Cloud that signs with another credential over the same connections.
func (c *Cloud) as(credential credentials.Credential) *Cloud {
	other := *c
	other.credential = credential
	return &other
}

// client returns an SDK client for one endpoint. It serves a single call: the SDK's
// client reads and clears its own header map on every call, without a lock, so that
// passes which run side by side must not share one. Making it costs 0.3 µs;
// connections are shared, below it.
func (c *Cloud) client(host string) (*openapi.Client, error) {
	protocol := c.Scheme()
	cl, err := openapi.NewClient(&openapiutil.Config{
		Credential: c.credential,
		Endpoint:   &host,
		Protocol:   &protocol,
		HttpClient: roundTrip{c.http},
	})
	if err != nil {
		return nil, fmt.Errorf("creating a client for %s: %w", host, err)
	}
	cl.DisableSDKError = new(true) // keeps the throttling error and its RetryAfter
	return cl, nil
}

// roundTrip makes the SDK use our connections instead of a new transport for every request.
type roundTrip struct{ client *http.Client }

func (r roundTrip) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	resp, err := r.client.Do(req)
	// A url.Error quotes the address, with all parameters in it.
	var u *url.Error
	if errors.As(err, &u) {
		return resp, u.Err
	}
	return resp, err
}
