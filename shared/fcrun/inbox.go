package fcrun

import (
	"context"
	"sync"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// connections are a process's queues of all regions: they stay open from pass to pass. The
// zero connections are ready to use.
type connections struct {
	mu sync.Mutex
	at map[fleet.Scope]*mns.Queues
}

// queues returns the queues in scope, shared by all callers.
func (c *connections) queues(cloud *aliyun.Cloud, scope fleet.Scope) (*mns.Queues, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q := c.at[scope]; q != nil {
		return q, nil
	}
	q, err := mns.Connect(cloud, scope)
	if err != nil {
		return nil, err
	}
	if c.at == nil {
		c.at = map[fleet.Scope]*mns.Queues{}
	}
	c.at[scope] = q
	return q, nil
}

// HomeOf is the home account in a region; without one, in that of the functions that exist
// once: the policy's home region or, if it has none, that of the call.
func (c *Call) HomeOf(region fleet.Region) fleet.Scope {
	at := c.Home
	switch {
	case region != "":
		at.Region = region
	case c.Options.Policy.HomeRegion != "":
		at.Region = c.Options.Policy.HomeRegion
	}
	return at
}

// InboxIn returns the inbox of a function in a region; without one, that of a function that
// exists once. Each region has all queues, but only deployed functions read theirs.
func (c *Call) InboxIn(function string, region fleet.Region) (*queue.Inbox, error) {
	client, err := c.QueuesIn(region)
	if err != nil {
		return nil, err
	}
	return queue.New(client, function), nil
}

// Enqueue puts refs into the inbox of a function in a region; see [Call.InboxIn].
func (c *Call) Enqueue(ctx context.Context, function string, region fleet.Region, refs []fleet.Ref) error {
	inbox, err := c.InboxIn(function, region)
	if err != nil {
		return err
	}
	return inbox.Enqueue(ctx, function, refs)
}

// Requeue returns a message of a newer version to the inbox from which it came, or to that
// of the function that checks for this one, in the home region. For a function without any
// it returns a [*fleet.BadInput]: backfill leaves the message in its letter.
func (c *Call) Requeue(body []byte) error {
	function := c.Options.Stamp.Function
	name := fleet.FunctionNamed(function).Inbox
	if name == "" {
		return &fleet.BadInput{Where: "a message of a newer version", What: function + " has no inbox for it: deploy the newest program"}
	}
	if c.Notify == nil { // in a terminal, which took nothing from a queue
		return nil
	}
	scope := c.Home
	if name != function {
		scope = c.HomeOf("")
	}
	client, err := c.queuesIn(scope)
	if err != nil {
		return err
	}
	return queue.New(client, name).Requeue(context.Background(), body) // even if the pass has no time left
}

// QueuesIn returns the queues of the home account in a region; without one, those of the
// home region. Callers share the connections.
func (c *Call) QueuesIn(region fleet.Region) (*mns.Client, error) {
	return c.queuesIn(c.HomeOf(region))
}

func (c *Call) queuesIn(scope fleet.Scope) (*mns.Client, error) {
	if c.open == nil { // in a terminal, which has one call for each pass
		c.open = &connections{}
	}
	queues, err := c.open.queues(c.Session.Cloud(), scope)
	if err != nil {
		return nil, err
	}
	return queues.Client(c.Session), nil
}
