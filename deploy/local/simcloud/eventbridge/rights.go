package eventbridge

import (
	"sync"

	"fleetwarden/deploy/local/simcloud/wire"
)

// rights are what RAM is asked about. ListTargets, whose parameters have defaults, asks in
// its method.
var rights = map[string]string{
	"CheckServiceLinkedRoleForProduct": "*",
	"CreateEventBus":                   aBus + "*",
	"CreateRule":                       aRule,
	"DeleteEventBus":                   aBus + "$EventBusName",
	"DeleteRule":                       aRule,
	"DeleteTargets":                    aRule,
	"DisableRule":                      aRule,
	"EnableRule":                       aRule,
	"GetEventBus":                      aBus + "$EventBusName",
	"GetRule":                          aRule,
	"ListRules":                        aBus + "$EventBusName/rule/*",
	"PutTargets":                       aRule,
	"QueryEventTraces":                 aBus + "$EventBusName",
	"QueryTracedEvents":                aBus + "$EventBusName",
	"TestEventPattern":                 "*",
	"UpdateEventBus":                   aBus + "$EventBusName",
	"UpdateRule":                       aRule,
}

const (
	aBus  = "acs:eventbridge:$Region:$Account:eventbus/"
	aRule = aBus + "$EventBusName/rule/$RuleName"
)

// Enter implements wire.Guarded.
func (s *Service) Enter(c *wire.Call) (sync.Locker, error) {
	resource, ok := rights[c.Action]
	if !ok {
		return &s.mu, nil
	}
	return &s.mu, c.Ask("eventbridge:"+c.Action, resource)
}
