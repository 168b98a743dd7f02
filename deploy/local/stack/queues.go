package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

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
	Name                   string          `json:"name"`
	MessageRetentionPeriod int             `json:"messageRetentionPeriod"` // s
	VisibilityTimeout      int             `json:"visibilityTimeout"`      // s
	DeadLetter             *deadLetterSpec `json:"deadLetter"`
	EventRules             []string        `json:"eventRules"`
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
		if err := s.rule(region, rule, eventbridge.QueueTarget(s.o.Server.MNS, id)); err != nil {
			return err
		}
	}
	return nil
}

// rule puts the pattern of deploy/eventrules with that name onto the bus.
func (s *Stack) rule(region, name string, target eventbridge.Target) error {
	text, err := os.ReadFile(filepath.Join(s.root, "deploy", "eventrules", name+".json"))
	if err != nil {
		return fmt.Errorf("making event rule %s: %w", name, err)
	}
	pattern, err := eventbridge.ParsePattern(text)
	if err != nil {
		return fmt.Errorf("making event rule %s: %w", name, err)
	}
	r := eventbridge.Rule{Name: name + "-to-" + target.ID, Pattern: pattern, Targets: []eventbridge.Target{target}}
	return s.o.Server.EventBridge.Put(server.Sharer, region, r)
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
