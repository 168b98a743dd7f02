package aliyun

import "encoding/json"

// List is a list as RPC APIs take it in a parameter: one text that holds a JSON array.
func List[T any](of ...T) *string {
	text, _ := json.Marshal(of) // texts, and structs of texts, always have a JSON form
	return new(string(text))
}

// Optional is a parameter that is left out when it is empty.
func Optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
