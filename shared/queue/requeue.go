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

// A message of a newer version is re-queued up to maxRequeues times. The delay starts at a
// minute and doubles up to an hour, some five hours in total: a deployment, or its rollback,
// has ended by then.
const (
	maxRequeues  = 10
	firstRequeue = time.Minute
	longRequeue  = time.Hour
)

// requeues is the member of a message that counts how often it was re-queued. Every version
// ignores members that it does not know, so the count does not change the message. It is a
// hint, as every count in a message: a forged count only makes a forged message a dead letter.
const requeues = "putBack" // the name that older versions count under

// Requeue returns the body of a message of a newer version, which this code cannot read, to
// the inbox. After maxRequeues times it sends the body to the dead letters, for a newer
// program to redrive, and returns a [*fleet.BadInput] that says so, for the finding. Any
// other error means that the message is in no queue.
func (i *Inbox) Requeue(ctx context.Context, body []byte) error {
	bad := &fleet.BadInput{Where: "a message of a newer version"}
	n, next, err := countRequeue(body)
	if err == nil && n < maxRequeues && len(next) <= mns.MaxBytes {
		after := min(firstRequeue<<n, longRequeue)
		if _, err := i.sender.Send(ctx, fleet.CloudName(i.function), []mns.Message{{Body: string(next), Delay: after}}); err != nil {
			return fmt.Errorf("re-queuing a newer message: %w", err)
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
	bad.What = fmt.Sprintf("it was re-queued %d times and is a dead letter now: deploy the newest program, then redrive it", n)
	return bad
}

// countRequeue returns how often a message was re-queued, and its body with the count
// increased by one.
func countRequeue(body []byte) (n int, next []byte, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return 0, nil, fmt.Errorf("counting how often a message was re-queued: %w", errNoObject)
	}
	if n, err = strconv.Atoi(string(members[requeues])); err != nil || n < 0 {
		n = 0
	}
	members[requeues] = json.RawMessage(strconv.Itoa(min(n, maxRequeues) + 1))
	if next, err = json.Marshal(members); err != nil {
		return 0, nil, fmt.Errorf("counting how often a message was re-queued: %w", err)
	}
	return n, next, nil
}

// Bury makes dead letters of refs that were checked until nothing more could be expected of
// that. A redrive returns them to the function's inbox.
func (i *Inbox) Bury(ctx context.Context, refs []fleet.Ref) error {
	return i.put(ctx, DeadLetters, i.function, refs, 0)
}
