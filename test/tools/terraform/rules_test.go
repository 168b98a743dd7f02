package terraform_test

import (
	"path/filepath"
	"regexp"
	"testing"
)

// rulesOnABus is EventBridge's default quota of event rules on one bus.
// https://www.alibabacloud.com/help/en/eventbridge/product-overview/limits
const rulesOnABus = 10

// TestTheRulesFitOnTheirBuses: with those that Function Compute makes for triggers that
// read the default bus.
func TestTheRulesFitOnTheirBuses(t *testing.T) {
	own, members, sent := 0, 0, map[string]bool{}
	for _, q := range decode[queueFile](t, filepath.Join(deploy, "queues.json")).Queues {
		own += len(q.EventRules)
		members += len(q.EventRules) + len(q.MemberRules)
		for _, rule := range append(q.EventRules, q.MemberRules...) {
			sent[rule] = true
		}
	}
	triggers := len(regexp.MustCompile(`eventSourceType: Default`).FindAll(read(t, filepath.Join(deploy, "../s.yaml")), -1))
	for bus, n := range map[string]int{"the default bus": own + triggers, "the members' bus": members, "a member's default bus": len(sent)} {
		if n > rulesOnABus {
			t.Errorf("%s has %d rules of %d", bus, n, rulesOnABus)
		}
	}
	if own != 4 || triggers != 4 || len(sent) != 5 {
		t.Errorf("README.md says 4, 4 and 5 rules; they are %d, %d and %d", own, triggers, len(sent))
	}
}
