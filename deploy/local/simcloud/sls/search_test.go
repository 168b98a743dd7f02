package sls

import (
	"net/http/httptest"
	"testing"
)

func indexed() *Index {
	return &Index{Fields: map[string]string{"functionName": "text"}, Leaves: map[string]string{"type": "text", "finding.rule": "text", "finding.id": "text", "pass.refs": "long"}}
}

func line(message string) *searched {
	return &searched{fields: map[string]string{"functionName": "fleetwarden-sweep", "message": message, "__time__": "1767571200", "__topic__": "FCLogs:fleetwarden-sweep"}}
}

const finding = `{"v":1,"type":"finding","finding":{"rule":"agent-online","id":"i-bp1xyz","reason":"Offline since Monday"},"pass":{"refs":3}}`

func TestASearchFindsWhatItSays(t *testing.T) {
	for query, want := range map[string]bool{
		"": true, "*": true,
		`"i-bp1xyz"`: true, "i-bp1xyz": true, "I-BP1XYZ": true, "i-bp1": false, `"i-bp1xy"`: false, `"since offline"`: true, `"since Friday"`: false,
		"message.type: finding": true, "message.type:finding": true, `message.type: "finding"`: true, "message.type: pass": false,
		"message.finding.rule: agent-online": true, "message.pass.refs: 3": true, "message.pass.refs: 33": false, "message.finding.id: *": true,
		"functionName: fleetwarden-sweep": true, "functionName: fleetwarden": false, "__topic__: FCLogs": true,
		"message.type: finding and message.finding.rule: other":             false,
		"message.type: finding and not message.finding.rule: other":         true,
		"message.type: finding not message.finding.rule: other":             true,
		"not message.type: finding":                                         false,
		"message.type: pass or message.type: finding":                       true,
		"message.type: finding or message.type: pass and functionName: x":   true, // and binds closer
		"(message.type: finding or message.type: pass) and monday":          true,
		"(message.type: finding or message.type: pass) and functionName: x": false,
		"not (message.type: pass or nothing)":                               true,
		"1767571200":                                                        false,
		`"a \"quoted\" word"`:                                               false,
	} {
		fits, err := compile(query, indexed())
		if err != nil {
			t.Errorf("%s: %v", query, err)
		} else if got := fits(line(finding)); got != want {
			t.Errorf("%s: found %v", query, got)
		}
	}
}

func TestALineThatIsNoJSONIsFoundByItsWords(t *testing.T) {
	for query, want := range map[string]bool{"panic": true, "message.type: finding": false, "not message.type: finding": true} {
		fits, err := compile(query, indexed())
		if err != nil || fits(line("FC Invoke: panic in main")) != want {
			t.Errorf("%s: want %v, %v", query, want, err)
		}
	}
}

func TestWhatIsNoSearchOfTheSubsetIsRefused(t *testing.T) {
	for _, query := range []string{
		"* | select count(1)", "message.pass.refs > 3", "message.pass.refs >= 3", "abc*", "a?c", "message.finding.reason: x", "other: x", "'x'",
		"(a", "a)", "and", "a and", "a or", "not", "message.type:", ": x", `"a`, `"a\`, "a b", `"message.type": finding`, "message.type: and", "message.type: (a)",
	} {
		if fits, err := compile(query, indexed()); err == nil || fits != nil {
			t.Errorf("%s: was taken, %v", query, err)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, query := range []string{"*", `"i-1" and not message.type: pass`, "((a or b) not c)", `"\"`, "not not not a"} {
		f.Add(query, finding)
	}
	f.Fuzz(func(t *testing.T, query, message string) {
		fits, err := compile(query, indexed())
		if err != nil {
			return
		}
		one, two := fits(line(message)), fits(line(message))
		if one != two {
			t.Errorf("%q: %v, then %v", query, one, two)
		}
		if never, err := compile("not ("+query+")", indexed()); query != "" && err == nil && never(line(message)) == one {
			t.Errorf("%q and its opposite are both %v", query, one)
		}
	})
}

// The two examples of the vendor's page "Request signatures", as text that is signed.
func TestTheTextThatIsSignedIsThePublishedOne(t *testing.T) {
	r := httptest.NewRequest("GET", "http://p.cn-hangzhou.log.aliyuncs.com/logstores?size=1000&logstoreName=&offset=0", nil)
	r.Header.Set("Date", "Mon, 09 Nov 2015 06:11:16 GMT")
	r.Header.Set("x-log-apiversion", "0.6.0")
	r.Header.Set("x-log-signaturemethod", "hmac-sha1")
	if got, want := stringToSign(r), "GET\n\n\nMon, 09 Nov 2015 06:11:16 GMT\nx-log-apiversion:0.6.0\nx-log-signaturemethod:hmac-sha1\n/logstores?logstoreName=&offset=0&size=1000"; got != want {
		t.Errorf("got %q", got)
	}
	r = httptest.NewRequest("POST", "http://p.cn-hangzhou.log.aliyuncs.com/logstores/test-logstore", nil)
	for name, v := range map[string]string{
		"Date": "Mon, 09 Nov 2015 06:03:03 GMT", "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1", "x-log-bodyrawsize": "50",
		"x-log-compresstype": "lz4", "Content-MD5": "1DD45FA4A70A9300CC9FE7305AF2C494", "Content-Type": "application/x-protobuf",
	} {
		r.Header.Set(name, v)
	}
	want := "POST\n1DD45FA4A70A9300CC9FE7305AF2C494\napplication/x-protobuf\nMon, 09 Nov 2015 06:03:03 GMT\n" +
		"x-log-apiversion:0.6.0\nx-log-bodyrawsize:50\nx-log-compresstype:lz4\nx-log-signaturemethod:hmac-sha1\n/logstores/test-logstore"
	if got := stringToSign(r); got != want {
		t.Errorf("got %q", got)
	}
}
