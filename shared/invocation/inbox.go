package invocation

import (
	"context"
	"sync"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// connections are a process's queues of all regions: they stay open from pass to pass.
type connections struct {
	mu sync.Mutex
	at map[fleet.Scope]*mns.Queues
}

// Queues returns the queues in scope, shared by all callers.
func (p *Process) Queues(cloud *aliyun.Cloud, scope fleet.Scope) (*mns.Queues, error) {
	c := &p.open
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
func (inv *Invocation) HomeOf(region fleet.Region) fleet.Scope {
	at := inv.Home
	switch {
	case region != "":
		at.Region = region
	case inv.Options.Policy.HomeRegion != "":
		at.Region = inv.Options.Policy.HomeRegion
	}
	return at
}

// InboxIn returns the inbox of a function in a region; without one, that of a function that
// exists once. Each region has all queues, but only deployed functions read theirs.
func (inv *Invocation) InboxIn(function string, region fleet.Region) (*queue.Inbox, error) {
	client, err := inv.QueuesIn(region)
	if err != nil {
		return nil, err
	}
	return queue.New(client, function), nil
}

// Enqueue puts refs into the inbox of a function in a region; see [Invocation.InboxIn].
func (inv *Invocation) Enqueue(ctx context.Context, function string, region fleet.Region, refs []fleet.Ref) error {
	inbox, err := inv.InboxIn(function, region)
	if err != nil {
		return err
	}
	return inbox.Enqueue(ctx, function, refs)
}

// Requeue returns a message of a newer version to the inbox from which it came, or to that
// of the function that checks for this one, in the home region. For a function without any
// it returns a [*fleet.BadInput]: backfill leaves the message in its letter.
func (inv *Invocation) Requeue(body []byte) error {
	function := inv.Options.Stamp.Function
	name := fleet.FunctionNamed(function).Inbox
	if name == "" {
		return &fleet.BadInput{Where: "a message of a newer version", What: function + " has no inbox for it: deploy the newest program"}
	}
	if inv.Notify == nil { // in a terminal, which took nothing from a queue
		return nil
	}
	scope := inv.Home
	if name != function {
		scope = inv.HomeOf("")
	}
	client, err := inv.queuesAt(scope)
	if err != nil {
		return err
	}
	return queue.New(client, name).Requeue(context.Background(), body) // even if the pass has no time left
}

// QueuesIn returns the queues of the home account in a region; without one, those of the
// home region. Callers share the connections.
func (inv *Invocation) QueuesIn(region fleet.Region) (*mns.Client, error) {
	return inv.queuesAt(inv.HomeOf(region))
}

func (inv *Invocation) queuesAt(scope fleet.Scope) (*mns.Client, error) {
	if inv.process == nil { // made without a process, as tests do
		inv.process = &Process{}
	}
	queues, err := inv.process.Queues(inv.Session.Cloud(), scope)
	if err != nil {
		return nil, err
	}
	return queues.Client(inv.Session), nil
}
