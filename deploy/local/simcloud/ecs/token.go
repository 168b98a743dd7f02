package ecs

import (
	"crypto/sha256"
	"encoding/json"

	"fleetwarden/deploy/local/simcloud/wire"
)

// answered is what a call with a client token was answered.
type answered struct {
	asked  [sha256.Size]byte
	answer any
}

// once runs do unless the same action was already done with the same token and
// parameters; then the first answer is given again. The same token with other
// parameters is 400 IdempotentParameterMismatch (ECS's page on idempotence).
// Tokens never expire here. The checks of a launch come first even for a repeat,
// so one that would be refused by now is refused. The caller holds the mutex.
func once[T any](sp *space, c *wire.Call, token string, in any, do func() (*T, error)) (*T, error) {
	if token == "" {
		return do()
	}
	if len(token) > 64 {
		return nil, invalid("InvalidClientToken.Malformed", "ClientToken must not exceed 64 characters.")
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	key, asked := c.Action+" "+token, sha256.Sum256(raw)
	if before, ok := sp.done[key]; ok {
		if before.asked != asked {
			return nil, invalid("IdempotentParameterMismatch", "The specified ClientToken was used with other parameters.")
		}
		if answer, ok := before.answer.(*T); ok {
			return answer, nil
		}
	}
	answer, err := do()
	if err == nil {
		sp.done[key] = answered{asked, answer}
	}
	return answer, err
}
