package stack_test

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sls"
)

// logs is the log store of the probe's region.
func (f *fixture) logs() *sls.Client {
	cloud := aliyuntest.Cloud(f.T, f.cloud.URL(), aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"})
	return sls.New(cloud.NewSession(0), sls.Place{Region: server.Home, Project: "fleetwarden-" + server.Sharer + "-" + server.Home, Name: "functions"})
}

func TestTheLinesOfAFunctionAreInItsLogStore(t *testing.T) {
	f := deploy(t)
	began := f.cloud.World.Clock.Now()
	f.publish(server.Home, "test:Launch", `{"do":"nothing"}`)
	f.quiet()
	search := func(text string, from time.Time) []sls.Line {
		t.Helper()
		got, err := f.logs().Search(t.Context(), sls.Query{Search: text, From: from, To: from.Add(time.Hour), Limit: 100})
		f.ok(err)
		return got.Lines
	}
	lines := search("functionName: fleetwarden-probe and probe", began)
	if len(lines) == 0 {
		t.Fatalf("no line of the probe; written were %q", f.written())
	}
	for _, l := range lines {
		if l.Fields["functionName"] != "fleetwarden-probe" || !strings.Contains(f.written(), l.Fields["message"]) || l.At.Before(began) {
			t.Errorf("got %+v", l)
		}
	}
	if none := search("functionName: fleetwarden-probe", began.Add(time.Hour)); len(none) != 0 {
		t.Errorf("an hour later: %+v", none)
	}
	if index, err := f.logs().Index(t.Context()); err != nil || index.Fields["message.do"] != "text" {
		t.Errorf("index %+v, %v", index, err)
	}
}

// A call that ran out of time wrote nothing about it: request metrics alone have it.
func TestACallThatRanOutOfTimeIsInTheLogStore(t *testing.T) {
	f := deploy(t)
	began := f.cloud.World.Clock.Now()
	late := func(n int) {
		t.Helper()
		got, err := f.logs().Search(t.Context(), sls.Query{Search: "hasFunctionError: true", From: began, To: began.Add(time.Hour), Limit: 100})
		f.ok(err)
		if len(got.Lines) != n {
			t.Fatalf("%d failed calls, want %d: %+v", len(got.Lines), n, got.Lines)
		}
		for _, l := range got.Lines {
			if l.Fields["errorType"] != "FunctionTimeoutError" || l.Fields["functionName"] != "fleetwarden-probe" || l.Fields["requestId"] == "" || l.Fields["message"] != "" {
				t.Errorf("got %+v", l)
			}
		}
	}
	call := func(event, failure string) {
		t.Helper()
		res, err := f.Invoke(t.Context(), server.Home, "probe", []byte(event))
		f.ok(err)
		if res.ErrorType != failure {
			t.Fatalf("it ended with %q: %s", res.ErrorType, res.Body)
		}
	}
	call(`{"do":"nothing"}`, "")
	late(0)
	_, err := f.api().UpdateFunction(probeName, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{Timeout: new(int32(1))}})
	f.ok(err)
	call(`{"do":"hang"}`, fc.Unhandled)
	late(1)
}
