// Package fc reads the functions of Function Compute (2023-03-30) with all that belongs to
// them, and makes their triggers. It compares nothing and knows no function by name.
package fc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls Function Compute of one region for one pass.
type Client struct {
	session *aliyun.Session
	region  fleet.Region
}

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session, region fleet.Region) *Client { return &Client{session, region} }

// Function is a function as GetFunction shows it. Environment variables come in clear.
type Function struct {
	Name         string            `json:"functionName"`
	ARN          string            `json:"functionArn"`
	CodeChecksum string            `json:"codeChecksum"` // CRC-64 (ECMA) of the zip, decimal
	Runtime      string            `json:"runtime"`
	Handler      string            `json:"handler"`
	CPU          float64           `json:"cpu"`        // vCPU
	MemorySize   int               `json:"memorySize"` // MB
	DiskSize     int               `json:"diskSize"`   // MB
	Timeout      int               `json:"timeout"`    // s
	Role         string            `json:"role"`       // ARN
	Environment  map[string]string `json:"environmentVariables"`
	Log          Log               `json:"logConfig"`
	State        string            `json:"state"`            // Active, once it can be invoked
	LastUpdate   string            `json:"lastUpdateStatus"` // Successful, InProgress or Failed
	Restriction  struct {
		Disable bool   `json:"disable"`
		Reason  string `json:"reason"`
	} `json:"invocationRestriction"`
	DisableOndemand bool  `json:"disableOndemand"`
	InternetAccess  *bool `json:"internetAccess"`
	Layers          []struct {
		ARN string `json:"arn"`
	} `json:"layers"`
	VPC struct {
		ID string `json:"vpcId"`
	} `json:"vpcConfig"`
}

// Log is the destination of a function's log lines.
type Log struct {
	Project        string `json:"project"`
	Logstore       string `json:"logstore"`
	BeginRule      string `json:"logBeginRule"` // how lines are joined into one entry
	RequestMetrics bool   `json:"enableRequestMetrics"`
}

// Async configures retries and destinations of asynchronous invocations.
type Async struct {
	MaxAge      int `json:"maxAsyncEventAgeInSeconds"`
	MaxAttempts int `json:"maxAsyncRetryAttempts"`
	Destination struct {
		OnFailure Destination `json:"onFailure"`
		OnSuccess Destination `json:"onSuccess"`
	} `json:"destinationConfig"`
}

// Destination is the ARN of the destination of invocation records.
type Destination struct {
	Destination string `json:"destination"`
}

// Latest is the qualifier of the newest code.
const Latest = "LATEST"

// Trigger is a trigger; Config is JSON, as text. Qualifier is the version or alias that it
// invokes; empty is [Latest] in a request.
type Trigger struct {
	Name      string `json:"triggerName"`
	Type      string `json:"triggerType"`
	Config    string `json:"triggerConfig"`
	Qualifier string `json:"qualifier,omitempty"`
}

// Names lists the functions of FC 3.0 whose names begin with prefix, to their end.
func (c *Client) Names(ctx context.Context, prefix string) ([]string, error) {
	type page struct {
		Next      string     `json:"nextToken"`
		Functions []Function `json:"functions"`
	}
	var out []string
	query := map[string]string{"prefix": prefix, "fcVersion": "v3", "limit": "100"}
	err := list(ctx, c, "ListFunctions", "/2023-03-30/functions", query, "nextToken", func(p *page) string {
		for _, f := range p.Functions {
			out = append(out, f.Name)
		}
		return p.Next
	})
	return out, err
}

// Get reads a function. One that does not exist is an error of class [fleet.NotFound].
func (c *Client) Get(ctx context.Context, name string) (*Function, error) {
	return get[Function](ctx, c, "GetFunction", of(name))
}

// maxCode is how much of a function's zip is read: Function Compute takes at most 500 MB, and
// ours are some MB.
const maxCode = 100 << 20

// Code reads the zip of a function. Its address, which anyone may read for a while, is in no
// error.
func (c *Client) Code(ctx context.Context, name string) ([]byte, error) {
	at, err := get[struct {
		URL string `json:"url"`
	}](ctx, c, "GetFunctionCode", of(name)+"/code")
	if err != nil {
		return nil, err
	}
	body, err := download(ctx, at.URL)
	if err != nil {
		var secret *url.Error
		if errors.As(err, &secret) {
			err = secret.Err
		}
		return nil, fmt.Errorf("reading the code of %s: %w", name, err)
	}
	return body, nil
}

func download(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("its address is none")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("its address is not one of https")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("its address is none")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxCode+1))
	if err == nil && len(body) > maxCode {
		err = fmt.Errorf("it has more than %d bytes", maxCode)
	}
	return body, err
}

// Tags reads the tags of a function, by its ARN: whether GetFunction shows them is not
// documented.
func (c *Client) Tags(ctx context.Context, arn string) (map[string]string, error) {
	type page struct {
		NextToken    string
		TagResources []struct {
			TagKey, TagValue string
		}
	}
	out := map[string]string{}
	query := map[string]string{"ResourceType": "function", "ResourceId": `["` + arn + `"]`}
	err := list(ctx, c, "ListTagResources", "/2023-03-30/tags-v2", query, "NextToken", func(p *page) string {
		for _, t := range p.TagResources {
			out[t.TagKey] = t.TagValue
		}
		return p.NextToken
	})
	return out, err
}

// errCircle ends an endless list.
var errCircle = errors.New("the listing goes in circles: the next page is the one just read")

// list reads a list page by page to its end, with the token of a page in the query; take keeps
// what a page has and returns the token of the next.
func list[Page any](ctx context.Context, c *Client, action, path string, query map[string]string, token string, take func(*Page) string) error {
	for {
		page, err := aliyun.DoREST[Page](ctx, c.session, aliyun.REST{API: c.api(action, false), Method: http.MethodGet, Path: path, Query: query})
		if err != nil {
			return err
		}
		switch next := take(page); next {
		case "":
			return nil
		case query[token]:
			return errCircle
		default:
			query[token] = next
		}
	}
}

// Async reads a function's asynchronous invocation config; nil for the defaults.
func (c *Client) Async(ctx context.Context, name string) (*Async, error) {
	return unlessNone(get[Async](ctx, c, "GetAsyncInvokeConfig", of(name)+"/async-invoke-config"))
}

// Reserved reads how many instances a function reserves, beyond which its calls are refused;
// nil for no limit of its own. With 0 it is never invoked.
func (c *Client) Reserved(ctx context.Context, name string) (*int, error) {
	got, err := unlessNone(get[struct {
		Reserved int `json:"reservedConcurrency"`
	}](ctx, c, "GetConcurrencyConfig", of(name)+"/concurrency"))
	if err != nil || got == nil {
		return nil, err
	}
	return &got.Reserved, nil
}

// unlessNone returns nil for a configuration that does not exist.
func unlessNone[T any](got *T, err error) (*T, error) {
	if fleet.ClassOf(err) == fleet.NotFound {
		return nil, nil
	}
	return got, err
}

// Triggers lists the triggers of a function to their end.
func (c *Client) Triggers(ctx context.Context, name string) ([]Trigger, error) {
	type page struct {
		Next     string    `json:"nextToken"`
		Triggers []Trigger `json:"triggers"`
	}
	var out []Trigger
	err := list(ctx, c, "ListTriggers", of(name)+"/triggers", map[string]string{"limit": "100"}, "nextToken", func(p *page) string {
		out = append(out, p.Triggers...)
		return p.Next
	})
	return out, err
}

// CreateTrigger makes a trigger.
func (c *Client) CreateTrigger(ctx context.Context, function string, t Trigger) error {
	return c.change(ctx, "CreateTrigger", http.MethodPost, of(function)+"/triggers", t)
}

// UpdateTrigger gives a trigger another configuration and qualifier. Its type cannot change.
func (c *Client) UpdateTrigger(ctx context.Context, function string, t Trigger) error {
	return c.change(ctx, "UpdateTrigger", http.MethodPut, of(function)+"/triggers/"+url.PathEscape(t.Name), map[string]string{"triggerConfig": t.Config, "qualifier": cmp.Or(t.Qualifier, Latest)})
}

// DeleteTrigger ends a trigger.
func (c *Client) DeleteTrigger(ctx context.Context, function, name string) error {
	return c.change(ctx, "DeleteTrigger", http.MethodDelete, of(function)+"/triggers/"+url.PathEscape(name), nil)
}

func (c *Client) change(ctx context.Context, action, method, path string, body any) error {
	_, err := aliyun.DoREST[struct{}](ctx, c.session, aliyun.REST{API: c.api(action, true), Method: method, Path: path, Body: body})
	return err
}

func get[Resp any](ctx context.Context, c *Client, action, path string) (*Resp, error) {
	return aliyun.DoREST[Resp](ctx, c.session, aliyun.REST{API: c.api(action, false), Method: http.MethodGet, Path: path})
}

func (c *Client) api(action string, write bool) aliyun.API {
	return aliyun.API{Product: aliyun.FC, Action: action, Region: c.region, Write: write}
}

func of(function string) string { return "/2023-03-30/functions/" + url.PathEscape(function) }
