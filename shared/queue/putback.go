package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
)

// A message of a newer version is put back this often, first for a minute, then each time
// for twice as long, up to an hour: together some five hours, in which a deployment, or
// one that was taken back, comes to its end.
const (
	maxPutBacks  = 10
	firstPutBack = time.Minute
	longPutBack  = time.Hour
)

// putBacks is the member of a message that counts how often it was put back. Every version
// passes over members that it does not know, so that the message stays what it is. It is a
// hint, as all that messages count: a forged one makes a dead letter of a forged message.
const putBacks = "putBack"

// PutBack returns the body of a message that this code is too old to read to the inbox. One
// that was put back often enough becomes a dead letter as it is, for a newer program to
// redrive, and the error is a [*fleet.BadInput] that says so, for the finding. Another
// error says that the message is in no queue.
func (i *Inbox) PutBack(ctx context.Context, body []byte) error {
	bad := &fleet.BadInput{Where: "a message of a newer version"}
	n, next, err := countPutBack(body)
	if err == nil && n < maxPutBacks && len(next) <= mns.MaxBytes {
		after := min(firstPutBack<<n, longPutBack)
		if _, err := i.sender.Send(ctx, fleet.CloudName(i.function), []mns.Message{{Body: string(next), Delay: after}}); err != nil {
			return fmt.Errorf("putting a newer message back: %w", err)
		}
		return nil
	}
	if len(body) > mns.MaxBytes {
		bad.What = "it is too long for a queue, and is dropped: deploy the newest program, and let the next sweep check what it was about"
		return bad
	}
	if _, err := i.sender.Send(ctx, DeadLetters, []mns.Message{{Body: string(body)}}); err != nil {
		return fmt.Errorf("making a dead letter of a newer message: %w", err)
	}
	bad.What = fmt.Sprintf("it was put back %d times and is a dead letter now: deploy the newest program, then redrive it", n)
	return bad
}

// countPutBack returns how often a message was put back, and its body with one more.
func countPutBack(body []byte) (n int, next []byte, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return 0, nil, fmt.Errorf("counting how often a message was put back: %w", errNoObject)
	}
	if n, err = strconv.Atoi(string(members[putBacks])); err != nil || n < 0 {
		n = 0
	}
	members[putBacks] = json.RawMessage(strconv.Itoa(min(n, maxPutBacks) + 1))
	if next, err = json.Marshal(members); err != nil {
		return 0, nil, fmt.Errorf("counting how often a message was put back: %w", err)
	}
	return n, next, nil
}
