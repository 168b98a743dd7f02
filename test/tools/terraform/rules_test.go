package terraform_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
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
	// "make deploy-check" compares them with what is made; that needs the provider.
	for file, want := range map[string]string{
		"home":   fmt.Sprintf(`]) == %d && strcontains(alicloud_ram_role.members`, members),
		"region": fmt.Sprintf("length(alicloud_event_bridge_rule.to_inbox) == %d\n", own),
	} {
		if !strings.Contains(string(read(t, filepath.Join(deploy, "terraform/tests", file+".tftest.hcl"))), want) {
			t.Errorf("tests/%s.tftest.hcl expects other rules: no %s", file, want)
		}
	}
	if own != 4 || triggers != 4 || len(sent) != 5 {
		t.Errorf("README.md says 4, 4 and 5 rules; they are %d, %d and %d", own, triggers, len(sent))
	}
}
