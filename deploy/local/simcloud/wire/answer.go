package wire

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// drop cuts the connection without an answer, as a client sees a timeout.
func (x *exchange) drop(code string) {
	x.note(0, code)
	Drop(x.fault, x.q.http)
}

type errorBody struct {
	RequestId string
	HostId    string
	Code      string
	Message   string
	Recommend string
}

func (x *exchange) fail(err error) {
	e := AsError(err)
	x.note(e.Status, e.Code)
	body := errorBody{RequestId: x.id, Code: e.Code, Message: e.Message}
	body.Recommend = "https://api.aliyun.com/troubleshoot?q=" + e.Code
	if x.q != nil {
		body.HostId = x.q.http.Host
	}
	b, err := json.Marshal(body)
	if err != nil {
		b = []byte("{}")
	}
	x.answer(e.Status, b)
}

func (x *exchange) header(contentType string) {
	h := x.w.Header()
	h.Set("Date", x.now.Format(http.TimeFormat))
	h.Set("x-acs-request-id", x.id)
	h.Set("Content-Type", contentType)
}

// answer writes JSON.
func (x *exchange) answer(status int, body []byte) {
	x.header("application/json;charset=utf-8")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	// A client that has gone is its own affair.
	_, _ = x.w.Write(body)
}

// note writes the request to the log.
func (x *exchange) note(status int, code string) {
	e := Entry{Time: x.now, Status: status, Code: code, RequestID: x.id, IDs: x.ids}
	if x.product != nil {
		e.Product = x.product.Code
	}
	if x.q != nil {
		e.Action = x.q.action
	}
	if x.call != nil {
		e.Region, e.Account = x.call.Region, x.call.Caller.Account
		e.CallerType, e.Caller, e.Session = x.call.Caller.Type, x.call.Caller.Name, x.call.Caller.Session
	}
	x.r.o.Log.Add(e)
}
