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
	actions []string
	below   string // what RAM's resource has behind the queue's ARN
	run     func(*Handler, *request) (answer, error)
}

func single(name string, run func(*Handler, *request) (answer, error)) operation {
	return operation{name, []string{"mns:" + name}, messages, run}
}

func batch(name, single string, run func(*Handler, *request) (answer, error)) operation {
	return operation{name, []string{"mns:" + single, "mns:" + name}, messages, run}
}

const messages = "/messages"

// route finds the operation and the queue of a request. Queues are made, changed and listed
// by Mns-open alone here.
func route(r *request) (operation, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) == 2 && parts[0] == "queues" && r.Method == http.MethodGet {
		r.queue.Name = parts[1]
		return operation{"GetQueueAttributes", []string{"mns:GetQueueAttributes"}, "", (*Handler).attributes}, nil
	}
	if len(parts) != 3 || parts[0] != "queues" || parts[2] != "messages" {
		return operation{}, errInvalidURL(r)
	}
	r.queue.Name = parts[1]
	return routeMessages(r)
}

func routeMessages(r *request) (operation, error) {
	switch r.Method {
	case http.MethodPost:
		if rootName(r.body) == "Messages" {
			return batch("BatchSendMessage", "SendMessage", (*Handler).batchSend), nil
		}
		return single("SendMessage", (*Handler).send), nil
	case http.MethodGet:
		return routeReceive(r), nil
	case http.MethodDelete:
		if r.query.Has("ReceiptHandle") || len(r.body) == 0 {
			return single("DeleteMessage", (*Handler).deleteMessage), nil
		}
		return batch("BatchDeleteMessage", "DeleteMessage", (*Handler).batchDelete), nil
	}
	return operation{}, errInvalidURL(r)
}

func routeReceive(r *request) operation {
	many := r.query.Has("numOfMessages")
	switch peek := r.query.Get("peekonly") == "true"; {
	case peek && many:
		return batch("BatchPeekMessage", "PeekMessage", (*Handler).peek)
	case peek:
		return single("PeekMessage", (*Handler).peek)
	case many:
		return batch("BatchReceiveMessage", "ReceiveMessage", (*Handler).receive)
	default:
		return single("ReceiveMessage", (*Handler).receive)
	}
}

// errInvalidURL says what it is that is not served: MNS has more, such as topics.
func errInvalidURL(r *request) error {
	kind, _, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	return wire.Errorf(400, "InvalidRequestURL", "The request URL is not valid. (simcloud serves no %s of %q there; MNS may have it)", r.Method, kind)
}
