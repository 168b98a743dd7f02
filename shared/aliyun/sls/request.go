package sls

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/aliyun"
)

// request is one request about the store. Body is nil for none.
type request struct {
	api, method, below string
	body               any
}

// ask sends a request and decodes its answer. It is repeated while that may help.
func ask[Resp any](ctx context.Context, c *Client, r request) (*Resp, error) {
	var out *Resp
	// They are part of the host's name and of the path.
	if !c.place.Region.Valid() || !validName(c.place.Project) || !validName(c.place.Name) {
		return nil, aliyun.NewError(r.api, 0, "ParameterInvalid", fmt.Sprintf("not sent: %q in %q of region %q is no log store", c.place.Name, c.place.Project, c.place.Region), "", false)
	}
	err := c.session.Call(ctx, r.api, func() error {
		text, err := c.exchange(ctx, r)
		if err != nil {
			return err
		}
		if out, err = decode[Resp](text); err != nil {
			return aliyun.NoAnswer(ctx, r.api, err, false)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func decode[Resp any](text []byte) (*Resp, error) {
	out := new(Resp)
	if json.Unmarshal(text, out, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return nil, errors.New("the answer is not as documented")
	}
	return out, nil
}

// validName allows letters, digits, hyphens and underscores: the names of projects and of
// stores have no others.
func validName(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != ""
}

// maxAnswer bounds how much of an answer is read; a page has at most 100 lines.
const maxAnswer = 32 << 20

// exchange sends a request once and returns the body of a good answer.
func (c *Client) exchange(ctx context.Context, r request) ([]byte, error) {
	req, err := c.make(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.session.Cloud().HTTP().Do(req)
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err // the address has no secret; the neighbours leave it out as well
	}
	if err != nil {
		return nil, aliyun.NoAnswer(ctx, r.api, err, false)
	}
	defer resp.Body.Close()
	c.session.SawDate(resp.Header.Get("Date"))
	id := resp.Header.Get("x-log-requestid")
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, aliyun.NoAnswer(ctx, r.api, fmt.Errorf("reading the answer: %w", err), false)
	case len(text) > maxAnswer:
		return nil, aliyun.NoAnswer(ctx, r.api, fmt.Errorf("the answer is longer than %d bytes", maxAnswer), false)
	case resp.StatusCode != http.StatusOK:
		var e struct {
			Code    string `json:"errorCode"`
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(text, &e) // without a code the status counts
		return nil, aliyun.NewError(r.api, resp.StatusCode, e.Code, e.Message, id, false)
	case id == "" || len(text) == 0:
		return nil, aliyun.NoAnswer(ctx, r.api, errors.New("the answer has no body, or no request id"), false)
	}
	return text, nil
}

// make builds a signed request.
func (c *Client) make(ctx context.Context, r request) (*http.Request, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body, json.Deterministic(true)); err != nil {
			return nil, err
		}
	}
	cloud := c.session.Cloud()
	address := cloud.Scheme() + "://" + c.place.Project + "." + string(c.place.Region) + ".log.aliyuncs.com/logstores/" + c.place.Name + r.below
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	keys, err := cloud.Credential().GetCredential()
	if err != nil {
		return nil, aliyun.NewError(r.api, 0, "Unauthorized", "not sent: "+err.Error(), "", false)
	}
	sign(req, body, *keys.AccessKeyId, *keys.AccessKeySecret, text(keys.SecurityToken), time.Now())
	return req, nil
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
