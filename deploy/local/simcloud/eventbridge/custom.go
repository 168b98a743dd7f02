package eventbridge

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// customBus is a bus that the API made. Events come onto it from rules of other buses.
type customBus struct {
	description string
	created     time.Time
}

// BusRequest names a bus.
type BusRequest struct{ EventBusName string }

func busARN(key busKey) string {
	return "acs:eventbridge:" + key.region + ":" + key.account + ":eventbus/" + key.bus
}

// bus runs f on a custom bus of the caller. The caller holds the mutex.
func (s *Service) bus(c *wire.Call, name string, f func(busKey, *customBus)) error {
	key, err := s.on(c, name)
	if err != nil {
		return err
	}
	if name == DefaultBus {
		return invalid("simcloud says nothing of the default bus itself, which stands and cannot be changed")
	}
	b := s.custom[key]
	f(key, &b)
	return nil
}

// CreateEventBusRequest are the parameters of CreateEventBus.
type CreateEventBusRequest struct {
	BusRequest
	Description, ClientToken string
}

// BusARN is what CreateEventBus answers.
type BusARN struct{ EventBusARN string }

// CreateEventBus makes a custom bus.
func (s *Service) CreateEventBus(c *wire.Call, in *CreateEventBusRequest) (*Reply[BusARN], error) {
	key := busKey{c.Caller.Account, c.Region, in.EventBusName}
	return reply(BusARN{busARN(key)}, s.createBus(c, key, in.Description))
}

func (s *Service) createBus(c *wire.Call, key busKey, description string) error {
	switch _, there := s.custom[key]; {
	case there || key.bus == DefaultBus:
		return &rejection{"EventBusExisted", "The event bus [" + key.bus + "] existed!"}
	case len(key.bus) > maxBusName:
		return invalid(fmt.Sprintf("EventBusName has at most %d characters", maxBusName))
	}
	s.custom[key] = customBus{description, c.Now}
	c.Refer("ACS::EventBridge::EventBus", key.bus)
	return nil
}

// BusInfo is a custom bus as GetEventBus shows it.
type BusInfo struct {
	EventBusARN, EventBusName, Description string
	CreateTimestamp                        int64 // ms
}

// GetEventBus shows a custom bus.
func (s *Service) GetEventBus(c *wire.Call, in *BusRequest) (*Reply[BusInfo], error) {
	var out BusInfo
	err := s.bus(c, in.EventBusName, func(key busKey, b *customBus) {
		out = BusInfo{busARN(key), key.bus, b.description, b.created.UnixMilli()}
	})
	return reply(out, err)
}

// UpdateEventBusRequest are the parameters of UpdateEventBus.
type UpdateEventBusRequest struct {
	BusRequest
	Description string
}

// UpdateEventBus replaces the description of a custom bus.
func (s *Service) UpdateEventBus(c *wire.Call, in *UpdateEventBusRequest) (*Reply[bool], error) {
	return reply(true, s.bus(c, in.EventBusName, func(key busKey, b *customBus) {
		s.custom[key] = customBus{in.Description, b.created}
		c.Refer("ACS::EventBridge::EventBus", key.bus)
	}))
}

// DeleteEventBusRequest are the parameters of DeleteEventBus.
type DeleteEventBusRequest struct {
	BusRequest
	ClientToken string
}

// DeleteEventBus takes a custom bus away, with its rules.
func (s *Service) DeleteEventBus(c *wire.Call, in *DeleteEventBusRequest) (*Reply[bool], error) {
	return reply(true, s.bus(c, in.EventBusName, func(key busKey, _ *customBus) {
		delete(s.custom, key)
		delete(s.buses, key)
		c.Refer("ACS::EventBridge::EventBus", key.bus)
	}))
}

// toBus pushes onto a custom bus of another account in the same region, in a role of that
// account. Events of a default bus go to custom buses alone
// (https://www.alibabacloud.com/help/en/eventbridge/user-guide/route-events-to-eventbridge).
func (s *Service) toBus(account, region string, in TargetInfo) (func([]byte) error, error) {
	part := strings.Split(in.Endpoint, ":")
	if len(part) != 5 || part[0] != "acs" || part[1] != "eventbridge" || !strings.HasPrefix(part[4], "eventbus/") {
		return nil, errors.New("the endpoint is not the ARN of an event bus")
	}
	to := busKey{part[3], part[2], strings.TrimPrefix(part[4], "eventbus/")}
	if to.account == account || to.region != region || to.bus == DefaultBus {
		return nil, errors.New("simcloud pushes onto custom buses of other accounts in the same region alone")
	}
	role := ""
	for _, p := range in.ParamList {
		if p.ResourceKey == "RAMRoleName" {
			role = p.Value
		}
	}
	if role == "" {
		return nil, errors.New("RAMRoleName is needed")
	}
	push := func(event []byte) error { return s.enter(account, role, to, event) }
	return push, in.params(map[string]string{
		"RegionId": to.region, "AccountType": "AnotherAccount", "AccountId": to.account, "EventBusName": to.bus, "RAMRoleName": role,
	})
}

// enter puts an account's event onto another's bus, if a role of the other lets it.
func (s *Service) enter(from, role string, to busKey, event []byte) error {
	s.mu.Lock()
	_, there := s.custom[to]
	s.mu.Unlock()
	switch ram := s.o.Access; {
	case !there:
		return errors.New("the account " + to.account + " has no bus " + to.bus)
	case ram == nil || !ram.Trusts(to.account, role, from+"@eventbridge.aliyuncs.com", nil):
		return errors.New("the role " + role + " does not trust the EventBridge of account " + from)
	case !ram.RoleAllows(to.account, role, "eventbridge:PutEvents", busARN(to)):
		return errors.New("the role " + role + " may not put events onto the bus " + to.bus)
	}
	var attributes map[string]jsontext.Value
	if err := json.Unmarshal(event, &attributes); err != nil {
		return err
	}
	now := s.o.World.Clock.Now()
	for name, v := range map[string]string{"aliyunaccountid": to.account, "aliyuneventbusname": to.bus, "aliyunpublishtime": stamp(now)} {
		attributes[name] = jsontext.Value(`"` + v + `"`)
	}
	body, err := json.Marshal(attributes, json.Deterministic(true))
	if err != nil {
		return err
	}
	s.o.World.Clock.After(s.o.Latency, func() {
		s.dispatch(to, simcloud.Event{Account: to.account, Region: to.region, Data: body}, body)
	})
	return nil
}
