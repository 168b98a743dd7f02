package stack

import (
	"fmt"
	"path/filepath"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

func (s *Stack) queues(region string) error {
	dir := filepath.Join(s.root, "deploy")
	queues, err := manifest.Queues(dir, region, s.home())
	if err != nil {
		return err
	}
	for _, q := range queues {
		if err := s.queue(region, q); err != nil {
			return fmt.Errorf("making queue %s: %w", q.Name, err)
		}
	}
	rules, err := manifest.Rules(dir, server.Sharer, region, s.home(), s.o.Members)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if err := s.rule(region, r); err != nil {
			return fmt.Errorf("making event rule %s: %w", r.Name, err)
		}
	}
	return nil
}

// queue is made whether or not the policy names it: a policy may be exchanged while the
// stack runs.
func (s *Stack) queue(region string, spec manifest.Queue) error {
	id := mns.Queue{Account: server.Sharer, Region: region, Name: spec.Name}
	attrs := mns.Defaults()
	attrs.MessageRetentionPeriod, attrs.VisibilityTimeout = spec.MessageRetentionPeriod, spec.VisibilityTimeout
	if _, err := s.o.Server.MNS.Create(id, attrs); err != nil {
		return err
	}
	if d := spec.DeadLetter; d != nil {
		policy := mns.DeadLetterPolicy{Target: d.Queue, MaxReceiveCount: d.MaxReceiveCount}
		if err := s.o.Server.MNS.SetDeadLetter(id, &policy); err != nil {
			return fmt.Errorf("setting its dead-letter queue %s: %w", d.Queue, err)
		}
	}
	return nil
}

func (s *Stack) rule(region string, r manifest.EventRule) error {
	return s.connect(server.Sharer, region, r, eventbridge.TargetInfo{
		Id: r.Queue, Type: eventbridge.ToQueue, Endpoint: r.Endpoint, PushRetryStrategy: r.Retry,
		DeadLetterQueue: &eventbridge.DeadLetterQueue{Arn: r.DeadLetters},
		ParamList:       []eventbridge.TargetParam{{ResourceKey: "queue", Form: "CONSTANT", Value: r.Queue}, {ResourceKey: "Body", Form: "ORIGINAL"}},
	})
}

// connect makes a rule of a bus with one target. Of r it takes bus, name and pattern.
func (s *Stack) connect(account, region string, r manifest.EventRule, to eventbridge.TargetInfo) error {
	pattern, err := eventbridge.ParsePattern(r.Pattern)
	if err != nil {
		return err
	}
	target, err := s.o.Server.EventBridge.Connect(account, region, to)
	if err != nil {
		return err
	}
	return s.o.Server.EventBridge.PutOn(account, region, r.Bus, eventbridge.Rule{Name: r.Name, Pattern: pattern, Targets: []eventbridge.Target{target}})
}

// queueAt returns what sends to the queue of an ARN. A queue that does not exist
// is an error at deployment, not when the first message would be lost.
func (s *Stack) queueAt(arn string) (func([]byte) error, error) {
	q, err := mns.ParseARN(arn)
	if err != nil {
		return nil, err
	}
	if _, err := s.o.Server.MNS.Attributes(q); err != nil {
		return nil, fmt.Errorf("%s: %w", arn, err)
	}
	return eventbridge.QueuePush(s.o.Server.MNS, q), nil
}
