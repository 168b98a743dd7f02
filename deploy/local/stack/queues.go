package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fleetwarden/test/simcloud/eventbridge"
	"fleetwarden/test/simcloud/mns"
	"fleetwarden/test/simcloud/server"
)

// queueFile is deploy/queues.json, which Terraform reads too.
type queueFile struct {
	Queues []queueSpec `json:"queues"`
}

// queueSpec is one queue. Its event rules, by the names of the pattern files in
// deploy/eventrules, put events of the default bus into it.
type queueSpec struct {
	Name string `json:"name"`
	// Where is "home" for a queue of the home region alone, else empty.
	Where string `json:"where"`
	// When is the key of the policy file that has to name the queue for it to be made.
	// Here it is always made: a policy may be exchanged while the stack runs.
	When                   string          `json:"when"`
	MessageRetentionPeriod int             `json:"messageRetentionPeriod"` // s
	VisibilityTimeout      int             `json:"visibilityTimeout"`      // s
	DeadLetter             *deadLetterSpec `json:"deadLetter"`
	EventRules             []string        `json:"eventRules"`
	// MemberRules are for the events of member accounts, whose bus is not played here.
	MemberRules []string `json:"memberRules"`
}

type deadLetterSpec struct {
	Queue           string `json:"queue"`
	MaxReceiveCount int    `json:"maxReceiveCount"`
}

func (s *Stack) queues(region string) error {
	text, err := os.ReadFile(filepath.Join(s.root, "deploy", "queues.json"))
	if err != nil {
		return fmt.Errorf("making the queues: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var file queueFile
	if err := d.Decode(&file); err != nil {
		return fmt.Errorf("making the queues: reading deploy/queues.json: %w", err)
	}
	for _, q := range file.Queues {
		if q.Where == "home" && region != s.home() {
			continue
		}
		if err := s.queue(region, q); err != nil {
			return fmt.Errorf("making queue %s: %w", q.Name, err)
		}
	}
	return nil
}

func (s *Stack) queue(region string, spec queueSpec) error {
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
	for _, rule := range spec.EventRules {
		if err := s.rule(region, rule, id); err != nil {
			return err
		}
	}
	return nil
}

// rule puts the pattern of deploy/eventrules with that name onto the bus, to fill a queue.
// Its name is the one that Terraform gives it.
func (s *Stack) rule(region, pattern string, queue mns.Queue) error {
	text, err := os.ReadFile(filepath.Join(s.root, "deploy", "eventrules", pattern+".json"))
	if err != nil {
		return fmt.Errorf("making event rule %s: %w", pattern, err)
	}
	parsed, err := eventbridge.ParsePattern(text)
	if err != nil {
		return fmt.Errorf("making event rule %s: %w", pattern, err)
	}
	return s.o.Server.EventBridge.Put(server.Sharer, region, eventbridge.Rule{
		Name:    "fleetwarden-" + pattern + "-to-" + strings.TrimPrefix(queue.Name, "fleetwarden-"),
		Pattern: parsed,
		Targets: []eventbridge.Target{eventbridge.QueueTarget(s.o.Server.MNS, queue)},
	})
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
