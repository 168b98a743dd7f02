package eventbridge

import (
	"cmp"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Reply is a response of EventBridge: HTTP 200 also where Success is false.
type Reply[T any] struct {
	Code, Message string
	Success       bool
	Data          T
}

func done[T any](data T) *Reply[T] {
	return &Reply[T]{Code: "Success", Message: "success", Success: true, Data: data}
}

func refused[T any](code, message string) *Reply[T] { return &Reply[T]{Code: code, Message: message} }

// rejection is a code of EventBridge.
type rejection struct{ code, message string }

func (r *rejection) Error() string { return r.code + ": " + r.message }

// reply makes a response of what a change answered.
func reply[T any](data T, err error) (*Reply[T], error) {
	if r, ok := err.(*rejection); ok {
		return refused[T](r.code, r.message), nil
	}
	if err != nil {
		return nil, err
	}
	return done(data), nil
}

func noRule(name string) error {
	return &rejection{"EventRuleNotExisted", "The event rule [" + name + "] not existed!"}
}

func invalid(what string) error {
	return &rejection{"InvalidArgument", "simcloud: " + what}
}

// RuleRequest names a rule of a bus.
type RuleRequest struct{ EventBusName, RuleName string }

func (r RuleRequest) resource(c *wire.Call) string {
	return "acs:eventbridge:" + c.Region + ":" + c.Caller.Account + ":eventbus/" + r.EventBusName + "/rule/" + cmp.Or(r.RuleName, "*")
}

// on is the bus of a rule, which must exist. The caller holds the mutex.
func (s *Service) on(c *wire.Call, bus string) (busKey, error) {
	key := busKey{c.Caller.Account, c.Region, bus}
	if _, ok := s.custom[key]; !ok && bus != DefaultBus {
		return key, &rejection{"EventBusNotExist", "The event bus [" + bus + "] not existed!"}
	}
	return key, nil
}

// change runs f on the rule that a call names. The caller holds the mutex.
func (s *Service) change(c *wire.Call, in RuleRequest, f func(*Rule) error) error {
	key, err := s.on(c, in.EventBusName)
	if err != nil {
		return err
	}
	rules := s.buses[key]
	at := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == in.RuleName })
	if at < 0 {
		return noRule(in.RuleName)
	}
	changed := rules[at]
	changed.Targets = slices.Clone(changed.Targets)
	if err := f(&changed); err != nil {
		return err
	}
	rules[at] = changed
	c.Refer("ACS::EventBridge::Rule", in.RuleName)
	return nil
}

// RuleInput are the parameters of UpdateRule.
type RuleInput struct {
	RuleRequest
	Description   string
	FilterPattern string
	Status        string
}

// CreateRuleRequest are the parameters of CreateRule. EventTargets is a JSON array.
type CreateRuleRequest struct {
	RuleInput
	EventTargets string
}

// RuleARN is what CreateRule answers.
type RuleARN struct{ RuleARN string }

// CreateRule puts a rule onto the bus. Without targets it does nothing yet.
func (s *Service) CreateRule(c *wire.Call, in *CreateRuleRequest) (*Reply[RuleARN], error) {
	return reply(RuleARN{in.resource(c)}, s.create(c, in))
}

func (s *Service) create(c *wire.Call, in *CreateRuleRequest) error {
	targets, err := s.targets(c, in.EventTargets)
	if err != nil {
		return err
	}
	r := Rule{Name: in.RuleName, Targets: targets, created: c.Now}
	if err := in.onto(&r); err != nil {
		return err
	}
	key, err := s.on(c, in.EventBusName)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.buses[key], func(x Rule) bool { return x.Name == in.RuleName }) {
		return &rejection{"EventRuleExisted", "The event rule [" + in.RuleName + "] existed!"}
	}
	if len(s.buses[key]) >= maxRules {
		return &rejection{"EventRuleCountExceedLimit", "too many rules on the bus"}
	}
	s.buses[key] = append(s.buses[key], r)
	c.Refer("ACS::EventBridge::Rule", in.RuleName)
	return nil
}

// onto sets what a request says of a rule.
func (in *RuleInput) onto(r *Rule) error {
	p, err := ParsePattern([]byte(in.FilterPattern))
	if err != nil {
		return invalid(err.Error())
	}
	if in.Status != "" && in.Status != "ENABLE" && in.Status != "DISABLE" {
		return invalid("Status is ENABLE or DISABLE")
	}
	r.Pattern, r.Description = p, in.Description
	if in.Status != "" {
		r.Disabled = in.Status == "DISABLE"
	}
	return nil
}

// UpdateRule replaces pattern and description of a rule.
func (s *Service) UpdateRule(c *wire.Call, in *RuleInput) (*Reply[bool], error) {
	return reply(true, s.change(c, in.RuleRequest, in.onto))
}

// EnableRule lets a rule deliver.
func (s *Service) EnableRule(c *wire.Call, in *RuleRequest) (*Reply[bool], error) {
	return reply(true, s.change(c, *in, func(r *Rule) error { r.Disabled = false; return nil }))
}

// DisableRule keeps a rule from delivering.
func (s *Service) DisableRule(c *wire.Call, in *RuleRequest) (*Reply[bool], error) {
	return reply(true, s.change(c, *in, func(r *Rule) error { r.Disabled = true; return nil }))
}

// DeleteRule takes a rule from the bus with its targets.
func (s *Service) DeleteRule(c *wire.Call, in *RuleRequest) (*Reply[bool], error) {
	err := s.change(c, *in, func(*Rule) error { return nil })
	if err == nil {
		s.remove(busKey{c.Caller.Account, c.Region, in.EventBusName}, in.RuleName)
	}
	return reply(true, err)
}

// RuleInfo is a rule as GetRule and ListRules show it.
type RuleInfo struct {
	RuleName, RuleARN, Status, FilterPattern, EventBusName, Description string
	CreatedTimestamp                                                    int64 // ms
	Targets                                                             []TargetInfo
}

// GetRule shows one rule.
func (s *Service) GetRule(c *wire.Call, in *RuleRequest) (*Reply[RuleInfo], error) {
	var out RuleInfo
	err := s.change(c, *in, func(r *Rule) error { out = r.info(c, in.EventBusName); return nil })
	return reply(out, err)
}

func (r *Rule) info(c *wire.Call, bus string) RuleInfo {
	out := RuleInfo{
		RuleName: r.Name, RuleARN: RuleRequest{bus, r.Name}.resource(c), Status: "ENABLE", FilterPattern: r.Pattern.Text(),
		EventBusName: bus, Description: r.Description, CreatedTimestamp: r.created.UnixMilli(), Targets: []TargetInfo{},
	}
	if r.Disabled {
		out.Status = "DISABLE"
	}
	for _, t := range r.Targets {
		out.Targets = append(out.Targets, t.info(bus, r.Name))
	}
	return out
}

// ListRulesRequest are the parameters of ListRules.
type ListRulesRequest struct {
	EventBusName, RuleNamePrefix, NextToken string
	Limit                                   int
}

// RulePage is a page of rules.
type RulePage struct {
	Rules     []RuleInfo
	NextToken string `json:",omitempty"`
	Total     int
}

// ListRules lists the rules of a bus by name.
func (s *Service) ListRules(c *wire.Call, in *ListRulesRequest) (*Reply[RulePage], error) {
	rules, err := s.rules(c, in.EventBusName)
	if err != nil {
		return reply(RulePage{}, err)
	}
	var all []RuleInfo
	for _, r := range rules {
		if strings.HasPrefix(r.Name, in.RuleNamePrefix) {
			all = append(all, r.info(c, in.EventBusName))
		}
	}
	page, next, err := cut(all, func(r RuleInfo) string { return r.RuleName }, in.NextToken, in.Limit)
	return reply(RulePage{page, next, len(all)}, err)
}

// rules are those of one of the caller's buses, by name. The caller holds the mutex.
func (s *Service) rules(c *wire.Call, bus string) ([]Rule, error) {
	key, err := s.on(c, bus)
	out := slices.Clone(s.buses[key])
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// cut takes a page from a list in order of name: 10 by default, 100 at most. A token is
// the name that the page before ended with.
func cut[T any](all []T, name func(T) string, token string, limit int) (page []T, next string, err error) {
	limit = cmp.Or(limit, 10)
	if limit < 1 || limit > 100 {
		return nil, "", invalid("Limit is 1 to 100")
	}
	page = []T{}
	for _, x := range all {
		if name(x) > token {
			page = append(page, x)
		}
	}
	if len(page) > limit {
		return page[:limit], name(page[limit-1]), nil
	}
	return page, "", nil
}

// TestEventPatternRequest is an event and a pattern, as JSON text.
type TestEventPatternRequest struct{ Event, EventPattern string }

// PatternResult is what TestEventPattern answers.
type PatternResult struct{ Result bool }

// TestEventPattern reports whether the pattern matches the event.
func (s *Service) TestEventPattern(c *wire.Call, in *TestEventPatternRequest) (*Reply[PatternResult], error) {
	p, err := ParsePattern([]byte(in.EventPattern))
	if err != nil {
		return reply(PatternResult{}, invalid(err.Error()))
	}
	return done(PatternResult{p.Match([]byte(in.Event))}), nil
}
