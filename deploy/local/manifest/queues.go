package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Queue is a queue of deploy/queues.json, which Terraform reads too.
type Queue struct {
	Name string `json:"name"`
	// Where is "home" for a queue of the home region alone, else empty.
	Where string `json:"where"`
	// When is the key of the policy file that has to name the queue for it to be made.
	When                   string `json:"when"`
	MessageRetentionPeriod int    `json:"messageRetentionPeriod"` // s
	VisibilityTimeout      int    `json:"visibilityTimeout"`      // s
	// DeadLetter is nil for a queue without a dead-letter policy.
	DeadLetter *DeadLetterPolicy `json:"deadLetter"`
	// EventRules name the patterns of deploy/eventrules whose events of the default bus come
	// into the queue, MemberRules those that come into it besides from the members' bus.
	EventRules  []string `json:"eventRules"`
	MemberRules []string `json:"memberRules"`
}

// DeadLetterPolicy says when a message goes to another queue.
type DeadLetterPolicy struct {
	Queue           string `json:"queue"`
	MaxReceiveCount int    `json:"maxReceiveCount"`
}

// Queues reads the queues of a region from queues.json in dir, the folder deploy.
func Queues(dir string, region, home string) ([]Queue, error) {
	text, err := os.ReadFile(filepath.Join(dir, "queues.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the queues: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var file struct {
		Queues []Queue `json:"queues"`
	}
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the queues: queues.json: %w", err)
	}
	return slices.DeleteFunc(file.Queues, func(q Queue) bool { return q.Where == "home" && region != home }), nil
}

// The event buses: services put their events onto the first, members' rules onto the second.
const (
	DefaultBus = "default"
	MembersBus = "fleetwarden-members"
)

// EventRule is an event rule that fills a queue, as Terraform makes it (queues.tf and
// members.tf): it delivers the whole event, and what cannot be delivered for a day to the
// dead letters.
type EventRule struct {
	Bus, Name string
	// Pattern is JSON.
	Pattern []byte
	// Queue is the target's name, Endpoint and DeadLetters are ARNs.
	Queue, Endpoint, DeadLetters string
	Retry                        string
}

// Rules are the event rules of the queues in a region of an account, with the patterns of
// eventrules in dir, the folder deploy. Those of the members' bus are there if there are
// members.
func Rules(dir, account, region, home string, members []string) ([]EventRule, error) {
	queues, err := Queues(dir, region, home)
	if err != nil {
		return nil, err
	}
	var out []EventRule
	add := func(q Queue, bus, pattern string, from []string) error {
		text, err := readPattern(dir, pattern, from)
		out = append(out, EventRule{
			Bus: bus, Name: "fleetwarden-" + pattern + "-to-" + strings.TrimPrefix(q.Name, "fleetwarden-"), Pattern: text, Queue: q.Name,
			Endpoint:    fmt.Sprintf("acs:mns:%s:%s:queues/%s", region, account, q.Name),
			DeadLetters: fmt.Sprintf("acs:mns:%s:%s:/queues/fleetwarden-dead-letters", region, account),
			Retry:       "EXPONENTIAL_DECAY_RETRY",
		})
		return err
	}
	for _, q := range queues {
		for _, pattern := range q.EventRules {
			if err := add(q, DefaultBus, pattern, nil); err != nil {
				return nil, err
			}
		}
		if len(members) == 0 {
			continue
		}
		for _, pattern := range slices.Concat(q.EventRules, q.MemberRules) {
			if err := add(q, MembersBus, pattern, members); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// MemberPatterns are the patterns, by their names, of the events that a member account sends
// in a region to the members' bus there, as terraform/memberevents makes its rules.
func MemberPatterns(dir, region, home string) (map[string][]byte, error) {
	queues, err := Queues(dir, region, home)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, q := range queues {
		for _, pattern := range slices.Concat(q.EventRules, q.MemberRules) {
			if out[pattern], err = readPattern(dir, pattern, nil); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// readPattern reads a pattern of eventrules; with members, it takes events of theirs alone.
func readPattern(dir, name string, members []string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, "eventrules", name+".json"))
	if err != nil {
		return nil, fmt.Errorf("reading an event rule's pattern: %w", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("reading an event rule's pattern: %s.json: %w", name, err)
	}
	if len(members) > 0 {
		if fields["aliyunoriginalaccountid"], err = json.Marshal(slices.Sorted(slices.Values(members))); err != nil {
			return nil, err
		}
	}
	return json.Marshal(fields)
}
