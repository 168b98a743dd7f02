package mns

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

func (x xmlOutgoing) outgoing() Outgoing {
	out := Outgoing{Body: x.MessageBody, Priority: x.Priority}
	if x.DelaySeconds != nil {
		d := time.Duration(*x.DelaySeconds) * time.Second
		out.Delay = &d
	}
	return out
}

func (h *Handler) send(r *request) (answer, error) {
	var x struct {
		XMLName xml.Name `xml:"Message"`
		xmlOutgoing
	}
	if len(bytes.TrimSpace(r.body)) == 0 {
		return answer{}, errMalformedXML()
	}
	if err := parse(r.body, &x); err != nil {
		return answer{}, err
	}
	m, err := h.Service.Send(r.queue, x.outgoing())
	sent := sentXML(m)
	sent.Namespace = namespace
	return answer{http.StatusCreated, sent}, err
}

// Limits of a batch; published limits, 2025-05.
const (
	maxBatch      = 16
	maxBatchBytes = 64 << 10
)

func (h *Handler) batchSend(r *request) (answer, error) {
	var x xmlBatch
	if err := parse(r.body, &x); err != nil {
		return answer{}, err
	}
	size := 0
	for _, m := range x.Messages {
		size += len(m.MessageBody)
	}
	if len(x.Messages) == 0 || len(x.Messages) > maxBatch || size > maxBatchBytes {
		return answer{}, invalidArgument("A batch has 1 to %d messages of %d bytes together", maxBatch, maxBatchBytes)
	}
	if _, err := h.Service.Attributes(r.queue); err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, h.sendEach(r.queue, x.Messages)}, nil
}

func (h *Handler) sendEach(q Queue, messages []xmlOutgoing) any {
	out := xmlMessages[xmlSent]{}
	for _, m := range messages {
		sent, err := h.Service.Send(q, m.outgoing())
		entry := sentXML(sent)
		if e, ok := err.(*wire.Error); ok {
			entry = xmlSent{ErrorCode: e.Code, ErrorMessage: e.Message}
		}
		out.Messages = append(out.Messages, entry)
	}
	return out
}

func (h *Handler) receive(r *request) (answer, error) {
	n, err := number(r.query.Get("numOfMessages"), 1, 1, maxBatch)
	if err != nil {
		return answer{}, err
	}
	st, err := h.Service.Attributes(r.queue)
	if err != nil {
		return answer{}, err
	}
	wait, err := number(r.query.Get("waitseconds"), st.Attributes.PollingWaitSeconds, 0, 30)
	if err != nil {
		return answer{}, err
	}
	got, done, err := h.Service.Poll(r.Context(), r.queue, n, time.Duration(wait)*time.Second, r.done)
	r.done = done
	return received(r, got, err)
}

func (h *Handler) peek(r *request) (answer, error) {
	n, err := number(r.query.Get("numOfMessages"), 1, 1, maxBatch)
	if err != nil {
		return answer{}, err
	}
	got, err := h.Service.Peek(r.queue, n)
	return received(r, got, err)
}

func received(r *request, got []Message, err error) (answer, error) {
	switch {
	case err != nil:
		return answer{}, err
	case len(got) == 0:
		return answer{}, errMessageNotExist()
	}
	if !r.query.Has("numOfMessages") {
		one := messageXML(got[0])
		one.Namespace = namespace
		return answer{http.StatusOK, one}, nil
	}
	out := xmlMessages[xmlMessage]{}
	for _, m := range got {
		out.Messages = append(out.Messages, messageXML(m))
	}
	return answer{http.StatusOK, out}, nil
}

func (h *Handler) attributes(r *request) (answer, error) {
	st, err := h.Service.Attributes(r.queue)
	return answer{http.StatusOK, queueXML(st)}, err
}

func (h *Handler) deleteMessage(r *request) (answer, error) {
	handle := r.query.Get("ReceiptHandle")
	if handle == "" {
		return answer{}, wire.Errorf(400, "MissingReceiptHandle", "ReceiptHandle is required.")
	}
	return answer{status: http.StatusNoContent}, h.Service.Delete(r.queue, handle)
}

// partialError is a batch of which some entries failed.
type partialError struct{ body xmlErrors }

func (e *partialError) Error() string { return "some entries of the batch failed" }

func (h *Handler) batchDelete(r *request) (answer, error) {
	var x xmlHandles
	if err := parse(r.body, &x); err != nil {
		return answer{}, err
	}
	if len(x.Handles) == 0 || len(x.Handles) > maxBatch {
		return answer{}, invalidArgument("A batch has 1 to %d receipt handles", maxBatch)
	}
	if _, err := h.Service.Attributes(r.queue); err != nil {
		return answer{}, err
	}
	var failed xmlErrors
	for _, handle := range x.Handles {
		if e, ok := h.Service.Delete(r.queue, handle).(*wire.Error); ok {
			failed.Errors = append(failed.Errors, xmlDeleteError{ErrorCode: e.Code, ErrorMessage: e.Message, ReceiptHandle: handle})
		}
	}
	if len(failed.Errors) > 0 {
		return answer{}, &partialError{failed}
	}
	return answer{status: http.StatusNoContent}, nil
}

// number reads an integer from low to high; def if it is absent.
func number(s string, def, low, high int) (int, error) {
	if s == "" {
		return def, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, invalidArgument("%q is not a number from %d to %d", s, low, high)
	}
	return n, nil
}

// rootName is the name of the document's first element; empty if it has none.
func rootName(body []byte) string {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		if start, ok := t.(xml.StartElement); ok {
			return start.Name.Local
		}
	}
}
