package eventbridge

import (
	"context"
	"errors"
	"net/http"

	"fleetwarden/shared/aliyun"
)

type answer[Data any] struct {
	RequestID string `json:"RequestId"`
	Success   bool   `json:"Success"`
	Code      string `json:"Code"`
	Message   string `json:"Message"`
	Data      Data   `json:"Data"`
}

// ask sends a reading request. EventBridge refuses with HTTP 200.
func ask[Req, Data any](ctx context.Context, c *Client, action string, req *Req) (*Data, error) {
	api := aliyun.API{Product: aliyun.EventBridge, Action: action, Region: c.region}
	got, err := aliyun.Do[Req, answer[Data]](ctx, c.session, api, req)
	if err != nil {
		return nil, err
	}
	if !got.Success {
		return nil, aliyun.NewError(api.String(), http.StatusOK, got.Code, got.Message, got.RequestID, false)
	}
	return &got.Data, nil
}

// maxPage is the largest page of a list.
const maxPage int32 = 100

// errCircle ends an endless list.
var errCircle = errors.New("the listing goes in circles: the next page is the one just read")

// list reads a list page by page to its end; read is given the token of a page, nil for the
// first, and returns that of the next.
func list[T any](read func(token *string) ([]T, string, error)) (all []T, err error) {
	var token *string
	for {
		page, next, err := read(token)
		switch {
		case err != nil:
			return nil, err
		case token != nil && next == *token:
			return nil, errCircle
		}
		all = append(all, page...)
		if next == "" {
			return all, nil
		}
		token = &next
	}
}
