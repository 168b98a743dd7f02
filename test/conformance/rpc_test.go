package conformance_test

import (
	"encoding/json"
	"strings"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	util "github.com/alibabacloud-go/tea-utils/v2/service"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud/server"
)

// form calls any RPC API with the core of the vendor's SDKs, parameters in the form, and
// returns the body as JSON.
func (c *cloud) form(who identity, version, action string, params map[string]any) (string, error) {
	c.t.Helper()
	client, err := openapi.NewClient(c.config(who))
	c.ok(err)
	body := map[string]any{}
	for k, v := range params {
		body[k] = v
	}
	out, err := client.CallApi(&openapi.Params{
		Action: &action, Version: &version, Protocol: tea.String("HTTP"), Pathname: tea.String("/"), Method: tea.String("POST"),
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &openapi.OpenApiRequest{Body: body}, &util.RuntimeOptions{})
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(out["body"])
	c.ok(err)
	return string(text), nil
}

// plane is one API version as one identity.
type plane struct {
	*cloud
	who     identity
	version string
}

func (p plane) must(action string, params map[string]any, want ...string) string {
	p.t.Helper()
	body, err := p.form(p.who, p.version, action, params)
	p.ok(err)
	for _, w := range want {
		if !strings.Contains(body, w) {
			p.t.Errorf("%s %v: got %s, want %s in it", action, params, body, w)
		}
	}
	return body
}

func (p plane) refused(action string, params map[string]any, status int, code string) {
	p.t.Helper()
	_, err := p.form(p.who, p.version, action, params)
	wantError(p.t, err, status, code)
}

// needsRights calls each API as a role that may do no more, and as one that may do all
// else.
func needsRights(t *testing.T, version string, prepare func(*cloud), resource string, calls map[string]map[string]any, also string) {
	t.Helper()
	for action, params := range calls {
		service, api, _ := strings.Cut(action, ":")
		c := newCloud(t, server.Options{})
		prepare(c)
		alone := c.acting("alone", `{"Effect":"Allow","Action":"`+action+`","Resource":"`+resource+`"}`+also)
		others := c.acting("all-else", `{"Effect":"Allow","Action":"`+service+`:*","Resource":"*"},{"Effect":"Deny","Action":"`+action+`","Resource":"*"}`+also)
		plane{c, others, version}.refused(api, params, 403, "Forbidden.RAM")
		if _, err := c.form(alone, version, api, params); err != nil {
			t.Errorf("%s alone: %v", action, err)
		}
	}
}
