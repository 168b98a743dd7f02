package mns

import (
	"net/http"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// operation is an API of the REST protocol.
type operation struct {
	name string
	// actions are what RAM must allow, all of them. Sources differ on whether a
	// batch goes by the action of the single call or by its own, so both are
	// asked for.
	actions  []string
	resource func(Queue) string
	run      func(*Handler, *request) (answer, error)
}

func onAccount(q Queue) string  { return "acs:mns:" + q.Region + ":" + q.Account + ":/queues" }
func onQueue(q Queue) string    { return q.ARN() }
func onMessages(q Queue) string { return q.ARN() + "/messages" }

func single(name string, on func(Queue) string, run func(*Handler, *request) (answer, error)) operation {
	return operation{name, []string{"mns:" + name}, on, run}
}

func batch(name, single string, run func(*Handler, *request) (answer, error)) operation {
	return operation{name, []string{"mns:" + single, "mns:" + name}, onMessages, run}
}

// route finds the operation and the queue of a request.
func route(r *request) (operation, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] != "queues" || len(parts) > 3 {
		return operation{}, errInvalidURL(r)
	}
	if len(parts) > 1 {
		r.queue.Name = parts[1]
	}
	switch {
	case len(parts) == 1 && r.Method == http.MethodGet:
		return single("ListQueue", onAccount, (*Handler).listQueue), nil
	case len(parts) == 2:
		return routeQueue(r)
	case len(parts) == 3 && parts[2] == "messages":
		return routeMessages(r)
	}
	return operation{}, errInvalidURL(r)
}

func routeQueue(r *request) (operation, error) {
	switch r.Method {
	case http.MethodPut:
		if override(r) {
			return single("SetQueueAttributes", onQueue, (*Handler).setAttributes), nil
		}
		return single("CreateQueue", onQueue, (*Handler).createQueue), nil
	case http.MethodGet:
		return single("GetQueueAttributes", onQueue, (*Handler).getAttributes), nil
	case http.MethodDelete:
		return single("DeleteQueue", onQueue, (*Handler).deleteQueue), nil
	}
	return operation{}, errInvalidURL(r)
}

// override: the SDKs write metaoverride, the documentation metaOverride.
func override(r *request) bool {
	return r.query.Get("metaoverride") == "true" || r.query.Get("metaOverride") == "true"
}

func routeMessages(r *request) (operation, error) {
	switch r.Method {
	case http.MethodPost:
		if rootName(r.body) == "Messages" {
			return batch("BatchSendMessage", "SendMessage", (*Handler).batchSend), nil
		}
		return single("SendMessage", onMessages, (*Handler).send), nil
	case http.MethodGet:
		return routeReceive(r), nil
	case http.MethodDelete:
		if r.query.Has("ReceiptHandle") || len(r.body) == 0 {
			return single("DeleteMessage", onMessages, (*Handler).deleteMessage), nil
		}
		return batch("BatchDeleteMessage", "DeleteMessage", (*Handler).batchDelete), nil
	case http.MethodPut:
		return single("ChangeMessageVisibility", onMessages, (*Handler).changeVisibility), nil
	}
	return operation{}, errInvalidURL(r)
}

func routeReceive(r *request) operation {
	many := r.query.Has("numOfMessages")
	switch peek := r.query.Get("peekonly") == "true"; {
	case peek && many:
		return batch("BatchPeekMessage", "PeekMessage", (*Handler).peek)
	case peek:
		return single("PeekMessage", onMessages, (*Handler).peek)
	case many:
		return batch("BatchReceiveMessage", "ReceiveMessage", (*Handler).receive)
	default:
		return single("ReceiveMessage", onMessages, (*Handler).receive)
	}
}

// errInvalidURL says what it is that is not served: MNS has more, such as topics.
func errInvalidURL(r *request) error {
	kind, _, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	return wire.Errorf(400, "InvalidRequestURL", "The request URL is not valid. (simcloud serves no %s of %q there; MNS may have it)", r.Method, kind)
}
