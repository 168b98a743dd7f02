package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/eventbridge"
)

// trigger connects a function with what wakes it.
func (s *Stack) trigger(f fc.Function, t manifest.Trigger) error {
	switch {
	case t.Timer != nil && t.Timer.Enable:
		s.timer(f, t, s.plugs.of(f))
		return nil
	case t.EventBridge != nil && t.EventBridge.TriggerEnable:
		if t.EventBridge.EventSourceConfig.Type == "MNS" {
			return s.stream(f, t)
		}
		return s.bus(f, t)
	}
	return nil
}

// bus makes a rule on the default bus that invokes the function asynchronously,
// one event at a time. What asyncInvocationType: false would do is not certain:
// the vendor's sources contradict each other.
func (s *Stack) bus(f fc.Function, t manifest.Trigger) error {
	if !t.EventBridge.AsyncInvocationType {
		return errors.New("asyncInvocationType must be true on the default bus")
	}
	pattern, err := eventbridge.ParsePattern([]byte(t.EventBridge.EventRuleFilterPattern))
	if err != nil {
		return err
	}
	run := t.EventBridge.RunOptions
	dead, err := s.queueAt(run.DeadLetterQueue.Arn)
	if err != nil {
		return fmt.Errorf("its dead-letter queue: %w", err)
	}
	target := eventbridge.Target{
		ID:         f.Name,
		Info:       eventbridge.TargetInfo{Type: eventbridge.ToFunction, Endpoint: f.ARN()},
		Strategy:   eventbridge.Strategy(run.RetryStrategy.PushRetryStrategy),
		DeadLetter: dead,
		Push: func(event []byte) error {
			return s.runtime.InvokeAsync(f.Region, f.Name, fc.Cause{Trigger: t.Name, Payload: event})
		},
	}
	rule := eventbridge.Rule{Name: ruleOf(f, t), Pattern: pattern, Targets: []eventbridge.Target{target}}
	return s.o.Server.EventBridge.Put(f.Account, f.Region, rule)
}

// timerEvent is what a timer sends.
type timerEvent struct {
	TriggerTime string `json:"triggerTime"`
	TriggerName string `json:"triggerName"`
	Payload     string `json:"payload"`
}

// timer invokes the function at each time of its schedule, until it is pulled. It does
// not keep the world from being quiet.
func (s *Stack) timer(f fc.Function, t manifest.Trigger, pulled *atomic.Bool) {
	clock := s.o.Server.World.Clock
	now := clock.Now()
	next := t.Timer.Schedule.Next(now)
	if next.IsZero() {
		return // a date that never comes
	}
	clock.Background(next.Sub(now), func() {
		if pulled.Load() {
			return
		}
		event, err := json.Marshal(timerEvent{next.UTC().Format(time.RFC3339), t.Name, t.Timer.Payload})
		if err == nil {
			err = s.runtime.InvokeAsync(f.Region, f.Name, fc.Cause{Trigger: t.Name, Payload: event})
		}
		if err != nil {
			fmt.Fprintf(s.o.Log, "timer %s of %s: %v\n", t.Name, f.Name, err)
		}
		s.timer(f, t, pulled)
	})
}
