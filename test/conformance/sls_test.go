package conformance_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/sls"
)

const logsOf = "fleetwarden-1000000000000001-cn-hangzhou"

// logCall is a request to SLS as its SDKs sign it, version 1.
type logCall struct {
	method, path string
	query        url.Values
	body         string
	project      string            // logsOf where empty
	change       func(http.Header) // before it is signed
	spoil        func(http.Header) // afterwards
}

// logs sends a request, and returns status, headers and body.
func (c *cloud) logs(who identity, x logCall) (int, http.Header, string) {
	c.t.Helper()
	address := c.URL() + x.path
	if len(x.query) > 0 {
		address += "?" + x.query.Encode()
	}
	req, err := http.NewRequestWithContext(c.t.Context(), x.method, address, bytes.NewBufferString(x.body))
	c.ok(err)
	req.Host = logsOf + ".cn-hangzhou.log.aliyuncs.com"
	if x.project != "" {
		req.Host = x.project + ".cn-hangzhou.log.aliyuncs.com"
	}
	h := req.Header
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("x-log-apiversion", "0.6.0")
	h.Set("x-log-signaturemethod", "hmac-sha1")
	if who.token != "" {
		h.Set("x-acs-security-token", who.token)
	}
	if x.body != "" {
		sum := md5.Sum([]byte(x.body))
		h.Set("Content-MD5", strings.ToUpper(hex.EncodeToString(sum[:])))
		h.Set("Content-Type", "application/json")
	}
	if x.change != nil {
		x.change(h)
	}
	var extra, params []string
	for name, v := range h {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-log-") || strings.HasPrefix(name, "x-acs-") {
			extra = append(extra, name+":"+v[0]+"\n")
		}
	}
	for name, v := range x.query {
		params = append(params, name+"="+v[0])
	}
	slices.Sort(extra)
	slices.Sort(params)
	resource := x.path
	if len(params) > 0 {
		resource += "?" + strings.Join(params, "&")
	}
	mac := hmac.New(sha1.New, []byte(who.secret))
	fmt.Fprintf(mac, "%s\n%s\n%s\n%s\n%s%s", x.method, h.Get("Content-MD5"), h.Get("Content-Type"), h.Get("Date"), strings.Join(extra, ""), resource)
	h.Set("Authorization", "LOG "+who.key+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if x.spoil != nil {
		x.spoil(h)
	}
	resp, err := http.DefaultClient.Do(req)
	c.ok(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	c.ok(err)
	return resp.StatusCode, resp.Header, string(body)
}

// errorOf is the code of a refusal.
func errorOf(body string) string {
	var e struct{ ErrorCode, ErrorMessage string }
	if json.Unmarshal([]byte(body), &e) != nil {
		return "(no error)"
	}
	return e.ErrorCode
}

// withLogs has a store with lines of two functions, a minute apart.
func withLogs(c *cloud) {
	c.t.Helper()
	store := sls.Store{Account: server.Sharer, Region: server.Home, Project: logsOf, Name: "functions"}
	c.SLS.Create(store, &sls.Index{Fields: map[string]string{"functionName": "text"}, Leaves: map[string]string{"type": "text", "finding.id": "text"}})
	path := filepath.Join(c.t.TempDir(), "instance.log")
	var all []byte
	for i, lines := range []string{
		`{"type":"finding","finding":{"id":"i-one"}}` + "\n" + `{"type":"pass"}` + "\n",
		`{"type":"finding","finding":{"id":"i-two"}}` + "\npanic: i-two\n",
	} {
		if i > 0 {
			c.pass(time.Minute)
		}
		c.SLS.Write(store, sls.Batch{
			At: c.World.Clock.Now(), Function: []string{"sweep", "push"}[i], Instance: "c-1", Path: path, Offset: int64(len(all)), Length: int64(len(lines)),
		})
		all = append(all, lines...)
	}
	c.ok(os.WriteFile(path, all, 0o600))
	c.SLS.Create(sls.Store{Account: server.Sharer, Region: server.Home, Project: logsOf, Name: "bare"}, nil)
}

const searchBody = `{"from":1767571200,"to":1767571300,"query":%q,"line":%d,"offset":%d,"reverse":%t}`

// found searches in both forms of GetLogs, which must agree, and returns the messages.
func (c *cloud) found(who identity, query string, line, offset int, reverse bool) (messages []string, progress string) {
	c.t.Helper()
	status, _, body := c.logs(who, logCall{method: "POST", path: "/logstores/functions/logs", body: fmt.Sprintf(searchBody, query, line, offset, reverse)})
	var v2 struct {
		Meta struct {
			Progress string
			Count    int
		}
		Data []map[string]string
	}
	if err := json.Unmarshal([]byte(body), &v2); status != 200 || err != nil || v2.Meta.Count != len(v2.Data) {
		c.t.Fatalf("%s: %d %s, %v", query, status, body, err)
	}
	for _, x := range v2.Data {
		if x["__topic__"] != "FCLogs:"+x["functionName"] || x["instanceID"] != "c-1" || x["qualifier"] != "LATEST" {
			c.t.Errorf("got %v", x)
		}
		messages = append(messages, x["message"])
	}
	params := url.Values{"type": {"log"}, "from": {"1767571200"}, "to": {"1767571300"}, "query": {query}, "line": {fmt.Sprint(line)}, "offset": {fmt.Sprint(offset)}, "reverse": {fmt.Sprint(reverse)}}
	status, header, body := c.logs(who, logCall{method: "GET", path: "/logstores/functions", query: params})
	var v1 []map[string]string
	if err := json.Unmarshal([]byte(body), &v1); status != 200 || err != nil {
		c.t.Fatalf("%s: %d %s, %v", query, status, body, err)
	}
	if diff := cmp.Diff(v2.Data, v1); diff != "" && v2.Meta.Progress == "Complete" {
		c.t.Errorf("%s: the two forms differ: %s", query, diff)
	}
	if header.Get("x-log-progress") == "" || header.Get("x-log-requestid") == "" || header.Get("x-log-count") != fmt.Sprint(len(v1)) {
		c.t.Errorf("headers %v", header)
	}
	return messages, v2.Meta.Progress
}

func TestLinesOfFunctionsAreFound(t *testing.T) {
	c := newCloud(t, server.Options{})
	withLogs(c)
	const one, pass, two, panicked = `{"type":"finding","finding":{"id":"i-one"}}`, `{"type":"pass"}`, `{"type":"finding","finding":{"id":"i-two"}}`, "panic: i-two"
	for _, x := range []struct {
		query        string
		line, offset int
		reverse      bool
		want         []string
	}{
		{"*", 100, 0, false, []string{one, pass, two, panicked}},
		{"*", 100, 0, true, []string{panicked, two, pass, one}},
		{"*", 2, 1, false, []string{pass, two}},
		{"*", 100, 4, false, nil},
		{"*", 0, 0, false, nil},
		{"message.type: finding and not message.finding.id: i-one", 100, 0, false, []string{two}},
		{`"i-two"`, 100, 0, false, []string{two, panicked}},
		{"functionName: sweep and (message.type: pass or i-one)", 100, 0, false, []string{one, pass}},
	} {
		got, progress := c.found(sharerAdmin, x.query, x.line, x.offset, x.reverse)
		if diff := cmp.Diff(x.want, got); diff != "" || progress != "Complete" {
			t.Errorf("%s: %s %s", x.query, progress, diff)
		}
	}
	// From is included, to is not; a topic is that of a function.
	for body, want := range map[string]int{
		`{"from":1767571200,"to":1767571260}`: 2, `{"from":1767571260,"to":1767571261}`: 2, `{"from":1767571201,"to":1767571260}`: 0,
		`{"from":1767571200,"to":1767571300,"topic":"FCLogs:push"}`: 2,
	} {
		_, _, got := c.logs(sharerAdmin, logCall{method: "POST", path: "/logstores/functions/logs", body: body})
		if n := strings.Count(got, `"__time__"`); n != want {
			t.Errorf("%s: %d lines: %s", body, n, got)
		}
	}
}

func TestASearchMayBeIncompleteWithHTTP200(t *testing.T) {
	c := newCloud(t, server.Options{})
	withLogs(c)
	c.ok(c.Faults.Set(1, []simcloud.Fault{{Product: "sls", Kind: simcloud.Incomplete, Count: 2}}, simcloud.EventFaults{}))
	if got, progress := c.found(sharerAdmin, "*", 100, 0, false); progress != "Incomplete" || len(got) != 2 {
		t.Errorf("%s, %d lines", progress, len(got))
	}
	if got, progress := c.found(sharerAdmin, "*", 100, 0, false); progress != "Complete" || len(got) != 4 {
		t.Errorf("%s, %d lines", progress, len(got))
	}
	for kind, want := range map[simcloud.FaultKind]string{
		simcloud.Throttle: "403 ReadQuotaExceed", simcloud.Unavailable: "503 ServerBusy", simcloud.InternalError: "500 InternalServerError", simcloud.Deny: "401 Unauthorized",
	} {
		c.ok(c.Faults.Set(1, []simcloud.Fault{{Product: "sls", Action: "GetIndex", Kind: kind}}, simcloud.EventFaults{}))
		status, _, body := c.logs(sharerAdmin, logCall{method: "GET", path: "/logstores/functions/index"})
		if got := fmt.Sprint(status, " ", errorOf(body)); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestAStoreShowsItselfAndItsIndex(t *testing.T) {
	c := newCloud(t, server.Options{})
	withLogs(c)
	status, _, body := c.logs(sharerAdmin, logCall{method: "GET", path: "/logstores/functions"})
	if status != 200 || !strings.Contains(body, `"logstoreName":"functions"`) || !strings.Contains(body, `"ttl":30`) {
		t.Errorf("%d %s", status, body)
	}
	status, _, body = c.logs(sharerAdmin, logCall{method: "GET", path: "/logstores/functions/index"})
	var index struct {
		Line map[string]any
		Keys map[string]struct {
			Type string
			Json map[string]struct{ Type string } `json:"json_keys"`
		}
	}
	if err := json.Unmarshal([]byte(body), &index); status != 200 || err != nil {
		t.Fatalf("%d %s %v", status, body, err)
	}
	if index.Line == nil || index.Keys["functionName"].Type != "text" || index.Keys["message"].Type != "json" || index.Keys["message"].Json["finding.id"].Type != "text" {
		t.Errorf("got %s", body)
	}
}

func TestSLSRefusesWhatItDoesNotKnow(t *testing.T) {
	c := newCloud(t, server.Options{})
	withLogs(c)
	post := func(path, body string) logCall { return logCall{method: "POST", path: path, body: body} }
	query := func(q string) logCall {
		return post("/logstores/functions/logs", fmt.Sprintf(searchBody, q, 100, 0, false))
	}
	for name, x := range map[string]struct {
		call logCall
		want string
	}{
		"SQL":                  {query("* | select count(1)"), "400 ParameterInvalid"},
		"a comparison":         {query("message.pass.delayMs > 0"), "400 ParameterInvalid"},
		"a field not indexed":  {query("message.other: x"), "400 ParameterInvalid"},
		"an open parenthesis":  {query("(a"), "400 ParameterInvalid"},
		"no time":              {post("/logstores/functions/logs", `{"query":"*"}`), "400 InvalidTimeRange"},
		"no time between":      {post("/logstores/functions/logs", `{"from":5,"to":5}`), "400 InvalidTimeRange"},
		"a page of 101":        {post("/logstores/functions/logs", `{"from":1,"to":5,"line":101}`), "400 InvalidLine"},
		"before the beginning": {post("/logstores/functions/logs", `{"from":1,"to":5,"offset":-1}`), "400 InvalidOffset"},
		"an unknown member":    {post("/logstores/functions/logs", `{"from":1,"to":5,"moon":1}`), "400 PostBodyInvalid"},
		"no JSON":              {post("/logstores/functions/logs", `{`), "400 PostBodyInvalid"},
		"no compression":       {logCall{method: "POST", path: "/logstores/functions/logs", body: `{"from":1,"to":5}`, change: func(h http.Header) { h.Set("Accept-Encoding", "identity") }}, "400 ParameterInvalid"},
		"no index to search":   {post("/logstores/bare/logs", `{"from":1,"to":5}`), "400 IndexConfigNotExist"},
		"no index to show":     {logCall{method: "GET", path: "/logstores/bare/index"}, "404 IndexConfigNotExist"},
		"no store":             {logCall{method: "GET", path: "/logstores/none"}, "404 LogStoreNotExist"},
		"no project":           {logCall{method: "GET", path: "/logstores/functions", project: "none"}, "404 ProjectNotExist"},
		"another API":          {logCall{method: "DELETE", path: "/logstores/functions"}, "405 InvalidMethod"},
		"a wrong signature":    {logCall{method: "GET", path: "/logstores/functions", spoil: func(h http.Header) { h.Set("x-log-more", "1") }}, "401 SignatureNotMatch"},
		"no signature":         {logCall{method: "GET", path: "/logstores/functions", spoil: func(h http.Header) { h.Del("Authorization") }}, "401 Unauthorized"},
		"an unknown key":       {logCall{method: "GET", path: "/logstores/functions", spoil: func(h http.Header) { h.Set("Authorization", "LOG none:x") }}, "401 Unauthorized"},
		"another body":         {logCall{method: "POST", path: "/logstores/functions/logs", body: "{}", change: func(h http.Header) { h.Set("Content-MD5", "00") }}, "400 InvalidContentMD5"},
		"another type":         {logCall{method: "POST", path: "/logstores/functions/logs", body: "{}", change: func(h http.Header) { h.Set("Content-Type", "text/plain") }}, "415 InvalidContentType"},
		"another version":      {logCall{method: "GET", path: "/logstores/functions", change: func(h http.Header) { h.Set("x-log-apiversion", "9") }}, "400 InvalidAPIVersion"},
		"another method":       {logCall{method: "GET", path: "/logstores/functions", change: func(h http.Header) { h.Set("x-log-signaturemethod", "none") }}, "400 InvalidSignatureMethod"},
		"no date":              {logCall{method: "GET", path: "/logstores/functions", change: func(h http.Header) { h.Set("Date", "today") }}, "400 InvalidDateFormat"},
		"an old date":          {logCall{method: "GET", path: "/logstores/functions", change: func(h http.Header) { h.Set("Date", "Mon, 09 Nov 2015 06:11:16 GMT") }}, "400 RequestTimeExpired"},
	} {
		status, header, body := c.logs(sharerAdmin, x.call)
		if got := fmt.Sprint(status, " ", errorOf(body)); got != x.want || header.Get("x-log-requestid") == "" {
			t.Errorf("%s: got %s, want %s: %s", name, got, x.want, body)
		}
	}
	if status, _, body := c.logs(shareeAdmin, logCall{method: "GET", path: "/logstores/functions"}); status != 401 || errorOf(body) != "Unauthorized" {
		t.Errorf("another account's store: %d %s", status, body)
	}
}

func TestLogsNeedTheirRights(t *testing.T) {
	c := newCloud(t, server.Options{})
	withLogs(c)
	const store = "acs:log:cn-hangzhou:1000000000000001:project/" + logsOf + "/logstore/functions"
	for action, x := range map[string]logCall{
		"GetLogStore":     {method: "GET", path: "/logstores/functions"},
		"GetIndex":        {method: "GET", path: "/logstores/functions/index"},
		"GetLogStoreLogs": {method: "POST", path: "/logstores/functions/logs", body: `{"from":1,"to":5}`},
	} {
		alone := c.acting("with-"+action, `{"Effect":"Allow","Action":"log:`+action+`","Resource":"`+store+`"}`)
		if status, _, body := c.logs(alone, x); status != 200 {
			t.Errorf("%s alone: %d %s", action, status, body)
		}
		others := c.acting("without-"+action, `{"Effect":"Allow","Action":"log:*","Resource":"*"},{"Effect":"Deny","Action":"log:`+action+`","Resource":"*"}`)
		if status, _, body := c.logs(others, x); status != 401 || errorOf(body) != "Unauthorized" {
			t.Errorf("all but %s: %d %s", action, status, body)
		}
		elsewhere := c.acting("elsewhere-"+action, `{"Effect":"Allow","Action":"log:*","Resource":"`+store+`-other"}`)
		if status, _, _ := c.logs(elsewhere, x); status != 401 {
			t.Errorf("%s on another store: %d", action, status)
		}
	}
}

// The product's own table: each saved query is one that the log store serves, over the
// fields that the table has indexed.
func TestEachSavedQueryIsServed(t *testing.T) {
	type fields struct{ Texts, Longs []string }
	var table struct {
		Fields struct {
			fields
			Message fields
		}
		Queries []struct{ Name, Query string }
	}
	text, err := os.ReadFile("../../deploy/queries.json")
	c := newCloud(t, server.Options{})
	c.ok(err)
	c.ok(json.Unmarshal(text, &table))
	types := func(f fields) map[string]string {
		out := map[string]string{}
		for _, name := range append(f.Texts, f.Longs...) {
			out[name] = "any"
		}
		return out
	}
	withLogs(c)
	store := sls.Store{Account: server.Sharer, Region: server.Home, Project: logsOf, Name: "functions"}
	c.SLS.Create(store, &sls.Index{Fields: types(table.Fields.fields), Leaves: types(table.Fields.Message)})
	want := map[string]int{"violations": 0, "changes": 0, "faults": 0, "passes": 1, "passes-of-function": 1, "mentions": 2, "mentions-by-function": 0}
	if len(table.Queries) != len(want) {
		t.Errorf("%d saved queries, want %d", len(table.Queries), len(want))
	}
	for _, q := range table.Queries {
		query := strings.NewReplacer("{id}", "i-two", "{function}", "sweep").Replace(q.Query)
		if got, progress := c.found(sharerAdmin, query, 100, 0, false); len(got) != want[q.Name] || progress != "Complete" {
			t.Errorf("%s: %d lines, want %d", q.Name, len(got), want[q.Name])
		}
	}
}
