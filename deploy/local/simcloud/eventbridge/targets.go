package eventbridge

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Types of targets.
const (
	ToQueue    = "acs.mns.queue"
	ToFunction = "acs.fc.function"
	ToBus      = "acs.eventbridge"
)

// TargetInfo is a target as it is given and shown.
type TargetInfo struct {
	Id                string
	Type              string
	Endpoint          string
	EventBusName      string                     `json:",omitempty"`
	RuleName          string                     `json:",omitempty"`
	ErrorsTolerance   string                     `json:",omitempty"`
	PushSelector      string                     `json:",omitempty"`
	PushRetryStrategy string                     `json:",omitempty"`
	DeadLetterQueue   *DeadLetterQueue           `json:",omitempty"`
	ConcurrentConfig  *struct{ Concurrency int } `json:",omitempty"`
	ParamList         []TargetParam              `json:",omitempty"`
}

// DeadLetterQueue names a queue.
type DeadLetterQueue struct{ Arn string }

// TargetParam says how a part of what is pushed is made.
type TargetParam struct {
	ResourceKey, Form string
	Value, Template   string `json:",omitempty"`
}

func (t *Target) info(bus, rule string) TargetInfo {
	out := t.Info
	out.Id, out.EventBusName, out.RuleName = t.ID, bus, rule
	out.PushRetryStrategy = cmp.Or(out.PushRetryStrategy, string(t.Strategy))
	return out
}

// targets reads a JSON array of targets and connects them.
func (s *Service) targets(c *wire.Call, text string) ([]Target, error) {
	if text == "" {
		return nil, nil
	}
	var all []TargetInfo
	if err := json.Unmarshal([]byte(text), &all, json.RejectUnknownMembers(true)); err != nil {
		return nil, invalid("reading the targets: " + err.Error())
	}
	if len(all) > maxTargets {
		return nil, &rejection{"EventRuleTargetsCountExceedLimit", fmt.Sprintf("a rule has %d targets at most", maxTargets)}
	}
	var out []Target
	for _, in := range all {
		t, err := s.Connect(c.Caller.Account, c.Region, in)
		if err != nil {
			return nil, invalid("target " + in.Id + ": " + err.Error())
		}
		out = append(out, t)
	}
	return out, nil
}

// Connect makes a target of a rule in an account and region: a queue there, or a custom bus
// of another account. Either gets the whole event.
func (s *Service) Connect(account, region string, in TargetInfo) (Target, error) {
	t := Target{ID: in.Id, Info: in, Strategy: Strategy(in.PushRetryStrategy)}
	switch {
	case in.Id == "" || in.Endpoint == "":
		return Target{}, errors.New("Id and Endpoint are needed")
	case !t.Strategy.Valid():
		return Target{}, errors.New("no such PushRetryStrategy")
	case s.o.Queues == nil:
		return Target{}, errors.New("there are no queues")
	}
	var err error
	switch in.Type {
	case ToQueue:
		t.Push, err = s.toQueue(account, region, in)
	case ToBus:
		t.Push, err = s.toBus(account, region, in)
	default:
		err = fmt.Errorf("simcloud pushes to %s and %s, not to %s", ToQueue, ToBus, in.Type)
	}
	if err != nil {
		return Target{}, err
	}
	if in.DeadLetterQueue != nil && in.DeadLetterQueue.Arn != "" {
		dead, err := mns.ParseARN(in.DeadLetterQueue.Arn)
		if err != nil {
			return Target{}, err
		}
		t.DeadLetter = QueuePush(s.o.Queues, dead)
	}
	return t, nil
}

func (s *Service) toQueue(account, region string, in TargetInfo) (func([]byte) error, error) {
	q, err := mns.ParseARN(strings.Replace(in.Endpoint, ":queues/", ":/queues/", 1))
	if err != nil {
		return nil, err
	}
	if q.Account != account || q.Region != region {
		return nil, errors.New("the queue is in another account or region")
	}
	return QueuePush(s.o.Queues, q), in.params(map[string]string{"queue": q.Name, "IsBase64Encode": "false"})
}

// params refuses all ways to make a message but the whole event, as it stands, and
// constants of other values.
func (in *TargetInfo) params(constants map[string]string) error {
	for _, p := range in.ParamList {
		value, known := constants[p.ResourceKey]
		whole := p.ResourceKey == "Body" && p.Form == "ORIGINAL"
		if !whole && (!known || p.Form != "CONSTANT" || p.Value != value) {
			return fmt.Errorf("simcloud knows no parameter %s of form %s with value %q", p.ResourceKey, p.Form, p.Value)
		}
	}
	return nil
}

// PutTargetsRequest are the parameters of PutTargets. Targets is a JSON array.
type PutTargetsRequest struct {
	RuleRequest
	Targets string
}

// Failures are the targets that a call could not change: none here.
type Failures struct {
	ErrorEntriesCount int
	ErrorEntries      []struct{}
}

// PutTargets adds targets to a rule, in the place of those with the same ids.
func (s *Service) PutTargets(c *wire.Call, in *PutTargetsRequest) (*Reply[Failures], error) {
	fresh, err := s.targets(c, in.Targets)
	if err != nil {
		return reply(Failures{}, err)
	}
	return reply(Failures{ErrorEntries: []struct{}{}}, s.change(c, in.RuleRequest, func(r *Rule) error {
		for _, t := range fresh {
			r.Targets = slices.DeleteFunc(r.Targets, func(old Target) bool { return old.ID == t.ID })
		}
		if r.Targets = append(r.Targets, fresh...); len(r.Targets) > maxTargets {
			return &rejection{"EventRuleTargetsCountExceedLimit", fmt.Sprintf("a rule has %d targets at most", maxTargets)}
		}
		return nil
	}))
}

// DeleteTargetsRequest are the parameters of DeleteTargets.
type DeleteTargetsRequest struct {
	RuleRequest
	TargetIds []string
}

// DeleteTargets takes targets from a rule.
func (s *Service) DeleteTargets(c *wire.Call, in *DeleteTargetsRequest) (*Reply[Failures], error) {
	return reply(Failures{ErrorEntries: []struct{}{}}, s.change(c, in.RuleRequest, func(r *Rule) error {
		r.Targets = slices.DeleteFunc(r.Targets, func(t Target) bool { return slices.Contains(in.TargetIds, t.ID) })
		return nil
	}))
}

// ListTargetsRequest are the parameters of ListTargets.
type ListTargetsRequest struct {
	RuleRequest
	Arn, NextToken string
	Limit          int
}

// TargetPage is a page of targets.
type TargetPage struct {
	Targets   []TargetInfo
	NextToken string `json:",omitempty"`
	Total     int
}

// ListTargets lists the targets of a rule, or those with an endpoint.
func (s *Service) ListTargets(c *wire.Call, in *ListTargetsRequest) (*Reply[TargetPage], error) {
	in.EventBusName = cmp.Or(in.EventBusName, DefaultBus)
	if err := c.Allow("eventbridge:ListTargets", in.resource(c)); err != nil {
		return reply(TargetPage{}, err)
	}
	rules, err := s.rules(c, in.EventBusName)
	if err != nil {
		return reply(TargetPage{}, err)
	}
	var all []TargetInfo
	for _, r := range rules {
		for _, t := range r.Targets {
			if (in.RuleName == "" || in.RuleName == r.Name) && (in.Arn == "" || in.Arn == t.Info.Endpoint) {
				all = append(all, t.info(in.EventBusName, r.Name))
			}
		}
	}
	page, next, err := cut(all, func(t TargetInfo) string { return t.RuleName + "\n" + t.Id }, in.NextToken, in.Limit)
	return reply(TargetPage{page, next, len(all)}, err)
}
